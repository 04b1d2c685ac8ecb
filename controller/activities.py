"""What each state does: one coroutine each; those that hold still are here."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

from controller.connecting import connect
from controller.desk import Desk
from controller.emitting import emit, stand_ready
from controller.locking import lock
from controller.looking import look_and_count, look_at_stage
from controller.recovering import recover
from controller.registering import register
from controller.states import Event, State
from controller.supervisor import Activity
from controller.surveying import survey
from controller.verifying import verify
from optics.faults import DeviceFault
from optics.quantities import StagePoint

LOOK_EVERY_S = 0.1
"""How often the devices are asked how they are; also how soon a cut cable is noticed."""
REST_S = 0.2
"""Pause before devices are tried again, on top of what a link adds after failures."""
TRY_AGAIN_S = 600.0
"""How long a degraded rack with all its devices waits before it looks at the chip once more."""

Work = Callable[[Desk, object], Awaitable[Event | None]]


def activities(desk: Desk) -> dict[State, Activity]:
    """Of every state, at this desk."""
    work: dict[State, Work] = {
        State.CONNECTING: connect,
        State.SURVEYING: survey,
        State.REGISTERING: register,
        State.LOCKING: lock,
        State.VERIFYING: verify,
        State.READY: stand_ready,
        State.EMITTING: emit,
        State.RECOVERING: recover,
        State.DEGRADED: wait_degraded,
        State.SERVICE: watch,
        State.MOVING: move,
        State.SAFE: rest,
        State.LATCHED: stay_dark,
    }
    return {state: partial(_perform, desk, state, act) for state, act in work.items()}


async def _perform(desk: Desk, state: State, act: Work, target: object) -> Event | None:
    """In the dark but where light goes on: a wish may have come after READY had lit it."""
    if state is not State.EMITTING:
        await desk.light.extinguish()
    return await act(desk, target)


async def watch(desk: Desk, _target: object) -> None:
    """Hold still and keep an eye on it."""
    if desk.devices.board is not None:
        await desk.probe.release()
    desk.stage_moves()
    while True:
        await look_and_count(desk)
        await asyncio.sleep(LOOK_EVERY_S)


async def wait_degraded(desk: Desk, _target: object) -> Event:
    """Until somebody helps, or for a while where trying again may."""
    until_s = desk.now_s() + TRY_AGAIN_S
    while desk.devices.missing or desk.now_s() < until_s:
        await look_and_count(desk)
        await asyncio.sleep(LOOK_EVERY_S)
    return Event.DONE


async def move(desk: Desk, target: object) -> None:
    """Go there, saying on the way where; called off or failed, stop and say where."""
    if not isinstance(target, StagePoint):
        raise TypeError("nobody said where to")
    stage = desk.devices.stage
    moving = asyncio.create_task(stage.move_to(target))
    try:
        while not (await asyncio.wait({moving}, timeout=LOOK_EVERY_S))[0]:
            await look_at_stage(desk)
        moving.result()
        await look_at_stage(desk)
    except (asyncio.CancelledError, DeviceFault):
        moving.cancel()
        with contextlib.suppress(DeviceFault):
            await stage.halt()
            await look_at_stage(desk)  # whoever called it off will ask where it stopped
        raise
    finally:
        moving.cancel()
        await asyncio.gather(moving, return_exceptions=True)


async def rest(desk: Desk, _target: object) -> None:
    """Nothing is known and nothing is done, for a while."""
    desk.news.publish(position=None, interlock_closed=None)
    await asyncio.sleep(REST_S)


async def stay_dark(desk: Desk, _target: object) -> None:
    """Until the interlock is closed again, where that is enough; a device that is gone can wait."""
    while True:
        with contextlib.suppress(DeviceFault):
            closed = await desk.board.interlock_closed()
            desk.news.publish(interlock_closed=closed)
            if closed and desk.config.board.interlock_heals and await _laser_will(desk):
                return
        await asyncio.sleep(LOOK_EVERY_S)


async def _laser_will(desk: Desk) -> bool:
    """Whether nothing but warmth keeps it dark; what the open interlock left behind is cleared."""
    status = await desk.light.laser.status()
    if status.left_by_interlock:
        await desk.light.laser.clear()
        status = await desk.light.laser.status()
    return status.ready or status.trouble in ("", "warming up", "emission delay")
