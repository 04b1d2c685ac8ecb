"""SITE: the emitters that are known, and which of them is in the focus."""

from controller.figures import SiteTold
from controller.scpi_access import Role
from controller.scpi_common import Arguments, Command, Table, done, overlap, scaled
from controller.scpi_parameters import Block, Choice, String, answer
from controller.scpi_session import Answer, Session
from controller.wishes import NoSuchSite
from mapping.catalogue import SiteState

UM_PER_M = 1e6
NAME = String(longest=64)
STATE = Choice(
    {"ACTive": SiteState.ACTIVE, "REServe": SiteState.RESERVE, "RETired": SiteState.RETIRED}
)
DOCUMENT = Block(longest=1 << 20)


def _site(session: Session, arguments: Arguments) -> SiteTold:
    name = NAME.read(arguments[0])
    try:
        return session.now.sites[name]
    except KeyError:
        raise NoSuchSite(name) from None


def _catalog(session: Session, _: Arguments) -> Answer:
    return answer(*session.now.sites or [""])


def _select(session: Session, arguments: Arguments) -> Answer:
    return overlap(session, session.wishes.select_site(NAME.read(arguments[0])))


def _data(session: Session, arguments: Arguments) -> Answer:
    site = _site(session, arguments)
    lengths = scaled((site.x_um, site.y_um, site.z_um, site.sigma_um), UM_PER_M)
    return answer(*lengths, site.rate_cps, site.g2, site.g2_sigma, STATE.word(site.state))


def _set_state(session: Session, arguments: Arguments) -> Answer:
    state = STATE.read(arguments[1])
    return done(session.wishes.set_site_state(NAME.read(arguments[0]), state))


def _state(session: Session, arguments: Arguments) -> Answer:
    return answer(STATE.word(_site(session, arguments).state))


def _import(session: Session, arguments: Arguments) -> Answer:
    return done(session.wishes.import_catalogue(DOCUMENT.read(arguments[0])))


TABLE: Table = {
    "SITE:COUNt?": Command(lambda session, _: answer(len(session.now.sites)), "how many are known"),
    "SITE:CATalog?": Command(_catalog, "their names, the best first"),
    "SITE:SELect": Command(
        _select, "go to this one, lock on it, verify it (o)", (1, 1), Role.OPERATOR
    ),
    "SITE:SELect?": Command(
        lambda session, _: answer(session.now.selected),
        "the one that is selected, or an empty string",
    ),
    "SITE:DATA?": Command(
        _data, "x, y, z in m, sigma in m, clicks per second, g2(0), its sigma, state", (1, 1)
    ),
    "SITE:STATe": Command(
        _set_state, "a name, and ACTive, REServe or RETired", (2, 2), Role.OPERATOR
    ),
    "SITE:STATe?": Command(_state, "of that name", (1, 1)),
    "SITE:EXPort?": Command(
        lambda session, _: answer(session.wishes.export_catalogue()),
        "the whole catalogue as JSON in a block",
    ),
    "SITE:IMPort": Command(_import, "take such a block over", (1, 1), Role.SERVICE),
}
