"""An instrument without a controller behind it: a snapshot that is set, wishes that are granted."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import NamedTuple

from controller.config import SourceConfig
from controller.figures import (
    Busy,
    Doubt,
    Figure,
    PhotonNumber,
    Picture,
    Pointing,
    PoseTold,
    Purity,
    SiteTold,
    SurveyProgress,
)
from controller.scpi_access import Role, Visitor
from controller.scpi_commands import Instrument
from controller.scpi_session import Session
from controller.snapshot import Newsstand, Snapshot
from controller.states import IN_SERVICE, State
from controller.wishes import (
    Area,
    BadCatalogue,
    Check,
    Granted,
    NoSuchSite,
    NotNow,
    Outcome,
)
from mapping.catalogue import SiteState
from optics.devices import Identity
from optics.faults import DeviceLost
from optics.quantities import CountGate, StageBox, StagePoint

NAN = float("nan")
SITES = {
    "A": SiteTold(10.0, 20.0, 3.0, 0.01, 3e5, 0.03, 0.005, SiteState.ACTIVE),
    "B": SiteTold(11.0, 21.0, 3.0, 0.02, 2e4, NAN, NAN, SiteState.RESERVE),
}
KNOWN = Snapshot(
    state=State.READY,
    power_set_uw=1000.0,
    power_range_uw=(100.0, 5000.0),
    wavelength_um=0.68,
    trigger_hz=1e6,
    epoch=7,
    brightness_cps=Figure(3e5, 500.0, 0.0),
    purity=Purity(0.03, 0.005, 0.04, 0.0),
    photons=PhotonNumber(0.04, 0.05, 0.06, 0.0),
    pointing=Pointing((1e-3, 2e-3, 3e-3), (4e-3, 5e-3, 6e-3), 0.998, 0.0),
    tracking_loss=Figure(0.002, 0.001, 0.0),
    sites=SITES,
    selected="A",
    pose=PoseTold(1.0, 2.0, 0.001, 1.0, 0.01, 1e-6, 0.0),
    survey=SurveyProgress(0.5, 60.0, 2),
    picture=Picture(b'\x89PNG;\n"not read"', 0.0),
    gate_s=0.01,
    gate=CountGate((300, 310), 1, 0.01, 5, 0.0),
    stage=Identity("PI", "E-727", "1", "1"),
    travel=StageBox(StagePoint(0.0, 0.0, 0.0), StagePoint(200.0, 200.0, 200.0)),
    position=StagePoint(10.0, 20.0, 30.0),
)


class Promise(NamedTuple):
    """Work that has begun, and ends when the case says so."""

    begun: Outcome
    ended: Outcome


class Desk:
    """Grants every wish at once, or when told to; keeps what is to be kept in memory."""

    def __init__(self, news: Newsstand) -> None:
        self._news = news
        self.under_way: list[asyncio.Future[None]] = []
        self._kept: dict[int, str] = {}
        self.audited: list[tuple[str, str]] = []
        self.broken = ""

    def _begin(self) -> Promise:
        loop = asyncio.get_running_loop()
        promise = Promise(loop.create_future(), loop.create_future())
        promise.begun.set_result(None)
        self.under_way.append(promise.ended)
        return promise

    async def set_output(self, *, on: bool) -> None:
        self._news.publish(output=on)

    async def set_power(self, power_uw: float) -> None:
        self._news.publish(power_set_uw=power_uw)

    async def hold_off(self, for_s: float) -> None:
        self._news.publish(hold_off_until_s=asyncio.get_running_loop().time() + for_s)

    def select_site(self, name: str) -> Granted:
        self._check(name)
        return self._begin()

    async def set_site_state(self, name: str, state: SiteState) -> None:
        self._check(name)
        sites = dict(self._news.latest.sites)
        self._news.publish(sites=sites | {name: sites[name]._replace(state=state)})

    def _check(self, name: str) -> None:
        if name not in self._news.latest.sites:
            raise NoSuchSite(name)

    def export_catalogue(self) -> bytes:
        return b"good"

    async def import_catalogue(self, document: bytes) -> None:
        if document != b"good":
            raise BadCatalogue(f"{len(document)} bytes")

    def survey(self, area: Area | None) -> Granted:
        assert area is None or area.width_um > 0
        return self._begin()

    async def abort_survey(self) -> None:
        raise NotNow("no survey is under way")

    def register(self) -> Granted:
        return self._begin()

    async def track(self, *, on: bool) -> None:
        self._news.publish(tracking=on)

    async def set_gate(self, gate_s: float) -> None:
        self._news.publish(gate_s=gate_s)

    async def measure_purity(self, for_s: float | None) -> Purity:
        assert for_s is None or for_s > 0
        await self._begin().ended
        return Purity(0.02, 0.004, 0.03, asyncio.get_running_loop().time())

    def serve(self, *, on: bool) -> Granted | None:
        if on is (self._news.latest.state in IN_SERVICE):
            return None
        self._news.publish(state=State.SERVICE if on else State.READY)
        granted = self._begin()
        self.under_way.pop().set_result(None)
        return granted

    def move(self, target: StagePoint) -> Granted:
        if self._news.latest.state not in IN_SERVICE:
            raise NotNow(f"not in service mode, not to {target}")
        return self._begin()

    async def set_label(self, label: str) -> None:
        self._news.publish(label=label)

    def save(self, slot: int, settings: str) -> Awaitable[None]:
        self._kept[slot] = settings
        return asyncio.sleep(0)

    def saved(self, slot: int) -> str:
        return self._kept.get(slot, "")

    async def audit(self, who: str, what: str) -> None:
        self.audited.append((who, what))

    async def self_test(self) -> Sequence[Check]:
        return Check("store", self.broken), Check("stage")


class Stranger:
    """Somebody else at the same instrument."""

    name = "other"


class Bench:
    """One host's session at such an instrument, and everything that is done to it."""

    def __init__(self, first: Snapshot = KNOWN, visitor: Visitor | None = None) -> None:
        self.news = Newsstand(first)
        self.desk = Desk(self.news)
        self.instrument = Instrument(SourceConfig(), self.news, self.desk)
        self.said, self.listens = bytearray(), [True]
        self.requests: list[int] = []
        self.has_unread = False
        self._stranger = Stranger()
        self.session = Session(self.instrument, self, visitor or Visitor("bench"))

    def respond(self, response: bytes) -> None:
        self.said += response

    def flush(self) -> None:
        """Everything is told at once here."""

    def listen(self, *, wanted: bool) -> None:
        self.listens.append(wanted)

    def request_service(self, status_byte: int) -> None:
        self.requests.append(status_byte)

    async def settle(self) -> None:
        """Until nothing more happens by itself; the jumping clock then stands still."""
        await asyncio.sleep(1e-9)

    async def do(self, deed: str) -> None:
        """One deed of a case."""
        what, _, which = deed.partition(" ")
        await getattr(self, f"_do_{what}")(which)
        await self.settle()

    async def _do_end(self, _: str) -> None:
        self.desk.under_way.pop(0).set_result(None)

    async def _do_fail(self, _: str) -> None:
        self.desk.under_way.pop(0).set_exception(DeviceLost("stage", "unplugged"))

    async def _do_clear(self, _: str) -> None:
        self.session.clear()

    async def _do_state(self, name: str) -> None:
        self.news.publish(state=State[name])

    async def _do_busy(self, name: str) -> None:
        self.news.publish(busy=Busy[name])

    async def _do_doubt(self, name: str) -> None:
        self.news.publish(doubts=Doubt[name])

    async def _do_latched(self, why: str) -> None:
        self.news.publish(latched=why)

    async def _do_interlock(self, how: str) -> None:
        self.news.publish(interlock_closed=how == "closed")

    async def _do_fault(self, what: str) -> None:
        self.news.publish(fault=DeviceLost("stage", what))

    async def _do_no(self, _laser: str) -> None:
        self.news.publish(power_range_uw=None, power_set_uw=None)

    async def _do_nothing(self, _: str) -> None:
        self.news.publish(**vars(Snapshot()))

    async def _do_big(self, _picture: str) -> None:
        self.news.publish(picture=Picture(bytes(1 << 20), 0.0))

    async def _do_huge(self, _picture: str) -> None:
        self.news.publish(picture=Picture(bytes(1 << 24), 0.0))

    async def _do_broken(self, what: str) -> None:
        self.desk.broken = f"the {what} is broken"

    async def _do_later(self, _: str) -> None:
        await asyncio.sleep(2.5)

    async def _do_other(self, what: str) -> None:
        if what == "locks":
            assert self.instrument.locks.take(self._stranger)
        else:
            self.instrument.locks.forget(self._stranger)

    async def _do_monitor(self, _: str) -> None:
        self.session.visitor = self.session.visitor._replace(role=Role.MONITOR)

    async def _do_operator(self, _: str) -> None:
        self.session.visitor = self.session.visitor._replace(role=Role.OPERATOR)
