"""RECOVERING: what was in the focus is not; decide what to try next, the nearest first.

The same site once more near where it was, the whole constellation once more, the best reserve;
where no site is left, a survey. Each is tried once before the next.
"""

import logging

from controller.desk import Desk
from controller.locking import best
from controller.states import Event
from controller.wishes import Unable
from mapping.doubt import Remedy

log = logging.getLogger(__name__)

REGISTERED_AGAIN = "registered again"


async def recover(desk: Desk, _target: object) -> Event:
    """DONE to lock, BLANK to register, SURVEY where all are given up; Unable as a last word."""
    desk.news.publish(pointing=None, purity=None)
    lost, verdict = desk.archive.selected, desk.verdict
    desk.verdict = None
    if verdict is not None and verdict.remedy is Remedy.CENTRE:
        log.info("%s is looked for where the camera has seen it", lost)
        desk.failed.pop(lost, None)
        return Event.DONE
    given_up = verdict is not None and verdict.remedy is Remedy.RETIRE
    if not given_up and REGISTERED_AGAIN not in desk.failed:
        desk.failed[REGISTERED_AGAIN] = desk.failed.pop(lost, "lost")
        return Event.BLANK
    return await _another(desk, lost)


async def _another(desk: Desk, lost: str) -> Event:
    site = best(desk)
    if site is not None:
        log.info("%s instead of %s", site.id, lost)
        await desk.archive.select(site.id, f"{lost}: {desk.failed.get(lost, 'lost')}")
        return Event.DONE
    if not desk.archive.catalogue.usable:
        log.info("every site is given up: what shines is looked for anew")
        return Event.SURVEY
    why = "; ".join(f"{name}: {words}" for name, words in list(desk.failed.items())[-3:])
    raise Unable(f"no site could be proven ({why})")
