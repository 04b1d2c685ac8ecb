"""CONNECTING: find the devices, take them into service, and know what can be done with them."""

import asyncio
import logging

from controller.arriving import arrived, called_off, side_by_side
from controller.desk import Desk
from controller.states import Event
from controller.wishes import Unable
from optics.faults import DeviceLost

log = logging.getLogger(__name__)


async def connect(desk: Desk, _target: object) -> Event:
    """All devices at once; BLANK where there is nothing to return to, nor to go on with."""
    desk.forget()
    desk.journey.begin(desk.now_s())
    tagger = asyncio.ensure_future(_tagger(desk))
    try:
        await side_by_side(_stage(desk), _light_and_sight(desk))
        if missing := desk.devices.missing:
            raise Unable(f"no {', no '.join(missing)} is configured: there can be no light")
        if tagger.done() or _was_missed(desk, "tagger"):
            await tagger
        else:
            desk.late.add("tagger")
    finally:
        await called_off(tagger)
    desk.journey.reached("devices", desk.now_s())
    unfinished = await desk.archive.open_survey()
    return Event.DONE if desk.archive.catalogue.usable or unfinished else Event.BLANK


async def _stage(desk: Desk) -> None:
    stage = desk.devices.stage
    identity = await arrived(desk, "stage")
    if await stage.reference():
        log.info("the stage had forgotten its zero and has found it")
    position = await stage.position()
    desk.news.publish(
        stage=identity, travel=stage.travel, position=position, position_at_s=desk.now_s()
    )


async def _light_and_sight(desk: Desk) -> None:
    """They are at work while the slowest, the stage, still starts."""
    names = [name for name in ("board", "laser", "camera") if getattr(desk.devices, name)]
    await side_by_side(*(arrived(desk, name) for name in names))
    if not desk.devices.missing:
        await _light(desk)
        await desk.eye.learn_sensor()


async def _light(desk: Desk) -> None:
    """Dark, counting, the laser warming; Tripped while the interlock is open."""
    keeper = desk.devices.keeper
    if keeper is None:
        raise DeviceLost("board", "there is none")
    keeper.acknowledge()
    closed = await desk.board.interlock_closed()
    desk.news.publish(interlock_closed=closed, power_range_uw=desk.light.laser.range_uw)
    await desk.light.check_interlock()
    await desk.board.offset(0.0, 0.0, 0.0)
    await desk.counter.set_gate(desk.config.board.gate_s)
    await desk.light.set(power_uw=desk.power_uw, pump_rad=0.0, wide=False)
    await desk.light.warm_up()


async def _tagger(desk: Desk) -> None:
    """Wanted only when an emitter is to be proven: so long it may take to come."""
    if desk.devices.tagger is not None:
        await arrived(desk, "tagger")


def _was_missed(desk: Desk, name: str) -> bool:
    """It was lost when it was wanted: this time it is waited for."""
    return getattr(desk.news.latest.fault, "device", "") == name
