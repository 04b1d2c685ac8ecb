"""An emulator on a wire, and what opens it, on whatever clock the test runs."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from hil.clock import JumpingLoop
from hil.eventlog import EventLog
from hil.ports import MemoryPort, PtyPort, TcpPort
from hil.wires import Emulator, Manners, Port, Wire
from optics.devices import Identity
from optics.faults import DeviceFault
from optics.transports import Opener, memory_opener, opener_for


class Device(Protocol):
    """Any driver."""

    async def connect(self) -> Identity:
        """As of every shape."""


@asynccontextmanager
async def plugged_in(
    name: str, emulator: Emulator, seed: int, manners: Manners | None = None, *, tcp: bool = False
) -> AsyncIterator[tuple[Wire, Opener]]:
    """In memory when the clock jumps, else on a pseudo-terminal or on TCP."""
    if isinstance(asyncio.get_running_loop(), JumpingLoop):
        memory = MemoryPort(name)
        async with _wired(name, memory, emulator, seed, manners) as wire:
            yield wire, memory_opener(memory.connect)
        return
    if tcp:
        socket = TcpPort()
        async with _wired(name, socket, emulator, seed, manners) as wire:
            yield wire, opener_for(socket.address, {})
        await asyncio.sleep(0.01)  # lets the accepted sockets close
        return
    folder = Path(tempfile.mkdtemp(prefix="gansource-test-"))
    port = PtyPort(folder / name)
    async with _wired(name, port, emulator, seed, manners) as wire:
        yield wire, opener_for(port.address, {})
    await asyncio.to_thread(shutil.rmtree, folder)


@asynccontextmanager
async def _wired(
    name: str, port: Port, emulator: Emulator, seed: int, manners: Manners | None
) -> AsyncIterator[Wire]:
    log = EventLog(asyncio.get_running_loop().time)
    wire = Wire(name, port, emulator, seed, manners or Manners(), log)
    await port.open()
    try:
        yield wire
    finally:
        wire.close()


async def connected_at_last(device: Device) -> None:
    """Try as the controller does, until it is there."""
    async with asyncio.timeout(20):
        while not await _connected(device):
            continue


async def _connected(device: Device) -> bool:
    try:
        await device.connect()
    except DeviceFault:
        return False
    return True
