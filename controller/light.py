"""The pump on the chip: how strong, which way polarised, how wide; lit only inside `lit`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from controller.config import LaserConfig
from controller.hardware import Hardware
from controller.lease_keeper import LATE, LOST, End, LeaseKeeper
from controller.wishes import Tripped
from optics.devices import Board, Laser
from optics.faults import DeviceLost, DeviceRefused, DeviceStuck

log = logging.getLogger(__name__)

POLL_S = 0.05
SETTLED_SHARE, SETTLED_WITHIN_S = 0.03, 2.0
INTERLOCK = "INTERLOCK"  # the board's word for it
PASSING = {LATE, LOST, "EXPIRED", "WATCHDOG", "POWER", "CRASH"}  # the last four are the board's
FLOOR_UW = 5.0  # a monitor's reading of no light


class Light:
    """Remembers what was set, so that setting it again costs nothing."""

    def __init__(self, devices: Hardware, config: LaserConfig) -> None:
        self._devices, self._config = devices, config
        self._power_uw: float | None = None
        self._pump_rad: float | None = None
        self._wide: bool | None = None

    def forget(self) -> None:
        """The devices were away, and may stand otherwise."""
        self._power_uw = self._pump_rad = self._wide = None

    @property
    def board(self) -> Board:
        if self._devices.board is None:
            raise DeviceLost("board", "there is none")
        return self._devices.board

    @property
    def laser(self) -> Laser:
        if self._devices.laser is None:
            raise DeviceLost("laser", "there is none")
        return self._devices.laser

    @property
    def _keeper(self) -> LeaseKeeper:
        if self._devices.keeper is None:
            raise DeviceLost("board", "there is none")
        return self._devices.keeper

    async def check_interlock(self) -> None:
        """Tripped while the door is open."""
        if not await self.board.interlock_closed():
            raise Tripped("the interlock is open")

    async def set(
        self,
        power_uw: float | None = None,
        pump_rad: float | None = None,
        wide: bool | None = None,
    ) -> None:
        """Bring about what is named; returns once it is so."""
        if wide is not None and wide is not self._wide:
            await self.board.widen(wide=wide)
            self._wide = wide
        if pump_rad is not None and pump_rad != self._pump_rad:
            await self.board.polarise(pump_rad)
            self._pump_rad = pump_rad
        if power_uw is not None and power_uw != self._power_uw:
            self._power_uw = None
            await self.laser.set_power(power_uw)
            await self._power_settled(power_uw)
            self._power_uw = power_uw

    async def warm_up(self) -> None:
        """Let the laser emit behind the board's closed gate; Tripped when it will not."""
        loop = asyncio.get_running_loop()
        status = await self.laser.status()
        until_s = loop.time() + self._config.warm_within_s
        if not status.emitting:
            await self._switch_on()
        while not (status := await self.laser.status()).emitting:
            if loop.time() > until_s:
                raise DeviceStuck("laser", status.trouble or "does not get warm")
            await asyncio.sleep(POLL_S)

    async def _switch_on(self) -> None:
        try:
            await self.laser.switch(on=True)
        except DeviceRefused as refusal:
            raise Tripped(str(refusal)) from refusal

    async def _power_settled(self, power_uw: float) -> None:
        """By its own monitor; one that only wavers is left alone."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + SETTLED_WITHIN_S
        status = await self.laser.status()
        while loop.time() < until_s:
            off_uw = abs(status.power_uw - power_uw)
            if not status.emitting or off_uw <= SETTLED_SHARE * power_uw + FLOOR_UW:
                return
            await asyncio.sleep(POLL_S)
            status = await self.laser.status()
        log.warning("the laser gives %.0f uW where %.0f were asked", status.power_uw, power_uw)

    @asynccontextmanager
    async def lit(self) -> AsyncIterator[None]:
        """Light while the body runs; Tripped when the interlock or the laser ends it.

        An end that says nothing against the rack, such as a loop that came late to renew, is
        DeviceLost: dark, connect again, go on.
        """
        await self.warm_up()
        keeper = self._keeper
        try:
            await keeper.light()
            async with keeper.guarded():
                yield
        except DeviceRefused as refusal:
            await self._judge(keeper.ended, refusal)
            raise
        finally:
            await keeper.darken()

    @property
    def is_lit(self) -> bool:
        """Whether there is light, as far as is known."""
        keeper = self._devices.keeper
        return keeper is not None and keeper.lit

    async def kindle(self) -> None:
        """Light that stays, for whoever enters `lit` next; dark again where that fails."""
        await self.warm_up()
        try:
            await self._keeper.light()
        except DeviceRefused as refusal:
            await self._judge(self._keeper.ended, refusal)
            raise
        except asyncio.CancelledError:
            await self._keeper.darken()
            raise

    @asynccontextmanager
    async def shaded(self) -> AsyncIterator[None]:
        """No light for a moment, within `lit`."""
        await self._keeper.darken()
        try:
            yield
        finally:
            await self._keeper.light()

    async def extinguish(self) -> None:
        """Dark, where there still is light that nobody has entered."""
        if self.is_lit:
            await self._keeper.darken()

    async def _judge(self, ended: End | None, refusal: DeviceRefused) -> None:
        if ended is not None and ended.reason == INTERLOCK:
            raise Tripped("the interlock is open") from refusal
        await self.check_interlock()
        if ended is not None and ended.reason in PASSING:
            raise DeviceLost(refusal.device, refusal.detail) from refusal
