"""gansource doctor as an operator calls it: a line each, and the status of the worst."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ABSENT = '[stage]\naddress = "tcp://127.0.0.1:1"\n'


def doctor(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "controller", "doctor", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_a_desk_without_a_rack_is_well(tmp_path: Path) -> None:
    done = doctor("--data", tmp_path)
    assert done.returncode == 0
    assert {line.split()[0] for line in done.stdout.splitlines()} <= {"ok", "note"}
    told = json.loads(doctor("--data", tmp_path, "--json").stdout)
    assert told["status"] == 0
    assert {"configuration", "folder", "database", "clock", "cores"} == {
        finding["what"] for finding in told["findings"]
    }


@pytest.mark.parametrize(
    ("rack", "damaged", "status"),
    [(ABSENT, False, 5), ("[stage]\nadress = 1\n", False, 4), (ABSENT, True, 6)],
)
def test_the_worst_decides(tmp_path: Path, rack: str, *, damaged: bool, status: int) -> None:
    config = tmp_path / "rack.toml"
    config.write_text(rack)
    if damaged:
        (tmp_path / "gansource.sqlite").write_bytes(b"no database " * 1000)
    done = doctor("--config", config, "--data", tmp_path)
    assert done.returncode == status, done.stdout
    assert "trouble" in done.stdout
    assert done.stderr == ""
