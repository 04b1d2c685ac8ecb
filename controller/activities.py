"""What each state does: one coroutine each, told where to go when there is somewhere to go."""

import asyncio
import contextlib
import logging

from controller.hardware import Hardware
from controller.snapshot import Newsstand
from controller.states import State
from controller.supervisor import Activity
from optics.faults import DeviceFault
from optics.quantities import StagePoint

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
"""How often the stage is asked where it stands; also how soon a cut cable is noticed."""
REST_S = 0.2
"""Pause before devices are tried again, on top of what a link adds after failures."""


class Activities:
    """The work of the states, on the devices, published as it goes."""

    def __init__(self, hardware: Hardware, news: Newsstand) -> None:
        self._stage, self._news = hardware.stage, news
        self.by_state: dict[State, Activity] = {
            State.CONNECTING: self.connect,
            State.READY: self.watch,
            State.SERVICE: self.watch,
            State.MOVING: self.move,
            State.SAFE: self.rest,
        }

    async def connect(self, _target: StagePoint | None) -> None:
        """Find the devices and take them into service."""
        identity = await self._stage.connect()
        if await self._stage.reference():
            log.info("the stage had forgotten its zero and has found it")
        log.info("stage %s %s, firmware %s", identity.model, identity.serial, identity.firmware)
        self._news.publish(stage=identity, travel=self._stage.travel)
        await self._look()

    async def watch(self, _target: StagePoint | None) -> None:
        """Hold still and keep an eye on it."""
        while True:
            await self._look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def move(self, target: StagePoint | None) -> None:
        """Go there, saying on the way where; called off or failed, stop and say where."""
        if target is None:
            raise TypeError("nobody said where to")
        moving = asyncio.create_task(self._stage.move_to(target))
        try:
            while not (await asyncio.wait({moving}, timeout=LOOK_EVERY_S))[0]:
                await self._look()
            moving.result()
            await self._look()
        except (asyncio.CancelledError, DeviceFault):
            moving.cancel()
            with contextlib.suppress(DeviceFault):
                await self._stage.halt()
                await self._look()  # whoever called it off will ask where it stopped
            raise
        finally:
            moving.cancel()
            await asyncio.gather(moving, return_exceptions=True)

    async def rest(self, _target: StagePoint | None) -> None:
        """Nothing is known and nothing is done, for a while."""
        self._news.publish(position=None)
        await asyncio.sleep(REST_S)

    async def _look(self) -> None:
        position = await self._stage.position()
        now_s = asyncio.get_running_loop().time()
        self._news.publish(position=position, position_at_s=now_s)
