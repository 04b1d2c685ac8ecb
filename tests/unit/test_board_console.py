"""The console of a board without our firmware, played by a few lines; the real one is in accept."""

import ast
import asyncio
import hashlib
from collections.abc import Callable

import pytest

from optics.board_console import READY, BoardConsole
from optics.faults import DeviceFault, DeviceLost, DeviceRefused
from optics.transports import memory_opener

pytestmark = pytest.mark.clocks("jumping")

BOOT = {"main.py": b"pass\n" * 100, "slots.py": b"x", "uptime.py": b""}
GOES_WRONG = b"OK\x04Traceback\r\nOSError: 28\r\n\x04>"


class Console:
    """Keeps what is written in files, and answers as an interpreter does."""

    def __init__(self, arrived: Callable[[bytes], None]) -> None:
        self.files: dict[str, bytes] = {}
        self.reset = self.silent = self.full = self.forgetful = False
        self._arrived, self._open, self._name = arrived, b"", ""

    def write(self, data: bytes) -> None:
        if data.endswith(b"\x01") and not self.silent:
            self._arrived(b">>> \r\n" + READY)
        elif data.endswith(b"\x04") and not self.silent:
            self._arrived(GOES_WRONG if self.full else self._run(data[:-1].decode()))

    def close(self) -> None:
        """Nobody listens any more."""

    def _run(self, code: str) -> bytes:
        said = ""
        self.reset |= "machine.reset()" in code
        for line in code.splitlines():
            if line == "file = open('new', 'wb')":
                self._open = b""
            elif line.startswith("file.write"):
                self._open += bytes.fromhex(line.split("'")[1])
            elif line.startswith("os.rename"):
                self._name = ast.literal_eval(line.removeprefix("os.rename"))[1]
                self.files[self._name] = self._open[:-1] if self.forgetful else self._open
            elif line.startswith("print"):
                said = f"b'{hashlib.sha256(self.files[self._name]).hexdigest()}'\n"
        return f"OK{said}\x04\x04>".encode()


async def installed(**how: bool) -> Console:
    """What came of it on a console that is so."""
    made: list[Console] = []

    def connect(arrived: Callable[[bytes], None], _cut: Callable[[], None]) -> Console:
        made.append(Console(arrived))
        vars(made[0]).update(how)
        return made[0]

    console = BoardConsole(memory_opener(connect))
    try:
        await console.install(BOOT)
    finally:
        await console.aclose()
        await asyncio.sleep(0)
    return made[0]


async def test_every_file_is_written_as_it_is_and_main_last() -> None:
    console = await installed()
    assert console.files == BOOT
    assert list(console.files)[-1] == "main.py"
    assert console.reset


WRONG: list[tuple[str, type[DeviceFault], str]] = [
    ("silent", DeviceLost, "no MicroPython console"),
    ("full", DeviceRefused, "says OSError: 28"),
    ("forgetful", DeviceRefused, "another slots.py"),
]


@pytest.mark.parametrize(("how", "kind", "words"), WRONG)
async def test_what_goes_wrong_is_told(how: str, kind: type[DeviceFault], words: str) -> None:
    with pytest.raises(kind, match=words):
        await installed(**{how: True})
