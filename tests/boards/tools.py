"""Test tools that must not stand in the environment: they bring `machine.pyi`, `board.py`, ...

Each is installed once, into a folder of its own beside the environment's other files.
"""

import fcntl
import importlib
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

FOLDER = Path(sys.prefix) / "board-tools"
STDLIB = "micropython-stdlib-stubs==1.29.0.post2"
WANTED = {
    "micropython-pico": ("micropython-rp2-rpi_pico-stubs==1.29.0.post1", STDLIB),
    "micropython-pico2": ("micropython-rp2-rpi_pico2-stubs==1.29.0.post1", STDLIB),
    "pioasm": ("adafruit-circuitpython-pioasm==1.3.8",),  # its requirements are for a real board
}


def installed(tool: str) -> Path:
    """The folder of a tool; installed from the package index when it is not there yet."""
    wanted, folder = WANTED[tool], FOLDER / tool
    done = folder / "installed"
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{tool}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != " ".join(wanted):
            command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--upgrade"]
            subprocess.run([*command, "--target", folder, *wanted], check=True)
            done.write_text(" ".join(wanted))
    return folder


@cache
def assembler() -> Any:
    """Adafruit's assembler for state-machine programs."""
    with mock.patch.object(sys, "path", [str(installed("pioasm")), *sys.path]):
        return importlib.import_module("adafruit_pioasm")
