"""RECOVERING: what was in the focus is not; decide what to try next, the nearest first."""

import logging

from controller.desk import Desk
from controller.locking import best
from controller.states import Event
from controller.wishes import Unable

log = logging.getLogger(__name__)

REGISTERED_AGAIN = "registered again"


async def recover(desk: Desk, _target: object) -> Event:
    """Look at the chip once more, then try the next best site; Unable when none is left."""
    desk.news.publish(pointing=None, purity=None)
    lost = desk.archive.selected
    if REGISTERED_AGAIN not in desk.failed:
        desk.failed[REGISTERED_AGAIN] = desk.failed.pop(lost, "lost")
        return Event.BLANK
    site = best(desk)
    if site is None:
        why = "; ".join(f"{name}: {words}" for name, words in list(desk.failed.items())[-3:])
        raise Unable(f"no site could be proven ({why})")
    log.info("%s instead of %s", site.id, lost)
    await desk.archive.select(site.id, f"{lost}: {desk.failed.get(lost, 'lost')}")
    return Event.DONE
