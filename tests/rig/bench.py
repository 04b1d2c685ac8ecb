"""A powered rig with the whole controller on it, and the host's end of its SCPI lines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from hil.clock import JumpingLoop
from hil.hosts import Host, MemoryHost, StreamHost
from hil.rig import MemoryRig, Rig, WiredRig
from hil.wires import Manners


class Bench:
    """The rig, the running controller's whereabouts, and a host."""

    def __init__(self, rig: Rig, host: Host, tcp_address: str) -> None:
        self.rig, self.host, self.tcp_address = rig, host, tcp_address
        self.ask, self.tell = host.ask, host.tell

    async def reach(self, state: str, within_s: float = 30.0) -> None:
        """Poll as a customer would, until the controller says that it is there."""
        async with asyncio.timeout(within_s):
            while await self.ask("SOUR:STAT?") != state:
                await asyncio.sleep(0.01)

    async def settle(self) -> None:
        """Until a rack with nothing but its stage is connected, and says what it lacks."""
        await self.reach("DEGRADED")

    async def serve(self) -> None:
        await self.settle()
        assert await self.ask("SYST:SERV ON;SERV?") == "1"

    async def move(self, x_um: float, y_um: float, z_um: float) -> None:
        """Go there and wait; errors are left in the queue."""
        assert await self.ask(f"STAG:POS {x_um}UM,{y_um}UM,{z_um}UM;*OPC?") == "1"

    async def stands_at_um(self) -> list[float]:
        """What the controller says of the stage."""
        return [float(m) * 1e6 for m in (await self.ask("STAG:POS?")).split(",")]

    async def errors(self) -> str:
        return await self.ask("SYST:ERR:ALL?")


STAGE_ALONE = {name: {"address": ""} for name in ("board", "laser", "camera", "tagger")}


@asynccontextmanager
async def powered(data: Path, seed: int, manners: Manners | None = None) -> AsyncIterator[Bench]:
    """Rig and a controller that knows of its stage alone, on the running loop's kind of wires."""
    jumping = isinstance(asyncio.get_running_loop(), JumpingLoop)
    async with AsyncExitStack() as stack:
        if jumping:
            memory = await stack.enter_async_context(MemoryRig(seed, manners or Manners()))
            config = memory.config(scpi_port=-1, **STAGE_ALONE)
            host = MemoryHost(memory.scpi_port)
            await stack.enter_async_context(memory.controller(data, config))
            while not memory.scpi_port.connected:
                await asyncio.sleep(0.01)
            yield Bench(memory, host, "")
        else:
            wired = await stack.enter_async_context(WiredRig(seed, manners or Manners()))
            config = wired.config(scpi_port=0, **STAGE_ALONE)
            found = await stack.enter_async_context(wired.controller(data, config))
            yield Bench(wired, await tcp_host(stack, found.scpi_tcp), found.scpi_tcp)


async def tcp_host(stack: AsyncExitStack, address: str) -> StreamHost:
    name, _, port = address.rpartition(":")
    host = StreamHost(*await asyncio.open_connection(name, int(port)))
    stack.push_async_callback(host.aclose)
    return host
