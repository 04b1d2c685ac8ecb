"""GigE Vision on loopback: the rig's camera as strangers' clients and our driver see it.

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
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    command = ["unshare", "--map-root-user", "--net", sys.executable, str(SESSION)]
    run = subprocess.run(
        [*command, str(tmp_path_factory.mktemp("gige"))], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return dict(json.loads(run.stdout.splitlines()[-1]))


def test_strangers_grab_frames_with_the_emitters_where_the_truth_says(seen: dict[str, Any]) -> None:
    assert seen["bright"] == 8
    assert seen["theirs"] >= 7


def test_our_driver_sees_the_same(seen: dict[str, Any]) -> None:
    assert seen["ours"] >= 7


def test_the_librarys_own_tool_misses_nothing(seen: dict[str, Any]) -> None:
    """Where arv-camera-test is installed beside the library."""
    tool = seen.get("tool", {"n_completed_buffers": 1})
    assert tool.pop("n_completed_buffers") > 0
    troubles = ("n_failures", "n_missing_frames", "n_missing_packets", "n_size_mismatch_errors")
    assert {name: tool.get(name, 0) for name in troubles} == dict.fromkeys(troubles, 0)


def test_a_power_cycle_and_a_freeze_are_a_lost_device_and_heal(seen: dict[str, Any]) -> None:
    assert (seen["power_cycle"], seen["frozen"]) == ("DeviceLost", "DeviceLost")
    assert min(seen["marks"]) > 0


def test_no_torn_frame_is_given_and_each_lost_one_leaves_its_gap(seen: dict[str, Any]) -> None:
    assert seen["torn"] == 0
    assert max(seen["steps"]) > 1
    assert seen["steps"] == seen["true_steps"]
