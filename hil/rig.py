"""Emulators and wires on one side, the controller on the other, joined by real transports.

The one file of the rig that knows the product: it starts it through the product's own
configuration and front door, and reads nothing of its inside.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from controller.application import Whereabouts, serve
from controller.config import Config, parse
from hil.emulators.pi_gcs import PiGcs
from hil.emulators.pi_gcs_models import E727
from hil.eventlog import EventLog
from hil.ports import MemoryPort, PtyPort
from hil.wires import Manners, Port, Wire
from optics.transports import Opener, memory_opener


class Rig:
    """The emulated rack, powered up."""

    def __init__(self, seed: int, manners: Manners, stage_port: Port, scpi_inside: str) -> None:
        clock = asyncio.get_running_loop().time
        self.log = EventLog(clock)
        self.stage = PiGcs(E727, clock, seed)
        self.stage_wire = Wire("stage", stage_port, self.stage, seed, manners, self.log)
        self.in_memory: dict[str, Opener] = {}
        self._scpi_inside = scpi_inside

    def config(self, scpi_port: int, **stage: Any) -> Config:
        """What a controller must be told to find this rig."""
        table = {
            "stage": {"address": self.stage_wire.port.address, **stage},
            "source": {"serial": "rig", "emulated": True},
            "scpi": {"port": scpi_port, "serial": self._scpi_inside},
        }
        return parse(table, "the rig's configuration")

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


class WiredRig(Rig):
    """Pseudo-terminals in a folder of its own, so that several rigs never meet."""

    def __init__(self, seed: int, manners: Manners) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="gansource-rig-"))
        self._inside = PtyPort(self._folder / "scpi-inside")
        self._outside = PtyPort(self._folder / "scpi")
        self._inside.heard, self._outside.heard = self._outside.send, self._inside.send
        self.scpi_serial = str(self._outside.link)
        super().__init__(seed, manners, PtyPort(self._folder / "stage"), self._inside.address)

    async def __aenter__(self) -> "WiredRig":
        for port in (self._inside, self._outside, self.stage_wire.port):
            await port.open()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        for end in (self._inside, self._outside, self.stage_wire):
            end.close()
        await asyncio.to_thread(shutil.rmtree, self._folder)


class MemoryRig(Rig):
    """Everything in memory, for the jumping clock; `scpi_port` is the host's end."""

    def __init__(self, seed: int, manners: Manners) -> None:
        stage_port, self.scpi_port = MemoryPort("stage"), MemoryPort("scpi")
        super().__init__(seed, manners, stage_port, self.scpi_port.address)
        self.in_memory |= {
            "stage": memory_opener(stage_port.connect),
            "scpi": memory_opener(self.scpi_port.connect),
        }

    async def __aenter__(self) -> "MemoryRig":
        await self.stage_wire.port.open()
        await self.scpi_port.open()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self.stage_wire.close()
        self.scpi_port.close()
