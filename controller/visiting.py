"""One candidate after the other under the focus: what each is, recorded at once."""

import logging
from dataclasses import replace

from controller.desk import Desk
from controller.locking import along_dipole, placement
from controller.purity import singleness
from controller.site_tables import Candidate
from controller.survey_book import SurveyBook
from mapping.catalogue import Kind, Site, SiteState
from mapping.causes import Cause
from mapping.scan import Centring, centre
from mapping.visit import Visited, as_seen, visit

log = logging.getLogger(__name__)

SAME_SITE_UM = 0.15
WENT_DARK = {Cause.DARK.value, Cause.JUMP.value}
DRIFT_EVERY_S = 90.0


class Visitor:
    """Visits for a survey; keeps an eye on drift by looking at one site again and again."""

    def __init__(self, desk: Desk, book: SurveyBook) -> None:
        self._desk, self._book = desk, book
        self._reference: tuple[Site, float] | None = None  # and when it was last seen

    async def visit(self, candidate: Candidate) -> None:
        """Go there, learn all of it, and keep that."""
        desk = self._desk
        await self._watch_drift()
        aim = placement(desk).on_stage(candidate.place)
        if aim not in desk.devices.stage.travel:
            await self._book.visited(candidate, "out of reach", None)
            return
        await desk.light.set(power_uw=desk.power_uw, wide=False)
        most_uw = desk.light.laser.range_uw[1]
        plan = visit(aim, Centring(), desk.power_uw, most_uw)
        found = await desk.probe.perform(plan)
        if found.doubt:
            log.debug("candidate %d: %s", candidate.number, found.doubt)
            await self._book.visited(candidate, found.doubt, None)
            return
        await desk.probe.go(found.peak.at)
        await self._keep(candidate, found)

    async def _keep(self, candidate: Candidate, found: Visited) -> None:
        desk = self._desk
        kind, purity = await singleness(desk, found.background)
        seen = as_seen(found, placement(desk), kind)
        if purity is not None:
            g2, sigma, upper95, _ = purity
            seen = seen._replace(g2=g2, g2_sigma=sigma, g2_upper95=upper95)
        if kind is Kind.SEVERAL:
            await self._book.visited(candidate, f"several emitters, g2 {seen.g2:.2f}", None)
            return
        known = desk.archive.catalogue.near(seen.place, SAME_SITE_UM)
        fresh = Site(desk.archive.catalogue.next_name(), seen)
        site = revived(known.revisited(seen)) if known else fresh
        await self._book.visited(candidate, "site", site)
        if self._reference is None and kind is Kind.SINGLE:
            self._reference = site, desk.now_s()

    async def _watch_drift(self) -> None:
        """The chip under the stage is followed; a reference that is gone is replaced."""
        desk = self._desk
        if self._reference is None or desk.now_s() - self._reference[1] < DRIFT_EVERY_S:
            return
        site = self._reference[0]
        lying = placement(desk)
        aim = lying.on_stage(site.place)
        await along_dipole(desk, site, desk.power_uw)
        found = await desk.probe.perform(centre(aim, Centring(reach_um=0.1)))
        self._reference = None if found.doubt else (site, desk.now_s())
        if not found.doubt:
            dx, dy, dz = (at - was for at, was in zip(found.peak.at, aim, strict=True))
            desk.lying = lying.shifted(dx, dy, dz)


def revived(site: Site) -> Site:
    """One that was given up because it was dark, and shines again, is a reserve."""
    if site.state is SiteState.RETIRED and site.why in WENT_DARK:
        return replace(site, state=SiteState.RESERVE, why="it shines again")
    return site
