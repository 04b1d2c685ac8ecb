"""All drivers of a rack in talk with the rig, each at random and for ever, whatever happens."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from controller.hardware import Hardware, build
from hil.rig import MemoryRig
from optics.faults import DeviceFault, DeviceRefused
from optics.quantities import StagePoint

Say = Callable[[Any, random.Random], Awaitable[object]]
PATIENCE_S = 90.0
"""With one exchange of a driver: more than all its own limits together."""
LONG_GATE_S = 0.2
"""Each gate is a turn of the board's firmware, which is most of what a script costs."""


async def to_the_stage(stage: Any, rng: random.Random) -> None:
    match rng.randrange(4):
        case 0:
            await stage.halt()
        case 1 | 2:
            await stage.position()
        case _:
            await stage.move_to(StagePoint(*(rng.uniform(90.0, 110.0) for _ in "xyz")))


async def to_the_board(board: Any, rng: random.Random) -> None:
    match rng.randrange(7):
        case 0:
            await board.light()
            await asyncio.sleep(rng.uniform(0.0, 0.2))
            await board.renew()
        case 1:
            await board.darken()
        case 2:
            await board.offset(*(rng.uniform(-4.0, 4.0) for _ in "xyz"))
        case 3:
            await board.widen(wide=rng.random() < 0.5)
        case 4:
            await board.set_gate(rng.choice((0.05, LONG_GATE_S)))
        case 5:
            await board.temperatures_k()
        case _:
            await board.gates()


async def to_the_laser(laser: Any, rng: random.Random) -> None:
    match rng.randrange(4):
        case 0:
            await laser.set_power(rng.uniform(100.0, 2000.0))
        case 1:
            with suppress(DeviceRefused):
                await laser.clear()
        case 2:
            await laser.switch(on=True)
        case _:
            await laser.status()


async def to_the_camera(camera: Any, rng: random.Random) -> None:
    await camera.frame(rng.uniform(1e-3, 0.05))


async def to_the_tagger(tagger: Any, rng: random.Random) -> None:
    await (tagger.tags(rng.uniform(1e-3, 0.05)) if rng.random() < 0.5 else tagger.rates_cps())


SAYINGS: dict[str, Say] = {
    "stage": to_the_stage,
    "board": to_the_board,
    "laser": to_the_laser,
    "camera": to_the_camera,
    "tagger": to_the_tagger,
}


class Talkers:
    """The drivers as the controller has them, and a task in talk with each."""

    def __init__(self, rig: MemoryRig, seed: int) -> None:
        self.defects: list[str] = []
        self._rig, self._rng = rig, random.Random(f"{seed} talk")
        self._silent: set[str] | None = None  # whose last word is still to come
        self._lives: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """A new life, with drivers that know nothing of the last one."""
        config = self._rig.config(scpi_port=-1, stage={"settle_within_s": 0.3})
        hardware = build(config, self._rig.in_memory, inline)
        self._lives.append(asyncio.create_task(self._live(hardware)))

    def die(self) -> None:
        """At once, in the middle of whatever it is."""
        for life in self._lives:
            life.cancel()

    async def aclose(self) -> None:
        self.die()
        await asyncio.gather(*self._lives, return_exceptions=True)

    async def last_words(self, within_s: float) -> list[str]:
        """Each talks until its device has answered once more; which did not by then."""
        self._silent = set(SAYINGS)
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*self._lives, return_exceptions=True)
        return [f"the {name} stays silent" for name in sorted(self._silent)]

    async def _live(self, hardware: Hardware) -> None:
        try:
            await asyncio.gather(*(self._talk(name, getattr(hardware, name)) for name in SAYINGS))
        finally:
            await hardware.aclose()

    async def _talk(self, name: str, device: Any) -> None:
        """Connects again after whatever a driver may raise; anything else is a defect."""
        while self._silent is None or name in self._silent:
            try:
                await self._converse(name, device)
            except DeviceFault:
                await asyncio.sleep(0.05)
            except Exception as err:  # noqa: BLE001 - each is told with the script that made it
                self.defects.append(f"{name}'s driver: {type(err).__name__}: {err}")
                await asyncio.sleep(0.05)

    async def _converse(self, name: str, device: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await device.connect()
            if name == "board":
                await device.set_gate(LONG_GATE_S)
        while self._silent is None or name in self._silent:
            await asyncio.sleep(self._rng.uniform(0.0, 0.3))
            last = self._silent is not None
            async with asyncio.timeout(PATIENCE_S):
                await SAYINGS[name](device, self._rng)
            if last and self._silent is not None:
                self._silent.discard(name)


async def inline(function: Callable[..., Any], *args: Any) -> Any:
    """As the jumping loop does it."""
    return function(*args)
