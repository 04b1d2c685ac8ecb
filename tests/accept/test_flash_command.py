"""`gansource flash` on a board that is a real MicroPython behind a pseudo-terminal."""

import asyncio
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from hil.emulators.io_board_process import IoBoardProcess
from hil.ports import PtyPort
from tests.boards.host import VERSION, VERSION_LINE

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "boards" / "io_board"
BOOT_VERSION = re.search(r'BOOT_VERSION = "(.*)"', (FIRMWARE / "service.py").read_text())[1]  # type: ignore[index]


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


class Shop:
    """A board on a port that vanishes with it, and the command."""

    def __init__(self, port: PtyPort, files: Mapping[str, bytes] | None = None) -> None:
        self.port = port
        self.board = IoBoardProcess(asyncio.get_running_loop().time, files=files)
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
def files() -> Mapping[str, bytes] | None:
    """On the board's flash; none: as it leaves the workshop."""
    return None


@pytest.fixture
async def shop(tmp_path: Path, files: Mapping[str, bytes] | None) -> AsyncIterator[Shop]:
    shop = Shop(PtyPort(tmp_path / "board"), files)
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


@pytest.mark.parametrize("files", [{}], ids=["blank"])
async def test_a_blank_board_takes_the_boot_code_and_then_the_firmware(shop: Shop) -> None:
    first = await shop.flash("--blank")
    assert (first.err, first.status) == ("", 0)
    assert f"boot {BOOT_VERSION} -> {VERSION} in slot B, kept" in first.out
    assert "already" in (await shop.flash()).out
    refused = await shop.flash("--blank")
    assert (refused.status, refused.out) == (5, "")
    assert "runs our firmware" in refused.err


async def test_nobody_there_and_nothing_to_flash(shop: Shop, tmp_path: Path) -> None:
    nobody = await shop.flash(port=tmp_path / "none")
    assert (nobody.status, nobody.out) == (5, "")
    assert str(tmp_path / "none") in nobody.err
    nothing = await shop.flash("--firmware", str(tmp_path))
    assert (nothing.status, nothing.out) == (4, "")
    assert f"{tmp_path}: has no slots.py" in nothing.err
