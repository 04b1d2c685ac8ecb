"""Our I/O board in real time: its firmware, `main.py` included, in a real MicroPython.

The interpreter is a child process with its console on a pseudo-terminal, as the board's is on
USB, and its flash in a folder of its own. Its pins lead to the same chip as `io_board.py` uses.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import tty
from collections.abc import Callable, Mapping
from pathlib import Path

from hil.emulators.io_board_chip import Chip, World, darkness
from hil.emulators.io_board_flash import installed
from hil.emulators.io_board_wires import PinWires

ROOT = Path(__file__).parents[2]
MODULES = Path(__file__).with_name("io_board_modules")
"""Its `machine` and `rp2` come before those that are built in."""
HEAP = "192k"  # the RP2040's, though every object is twice as wide here
LOOK_EVERY_S = 0.25
RESTART_S = 0.5


def interpreter() -> str:
    """A MicroPython for this machine: beside our Python, or on the path."""
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if found is None:
        raise FileNotFoundError("no micropython: apt install micropython, or the test extra")
    return found


class IoBoardProcess:
    """As `IoBoard`, but it answers when it has something to say: through `said`."""

    def __init__(
        self,
        clock: Callable[[], float],
        source: Callable[[float, float, float], tuple[int, int, int]] = darkness,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self.world = World(clock, source)
        self.said: Callable[[bytes], None] = lambda _data: None
        self.present: Callable[[bool], None] = lambda _there: None
        self.complaints = b""  # what the interpreter wrote to its standard error
        self._files = installed() if files is None else files
        self.folder = Path()  # its flash
        self._child: asyncio.subprocess.Process | None = None
        self._living: asyncio.Task[None] | None = None
        self._master = -1
        self._cause = Chip.PWRON_RESET  # of the next life

    async def power_on(self) -> None:
        self.folder = await asyncio.to_thread(_filled, self._files)
        self._living = asyncio.create_task(self._live(), name="the board's lives")

    async def power_off(self) -> None:
        """Also the end of the emulation: no process and no folder is left."""
        if self._living is not None:
            self._living.cancel()
            await asyncio.wait({self._living})
            self._living = None
        await asyncio.to_thread(shutil.rmtree, self.folder)

    def set_interlock(self, *, closed: bool) -> None:
        self.world.interlock_closed = closed

    def power_cycle(self) -> None:
        """Off and on again, at once; what was being written is cut short."""
        self._cause = Chip.PWRON_RESET
        if self._child is not None and self._child.returncode is None:
            self._child.kill()

    def freeze(self) -> None:
        """The processor stands still; only the watchdog helps."""
        if self._child is not None:
            self._child.send_signal(signal.SIGSTOP)

    def receive(self, data: bytes) -> bytes:
        """Hand over what arrived; the answer comes later, through `said`."""
        if self._master >= 0:
            os.write(self._master, data)
        return b""

    async def _live(self) -> None:
        """One life after the other, until the power is off for good."""
        while True:
            cause, self._cause = self._cause, Chip.WDT_RESET
            await self._life(Chip(self.world, cause))
            await asyncio.sleep(RESTART_S)

    async def _life(self, chip: Chip) -> None:
        """From a reset to the next one."""
        loop, wires = asyncio.get_running_loop(), PinWires(chip)
        self._master, slave = os.openpty()
        tty.setraw(slave)
        loop.add_reader(self._master, self._readable)
        self._child = await asyncio.create_subprocess_exec(
            *(interpreter(), "-X", f"heapsize={HEAP}"),
            *await asyncio.to_thread(_program, self.folder),
            cwd=self.folder,
            env={"MICROPYPATH": f"{MODULES}:{ROOT}", "RIG_FD": str(wires.theirs.fileno())},
            pass_fds=[wires.theirs.fileno()],
            stdin=slave,
            stdout=slave,
            stderr=asyncio.subprocess.PIPE,
        )
        self.present(True)
        try:
            await self._until_over(self._child, chip)
        finally:
            self.present(False)
            self._hang_up(slave)
            wires.close()
            chip.stop()

    async def _until_over(self, child: asyncio.subprocess.Process, chip: Chip) -> None:
        """Wait for a reset, by the firmware or by the watchdog."""
        ended = asyncio.create_task(child.communicate())
        try:
            while not ended.done() and not chip.overdue():
                await asyncio.wait({ended}, timeout=LOOK_EVERY_S)
        finally:
            if child.returncode is None:
                child.kill()
            _, complaints = await ended
            self.complaints += complaints

    def _hang_up(self, slave: int) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(slave)
        self._master, self._child = -1, None

    def _readable(self) -> None:
        self.said(os.read(self._master, 4096))


def _program(flash: Path) -> list[str]:
    """What it starts with; without any it is a console, as a board is."""
    return ["main.py"] if (flash / "main.py").exists() else []


def _filled(files: Mapping[str, bytes]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gansource-board-"))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return folder
