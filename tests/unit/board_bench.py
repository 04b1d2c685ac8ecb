"""The I/O board on the bench: its real firmware, a wire in memory, and the product's driver."""

import asyncio
from collections.abc import Mapping

from hil.emulators.io_board import IoBoard as Emulator
from hil.eventlog import EventLog
from hil.ports import MemoryPort
from hil.wires import Manners, Wire
from optics.io_board import IoBoard, IoBoardSettings
from optics.link import Patience
from optics.transports import memory_opener

SETTINGS = IoBoardSettings(
    um_per_code=(1e-4, -1e-4, 2e-4), codes_per_rad=10_000.0, port="/dev/board"
)
TOO_FAST, BEGUN_S = 5e-5, 1234.5  # of the board's crystal; its clock when the loop's began


class Bench:
    """An emulated board, powered up, with its door shut, and the driver plugged into it."""

    def __init__(
        self,
        seed: int,
        files: Mapping[str, bytes] | None = None,
        *,
        too_fast: float = TOO_FAST,
        begun_s: float = BEGUN_S,
    ) -> None:
        time = asyncio.get_running_loop().time
        self.port = MemoryPort("board")
        self.emulator = Emulator(lambda: time() * (1 + too_fast) + begun_s, files=files)
        self.wire = Wire("board", self.port, self.emulator, seed, Manners(), EventLog(time))
        self.board = IoBoard(memory_opener(self.port.connect), SETTINGS, Patience())

    def lit(self) -> bool:
        return self.emulator.world.laser_on

    async def start(self) -> None:
        await self.port.open()
        self.emulator.power_on()
        self.emulator.set_interlock(closed=True)
        await asyncio.sleep(0.2)

    async def stop(self) -> None:
        await self.board.aclose()
        self.wire.close()
        self.emulator.power_off()
