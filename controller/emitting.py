"""READY and EMITTING: light on the proven site, held there; dark as soon as it is not wished."""

import asyncio
import math

from controller.arriving import called_off
from controller.desk import Desk, Locked
from controller.doubting import resolved
from controller.figures import OF_EMISSION
from controller.locking import along_dipole
from controller.looking import look, look_and_count
from controller.purity_watch import watch
from controller.states import Event
from controller.tracking import Tracking
from controller.wishes import Unable
from mapping.start import at_power

LOOK_EVERY_S = 0.1
TURN_S = 0.05  # between looks at the gates
LOOK_LIT_EVERY_S = 1.0


async def stand_ready(desk: Desk, _target: object) -> Event:
    """Dark until light is wished; EMITTING begins with the light that is lit here."""
    while not desk.news.latest.output:
        await look_and_count(desk)
        await asyncio.sleep(LOOK_EVERY_S)
    await look(desk)
    if desk.locked is not None and desk.lying is not None:
        await _aim(desk, desk.locked)
        await desk.light.kindle()
    return Event.EMIT


async def emit(desk: Desk, _target: object) -> Event:
    """STOP when light is no longer wished; Unable when the emitter is lost."""
    locked = desk.locked
    if locked is None:
        raise Unable("nothing is in the focus")
    async with desk.light.lit():
        await _aim(desk, locked)
        following = asyncio.create_task(_follow(desk, locked))
        watching = asyncio.create_task(watch(desk, locked))
        unwished = asyncio.create_task(desk.news.until(lambda now: not now.output))
        tasks = (following, watching, unwished)
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for ended in done - {unwished}:
                ended.result()
        finally:
            await called_off(*tasks)
    desk.news.publish(doubts=desk.news.latest.doubts & ~OF_EMISSION)
    return Event.STOP


async def _aim(desk: Desk, locked: Locked) -> None:
    await along_dipole(desk, locked.site, desk.power_uw)
    await desk.probe.nudge(locked.peak.at)


async def _follow(desk: Desk, locked: Locked) -> None:
    """Until somebody ends it."""
    tracking, looked_s = Tracking(desk, locked), -math.inf
    try:
        while True:
            if desk.power_uw != tracking.locked.power_uw:
                await _at_new_power(desk, tracking)
            if desk.now_s() - looked_s >= LOOK_LIT_EVERY_S:
                looked_s = desk.now_s()
                await look(desk)
            await tracking.turn()
            if tracking.seems_lost:
                tracking.resume(await resolved(desk, tracking.believed(), tracking.usual))
            await asyncio.sleep(TURN_S)
    finally:
        tracking.leave()


async def _at_new_power(desk: Desk, tracking: Tracking) -> None:
    before, power_uw = tracking.believed(), desk.power_uw
    await desk.light.set(power_uw=power_uw)
    peak = at_power(before.peak, before.site.seen, before.power_uw, power_uw)
    tracking.begin(Locked(before.site, peak, power_uw))
