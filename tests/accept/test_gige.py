"""GigE Vision on loopback: the rig's camera in trouble, as our driver meets it.

What strangers see of it is in `test_strangers.py`.

All in a network namespace, since GigE Vision knows one port and tests know no turn-taking.
Collected where libaravis is installed and namespaces are allowed; the header says which.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SESSION = Path(__file__).with_name("gige_session.py")


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    command = ["unshare", "--map-root-user", "--net", sys.executable, str(SESSION)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return dict(json.loads(run.stdout.splitlines()[-1]))


def test_a_power_cycle_and_a_freeze_are_a_lost_device_and_heal(seen: dict[str, Any]) -> None:
    assert (seen["power_cycle"], seen["frozen"]) == ("DeviceLost", "DeviceLost")
    assert min(seen["marks"]) > 0


def test_no_torn_frame_is_given_and_each_lost_one_leaves_its_gap(seen: dict[str, Any]) -> None:
    assert seen["torn"] == 0
    assert max(seen["steps"]) > 1
    assert seen["steps"] == seen["true_steps"]
