"""A stranger's client: lines to a device's wire in memory, and nothing of ours behind them."""

import asyncio
import zlib

from hil.ports import MemoryPort
from hil.rig import MemoryRig

GONE = b"<the wire is cut>"


class Lines:
    """Says a line, hears lines."""

    def __init__(self, rig: MemoryRig, name: str, ends: str = "\n") -> None:
        self._ends = ends.encode()
        port = rig.wires[name].port
        assert isinstance(port, MemoryPort)
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._rest = b""
        self._end = port.connect(self._hear, lambda: self._heard.put_nowait(GONE))

    def tell(self, line: str) -> None:
        self._end.write(line.encode() + self._ends)

    async def ask(self, line: str) -> str:
        self.tell(line)
        async with asyncio.timeout(5):
            return (await self._heard.get()).decode().strip()

    def hang_up(self) -> None:
        self._end.close()

    def _hear(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._heard.put_nowait(line)


class Board(Lines):
    """The board wants a checksum on whatever moves or lights something."""

    def __init__(self, rig: MemoryRig) -> None:
        super().__init__(rig, "board")

    async def order(self, line: str) -> None:
        self.tell(f"{line} *{zlib.crc32(line.encode()):08X}")
        assert (await self.ask("SYST:ERR?")).startswith("0,"), line
