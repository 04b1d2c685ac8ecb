"""The whole controller on the jumping clock: the same from the same seed, byte for byte."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "bench" / "six_hours.py"


def digest(seed: int, hours: float, through: str) -> str:
    words = [str(SCRIPT), f"--seed={seed}", f"--hours={hours}", f"--through={through}"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["moves"] == hours * 3600
    assert report["events"] > 10 * report["moves"]
    return str(report["event_log_sha256"])


@pytest.mark.parametrize("through", ["driver", "controller"])
def test_same_seed_same_events_other_seed_other_events(through: str) -> None:
    first = digest(1, 0.05, through)
    assert digest(1, 0.05, through) == first
    assert digest(2, 0.05, through) != first


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("through", ["driver", "controller"])
def test_six_hours_are_the_same_twice(through: str) -> None:
    first = digest(1, 6, through)
    assert digest(1, 6, through) == first
    assert digest(2, 6, through) != first
