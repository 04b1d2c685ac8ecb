"""`gansource flash` on a board that is a real MicroPython behind a pseudo-terminal."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hil.emulators.io_board_process import IoBoardProcess
from hil.ports import PtyPort
from tests.boards.host import VERSION, VERSION_LINE

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "boards" / "io_board"


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


class Shop:
    """A board on a port that vanishes with it, and the command."""

    def __init__(self, port: PtyPort) -> None:
        self.port = port
        self.board = IoBoardProcess(asyncio.get_running_loop().time)
        self.board.said, port.heard = port.send, self._heard
        self.board.present = self._seen
        self._up = asyncio.Event()

    async def start(self) -> None:
        await self.board.power_on()
        await self._up.wait()

    async def stop(self) -> None:
        await self.board.power_off()

    async def flash(self, *options: str, port: Path | None = None) -> Ended:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "controller", "flash"),
            *("--port", str(port or self.port.link)),
            *options,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Ended(process.returncode or 0, out.decode(), err.decode())

    def _heard(self, data: bytes) -> None:
        self.board.receive(data)

    def _seen(self, there: bool) -> None:
        if there:
            self.port.replug()
            self._up.set()
        else:
            self.port.unplug()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = Shop(PtyPort(tmp_path / "board"))
    await shop.start()
    yield shop
    await shop.stop()


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A folder whose firmware differs from the clone's in its version."""
    folder = tmp_path / "firmware"
    shutil.copytree(FIRMWARE, folder)
    path = folder / "firmware.py"
    path.write_bytes(VERSION_LINE.sub(b'VERSION = "2.0.0"', path.read_bytes()))
    return folder


@pytest.fixture
def spoilt(newer: Path, tmp_path: Path) -> Path:
    """The same, and it does not start."""
    folder = tmp_path / "spoilt"
    shutil.copytree(newer, folder)
    with (folder / "wiring.py").open("a") as wiring:
        wiring.write("\nimport nothing\n")
    return folder


async def test_flash_again_and_firmware_that_gives_way(
    shop: Shop, newer: Path, spoilt: Path
) -> None:
    flashed = await shop.flash("--firmware", str(newer), "--json")
    assert (flashed.status, flashed.err) == (0, "")
    told = json.loads(flashed.out)
    assert (told["before"], told["version"], told["slot"]) == (VERSION, "2.0.0", "B")
    again = await shop.flash("--firmware", str(newer))
    assert (again.status, again.err) == (0, "")
    assert "runs 2.0.0 already" in again.out
    refused = await shop.flash("--firmware", str(spoilt))
    assert (refused.status, refused.out) == (4, "")
    assert "ImportError" in refused.err
    assert len(refused.err.splitlines()) == 1
    back = await shop.flash()
    assert (back.status, back.out.splitlines()[0].partition(": ")[2]) == (
        0,
        f"2.0.0 -> {VERSION} in slot A, kept",
    )


async def test_nobody_there_and_nothing_to_flash(shop: Shop, tmp_path: Path) -> None:
    nobody = await shop.flash(port=tmp_path / "none")
    assert (nobody.status, nobody.out) == (5, "")
    assert str(tmp_path / "none") in nobody.err
    nothing = await shop.flash("--firmware", str(tmp_path))
    assert (nothing.status, nothing.out) == (4, "")
    assert f"{tmp_path}: has no slots.py" in nothing.err
