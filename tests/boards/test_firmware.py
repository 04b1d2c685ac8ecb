"""The board's firmware, file by file, under CPython and under a MicroPython of a board's size."""

import subprocess
import sys
from pathlib import Path

import pytest

from hil.emulators.io_board_process import interpreter

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
CASES = sorted(path.stem for path in FOLDER.glob("cases_*.py"))

HEAP = "192k"  # the RP2040's, though every object is twice as wide here, and holds the tests too
SLACK = {"cpython": 500, "micropython": 4000}  # blocks; bytes


def command(name: str) -> list[str]:
    return [sys.executable] if name == "cpython" else [interpreter(), "-X", f"heapsize={HEAP}"]


def outcome(cases: str, python: str, seed: int, folder: Path, lines: int = 20_000) -> str:
    """What the cases of a file came to, in an empty folder."""
    settings = f"LINES={lines}", f"SEED={seed}", f"SLACK={SLACK[python]}"
    run = subprocess.run(
        [*command(python), FOLDER / "run_cases.py", ROOT, cases, *settings],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("python", ["cpython", "micropython"])
@pytest.mark.parametrize("cases", CASES)
def test_cases(cases: str, python: str, seed: int, tmp_path: Path) -> None:
    told = outcome(cases, python, seed, tmp_path)
    written = (FOLDER / f"{cases}.py").read_text().count("\ndef case_")
    assert told.count(f"passed {cases} case_") == written


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("python", ["cpython", "micropython"])
def test_a_million_lines_made_to_harm(python: str, seed: int, tmp_path: Path) -> None:
    assert "1000000 lines" in outcome("cases_fuzz", python, seed, tmp_path, lines=1_000_000)
