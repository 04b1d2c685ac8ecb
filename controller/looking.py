"""Asking the devices how they are, in whatever state."""

from controller.desk import Desk
from controller.figures import Figure
from controller.states import IN_SERVICE
from controller.wishes import Tripped

THERMOMETER_SIGMA_K = 0.1


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
    await desk.counter.fresh()
    if not closed and desk.news.latest.state not in IN_SERVICE:
        raise Tripped("the interlock is open")


async def look_at_stage(desk: Desk) -> None:
    position = await desk.devices.stage.position()
    desk.news.publish(position=position, position_at_s=desk.now_s())
