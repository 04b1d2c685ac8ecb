"""VERIFYING: prove that what is in the focus is the site it is held for."""

import logging

from controller.desk import Desk
from controller.locking import dipole_rad, failure, placement
from controller.purity import singleness
from controller.wishes import Unable
from mapping.catalogue import Kind
from mapping.identity import judged
from mapping.visit import as_seen, glance

log = logging.getLogger(__name__)

G2_S = 1.0
"""Of photons for g2 at most: enough to contradict the record when it is wrong by far; that the
emitter is single was proven at its visit, and is measured on while it emits."""


async def verify(desk: Desk, _target: object) -> None:
    """Place, depth, rate, dipole and g2 against the record; Unable says what does not fit."""
    locked = desk.locked
    if locked is None:
        raise Unable("nothing is in the focus")
    site, lying = locked.site, placement(desk)
    async with desk.light.lit():
        found = await desk.probe.perform(glance(locked.peak, desk.power_uw, dipole_rad(desk, site)))
        kind, purity = await singleness(desk, found.background, G2_S)
    aim = lying.on_stage(site.place)
    x, y, z = (at - wanted for at, wanted in zip(found.peak.at, aim, strict=True))
    verdict = judged(site.seen, found, (x, y, z), lying.sigma_um, lying.turn_rad)
    if not verdict.accepted:
        raise failure(desk, site, verdict.words)
    if kind is Kind.SEVERAL:
        raise failure(desk, site, "its photons are not those of one emitter")
    desk.failed.clear()
    if purity is not None:
        desk.news.publish(purity=purity)
    desk.journey.reached("proven", desk.now_s())
    told = ", ".join(f"{name} {pull:+.1f}" for name, pull in verdict.pulls.items())
    log.info("%s is proven: %s (sigmas off its record)", site.id, told)
    log.info("%s", desk.journey.told())
    await desk.archive.note(site, as_seen(found, lying, kind), "verify", told)
