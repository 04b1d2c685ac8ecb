"""An emulated laser with its driver plugged into it, of either kind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from hil.emulators.cobolt import FINE, MLD_HEAD, Cobolt
from hil.emulators.laser_head import HeadNature
from hil.emulators.obis import LX_HEAD, Obis, ObisModel
from hil.emulators.serial_laser import SerialLaser
from optics.cobolt_laser import CoboltLaser
from optics.devices import Laser, LaserStatus
from optics.link import Patience
from optics.obis_laser import ObisLaser
from optics.transports import Opener
from tests.plugged import connected_at_last, plugged_in

SET_UW = 1_300.0
PATIENCE = Patience(reply_s=0.2, open_s=0.4, longest_pause_s=0.2)
DRIVERS: Mapping[str, Callable[[Opener, Patience], Laser]] = {
    "cobolt": CoboltLaser,
    "obis": ObisLaser,
}


class Bench:
    """A laser that is warm within a fifth of a second, its driver, and what left it so far."""

    def __init__(self, kind: str, seed: int) -> None:
        self.light: list[tuple[float, float]] = []
        clock = asyncio.get_running_loop().time
        self.unit: SerialLaser = (
            Cobolt(replace(FINE, head=_quick(MLD_HEAD)), clock, seed, self._shine)
            if kind == "cobolt"
            else Obis(ObisModel(head=_quick(LX_HEAD)), clock, seed, self._shine)
        )
        self._driver = DRIVERS[kind]

    @asynccontextmanager
    async def on_its_wire(self, seed: int) -> AsyncIterator["Bench"]:
        async with plugged_in("laser", self.unit, seed) as (self.wire, opener):
            self.laser = self._driver(opener, PATIENCE)
            await self.reconnect()
            yield self
            await self.laser.aclose()

    @property
    def output_uw(self) -> float:
        """By the emulator's own word, which is what reaches the world."""
        return self.light[-1][1] if self.light else 0.0

    async def reconnect(self) -> None:
        await connected_at_last(self.laser)

    async def emit(self) -> None:
        await self.laser.set_power(SET_UW)
        await self.laser.switch(on=True)
        await self.until(lambda now: now.emitting)

    async def until(self, holds: Callable[[LaserStatus], bool]) -> LaserStatus:
        async with asyncio.timeout(20):
            while not holds(now := await self.laser.status()):
                await asyncio.sleep(0.01)
        return now

    def _shine(self, at_s: float, power_uw: float) -> None:
        self.light.append((at_s, power_uw))


def _quick(head: HeadNature) -> HeadNature:
    return replace(head, boot_s=0.1, warm_up_s=0.1, emission_delay_s=0.0)
