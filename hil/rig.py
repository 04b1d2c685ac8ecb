"""Rack and wires on one side, the controller on the other, joined by real transports.

The one file of the rig that knows the product: it starts it through the product's own
configuration and front door, and reads nothing of its inside.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from controller.application import Whereabouts, serve
from controller.config import Config
from hil.eventlog import EventLog
from hil.host_line import HostLine
from hil.introduction import introduced
from hil.nature import WorldNature
from hil.ports import MemoryPort, PtyPort, TcpPort
from hil.rack import Rack
from hil.wires import Manners, Port, Wire
from optics.transports import Opener, memory_opener

BY_NETWORK = frozenset({"camera", "tagger", "tagger-link", "tagger-1", "tagger-2"})
"""Wires that are TCP; the others are serial lines."""
FOLDER_PREFIX = "gansource-rig-"
"""Of the folders that rigs lie in; the number of the process follows."""


def _since(loop: asyncio.AbstractEventLoop, began_s: float) -> float:
    return loop.time() - began_s


class Rig:
    """The emulated rack, and a wire from each of its devices."""

    def __init__(
        self,
        seed: int,
        manners: Manners,
        nature: WorldNature,
        port: Callable[[str], Port],
        scpi_inside: str,
        gige: str = "",
    ) -> None:
        """`gige`: the address of a GigE Vision camera, which has no wire of ours."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        self.clock: Callable[[], float] = partial(_since, loop, began_s) if began_s else loop.time
        self.log = EventLog(self.clock)
        self.rack = Rack(nature, seed, self.clock, gige)
        self._gige = {"camera": f"aravis://{gige}"} if gige else {}
        self.wires = {
            name: Wire(name, port(name), end, seed, manners, self.log)
            for name, end in self.rack.ends.items()
        }
        self.rack.board.present = self.wires["board"].present
        self.in_memory: dict[str, Opener] = {}
        self._scpi_inside = scpi_inside

    def config(self, scpi_port: int, **changes: Mapping[str, Any]) -> Config:
        """What a controller must be told to find this rig; `changes` by section."""
        return introduced(
            self.addresses, scpi_port, self._scpi_inside, changes, self.rack.world.nature
        )

    @property
    def addresses(self) -> dict[str, str]:
        """Where each device is found."""
        return {name: wire.port.address for name, wire in self.wires.items()} | self._gige

    async def power_up(self) -> None:
        """Plug in every cable and switch the rack on."""
        for wire in self.wires.values():
            await wire.port.open()
        self.rack.power_on()

    def power_down(self) -> None:
        """The end of the emulation."""
        self.rack.power_off()
        for wire in self.wires.values():
            wire.close()

    @asynccontextmanager
    async def controller(self, data: Path, config: Config) -> AsyncIterator[Whereabouts]:
        """The whole controller in this loop, from its start to its clean stop."""
        stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
        running = asyncio.create_task(
            serve(config, data, stop, ready.set_result, self.in_memory), name="controller"
        )
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if ready.done():
                yield ready.result()
        finally:
            stop.set()
            await running


CELLS_AT_ONCE = 64
"""With 1,024 the loop stood still for 0.2 to 0.3 s, and the board's watchdog put the light out."""


class WiredRig(Rig):
    """Pseudo-terminals in a folder of its own, so that several rigs never meet, and free ports."""

    def __init__(
        self, seed: int, manners: Manners, nature: WorldNature | None = None, gige: str = ""
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-"))
        self._line = HostLine(self.folder)
        self.scpi_serial = self._line.path
        nature = nature or WorldNature()
        super().__init__(seed, manners, nature, self._port, self._line.address, gige)
        self.rack.world.look_ahead(CELLS_AT_ONCE)

    def _port(self, name: str) -> Port:
        return TcpPort() if name in BY_NETWORK else PtyPort(self.folder / name)

    async def __aenter__(self) -> "WiredRig":
        await self._line.open()
        await self.power_up()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self.power_down()
        self._line.close()
        await asyncio.to_thread(shutil.rmtree, self.folder)


class MemoryRig(Rig):
    """Everything in memory, for the jumping clock; `scpi_port` is the host's end."""

    def __init__(self, seed: int, manners: Manners, nature: WorldNature | None = None) -> None:
        self.scpi_port, self._ports = MemoryPort("scpi"), dict[str, MemoryPort]()
        nature = nature or WorldNature()
        super().__init__(seed, manners, nature, self._port, self.scpi_port.address)
        every = {"scpi": self.scpi_port, **self._ports}
        self.in_memory |= {name: memory_opener(port.connect) for name, port in every.items()}

    def _port(self, name: str) -> Port:
        return self._ports.setdefault(name, MemoryPort(name))

    async def __aenter__(self) -> "MemoryRig":
        await self.scpi_port.open()
        await self.power_up()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self.power_down()
        self.scpi_port.close()
