"""CONNECTING: find the devices, take them into service, and know what can be done with them."""

import logging

from controller.desk import Desk
from controller.states import Event
from controller.wishes import Unable
from mapping.catalogue import SiteState
from optics.devices import Identity
from optics.faults import DeviceLost

log = logging.getLogger(__name__)


async def connect(desk: Desk, _target: object) -> Event:
    """Devices in the order in which they matter; BLANK where there is nothing to return to."""
    desk.forget()
    await _stage(desk)
    for name in ("board", "laser", "camera", "tagger"):
        device = getattr(desk.devices, name)
        if device is not None:
            _welcome(name, await device.connect())
    if missing := desk.devices.missing:
        raise Unable(f"no {', no '.join(missing)} is configured: there can be no light")
    await _light(desk)
    await desk.eye.learn_sensor()
    states = (SiteState.ACTIVE, SiteState.RESERVE)
    return Event.DONE if desk.archive.catalogue.of_state(*states) else Event.BLANK


async def _stage(desk: Desk) -> None:
    stage = desk.devices.stage
    identity = await stage.connect()
    if await stage.reference():
        log.info("the stage had forgotten its zero and has found it")
    _welcome("stage", identity)
    position = await stage.position()
    desk.news.publish(
        stage=identity, travel=stage.travel, position=position, position_at_s=desk.now_s()
    )


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


def _welcome(name: str, identity: Identity) -> None:
    log.info("%s %s %s, firmware %s", name, identity.model, identity.serial, identity.firmware)
