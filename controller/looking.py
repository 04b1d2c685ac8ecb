"""Asking the devices how they are, in whatever state."""

import logging

from controller.desk import Desk
from controller.figures import Figure
from controller.limits import UNKNOWN, Readings, outside
from controller.states import IN_SERVICE, State
from controller.wishes import Tripped

log = logging.getLogger(__name__)

THERMOMETER_SIGMA_K = 0.1
MONITOR_SHARE = 0.005  # how well a laser's own photodiode reads


async def look(desk: Desk) -> None:
    """Ask the devices how they are, and tell; Tripped when the door opened, hands-on work apart."""
    await look_at_stage(desk)
    if desk.devices.board is None:
        return
    now_s = desk.now_s()
    mount_k, board_k = await desk.board.temperatures_k()
    told = {
        "mount": Figure(mount_k, THERMOMETER_SIGMA_K, now_s),
        "board": Figure(board_k, THERMOMETER_SIGMA_K, now_s),
    }
    closed = await desk.board.interlock_closed()
    desk.news.publish(temperatures_k=told, interlock_closed=closed)
    await judge(desk)
    if not closed and desk.news.latest.state not in IN_SERVICE:
        raise Tripped("the interlock is open")


async def look_at_stage(desk: Desk) -> None:
    position = await desk.devices.stage.position()
    desk.news.publish(position=position, position_at_s=desk.now_s())


async def look_and_count(desk: Desk) -> None:
    """The same, where nobody else takes the gates."""
    await look(desk)
    if desk.devices.board is not None:
        await desk.counter.fresh()


async def look_at_laser(desk: Desk) -> float:
    """What its monitor reads, in uW, and told."""
    reading_uw = (await desk.light.laser.status()).power_uw
    reading = Figure(reading_uw, MONITOR_SHARE * reading_uw, desk.now_s())
    desk.news.publish(power_uw=reading)
    return reading_uw


async def judge(desk: Desk, light: Readings = UNKNOWN) -> None:
    """Tell which limits are left; one that is left while emitting is another epoch, told first."""
    now = desk.news.latest
    mount = now.temperatures_k.get("mount")
    readings = light._replace(
        mount_k=mount.value if mount else None,
        g2_upper95=now.purity.upper95 if now.purity else None,
    )
    doubts = outside(readings, desk.config.limits, now.doubts)
    if doubts == now.doubts:
        return
    log.info("limits left: %s", doubts.name or "none")
    if doubts & ~now.doubts and now.state is State.EMITTING:
        await desk.archive.grow_epoch({})
    desk.news.publish(doubts=doubts)
