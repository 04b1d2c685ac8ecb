"""LOCKING: go to a site and centre on its counts."""

import logging

from controller.desk import Desk, Locked
from controller.figures import OF_EMISSION, Pointing
from controller.wishes import Unable
from mapping.catalogue import Site, SiteState
from mapping.choose import Link, ranked
from mapping.placement import Placement
from mapping.scan import Centred, Centring, centre, hunt
from optics.quantities import StagePoint

log = logging.getLogger(__name__)

HUNT_UM = 0.8
LEAST_REACH_UM = 0.12


async def lock(desk: Desk, target: object) -> None:
    """The site that was asked for, else the selected, else the best; Unable says why not."""
    site = await _chosen(desk, target)
    lying = placement(desk)
    aim = lying.on_stage(site.place)
    if aim not in desk.devices.stage.travel:
        raise failure(desk, site, "it lies outside the stage's travel now")
    async with desk.light.lit():
        found = await centred(desk, site, aim)
    if found.doubt:
        raise failure(desk, site, found.doubt)
    off = [at - wanted for at, wanted in zip(found.peak.at, aim, strict=True)]
    log.info("%s lies %.0f, %.0f, %.0f nm off", site.id, *(1e3 * um for um in off))
    desk.locked = Locked(site, found.peak, desk.power_uw)
    desk.journey.reached("locked", desk.now_s())
    point(desk, found)


async def centred(desk: Desk, site: Site, aim: StagePoint) -> Centred:
    """Its peak near there; in a wider ring where it is not there at first."""
    await along_dipole(desk, site, desk.power_uw)
    reach_um = max(LEAST_REACH_UM, 4 * placement(desk).sigma_um)
    how = Centring(reach_um=reach_um)
    found = await desk.probe.perform(centre(aim, how))
    if not found.doubt:
        return found
    place = await desk.probe.perform(hunt(aim, HUNT_UM, how))
    return found if place is None else await desk.probe.perform(centre(place, how))


def dipole_rad(desk: Desk, site: Site) -> float:
    """The pump's direction for a site as it was recorded, as the chip lies now."""
    return (site.seen.pump_rad or 0.0) + placement(desk).turn_rad


async def along_dipole(desk: Desk, site: Site, power_uw: float) -> None:
    """So much pump in the focus, in that direction."""
    await desk.light.set(power_uw=power_uw, pump_rad=dipole_rad(desk, site), wide=False)


def point(desk: Desk, found: Centred) -> None:
    """Tell how well the focus stands, as it does again."""
    x, y, z = found.peak.sigma_um
    desk.news.publish(
        pointing=Pointing((0.0, 0.0, 0.0), (x, y, z), 1.0, desk.now_s()),
        doubts=desk.news.latest.doubts & ~OF_EMISSION,
    )


def placement(desk: Desk) -> Placement:
    if desk.lying is None:
        raise Unable("where the chip lies is not known: MAP:REGister")
    return desk.lying


def failure(desk: Desk, site: Site, why: str) -> Unable:
    """Remembered, so that the same site is not tried for ever."""
    desk.failed[site.id] = why
    return Unable(f"{site.id}: {why}")


async def _chosen(desk: Desk, target: object) -> Site:
    catalogue = desk.archive.catalogue
    if isinstance(target, str):
        if target not in catalogue.sites:
            raise Unable(f"{target}: no such site")
        desk.failed.pop(target, None)
        if desk.archive.selected != target:
            await desk.archive.select(target, "asked for")
        return catalogue.sites[target]
    selected = catalogue.sites.get(desk.archive.selected)
    if selected is not None and selected.state is not SiteState.RETIRED:
        return selected
    site = best(desk)
    if site is None:
        raise Unable("no site is known that could be emitted from")
    await desk.archive.select(site.id, "the best by key rate")
    return desk.archive.catalogue.sites[site.id]


def best(desk: Desk) -> Site | None:
    """By the key a host would get; those that just failed are left out."""
    survey = desk.config.survey
    link = Link(loss_db=survey.loss_db, trigger_hz=survey.trigger_hz)
    usable = [site for site in desk.archive.catalogue.usable if site.id not in desk.failed]
    ranks = ranked(usable, link)
    return ranks[0].site if ranks else None
