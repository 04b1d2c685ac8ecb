"""EMITTING: light on the proven site, counted and followed; dark as soon as it is not wished."""

import asyncio
import logging
import math

from controller.counter import NOTHING, added
from controller.desk import Desk, Locked
from controller.figures import Busy
from controller.locking import failure, placement, point
from controller.looking import look
from controller.states import Event
from controller.wishes import Unable
from mapping.scan import Centring, centre

log = logging.getLogger(__name__)

TURN_S = 0.05  # between looks at the gates; how soon light follows a wish, too
LOOK_EVERY_S = 1.0
JUDGED_S = 1.0  # of counts, before a loss is believed
LOST_SHARE = 0.7  # of the rate at the start: then the peak is looked for again
CARE_EVERY_S = 120.0  # the peak is found anew, unless a host holds that off


async def emit(desk: Desk, _target: object) -> Event:
    """STOP when light is no longer wished; Unable when the emitter is lost."""
    locked = desk.locked
    if locked is None:
        raise Unable("nothing is in the focus")
    async with desk.light.lit():
        await desk.light.set(pump_rad=_pump_rad(desk, locked), wide=False)
        await desk.probe.go(locked.peak.at)
        await _follow(desk, locked)
    return Event.STOP


def _pump_rad(desk: Desk, locked: Locked) -> float:
    return ((locked.site.seen.pump_rad or 0.0) + placement(desk).turn_rad) % math.pi


async def _follow(desk: Desk, locked: Locked) -> None:
    usual, seen, looked_s, cared_s = None, NOTHING, -math.inf, desk.now_s()
    power_uw = -1.0
    while desk.news.latest.output:
        if desk.power_uw != power_uw:
            power_uw, usual, seen = desk.power_uw, None, NOTHING
            await desk.light.set(power_uw=power_uw)
        await asyncio.sleep(TURN_S)
        for gate in await desk.counter.fresh():
            seen = added(seen, gate)
        if desk.now_s() - looked_s > LOOK_EVERY_S:
            looked_s = desk.now_s()
            await look(desk)
        if seen.counted_s < JUDGED_S:
            continue
        rate, seen = seen.clicks / seen.counted_s, NOTHING
        usual = rate if usual is None else usual
        if rate < LOST_SHARE * usual or _due(desk, cared_s):
            locked, cared_s, usual = await _found_again(desk, locked), desk.now_s(), None


def _due(desk: Desk, cared_s: float) -> bool:
    now = desk.news.latest
    may = now.tracking and desk.now_s() >= now.hold_off_until_s
    return may and desk.now_s() - cared_s > CARE_EVERY_S


async def _found_again(desk: Desk, locked: Locked) -> Locked:
    """Its peak, from where it last was."""
    desk.news.publish(busy=desk.news.latest.busy | Busy.CALIBRATING)
    try:
        found = await desk.probe.perform(centre(locked.peak.at, Centring()))
    finally:
        desk.news.publish(busy=desk.news.latest.busy & ~Busy.CALIBRATING)
    if found.doubt:
        raise failure(desk, locked.site, found.doubt)
    await desk.probe.go(found.peak.at)
    point(desk, found)
    desk.locked = Locked(locked.site, found.peak)
    return desk.locked
