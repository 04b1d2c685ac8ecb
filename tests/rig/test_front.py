"""`gansource rig` and `gansource hil`, as processes, seen from outside."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from controller.records import ConfigMistakes
from hil import scenario
from hil.standalone import sweep
from hil.troubles import TROUBLES

ROOT = Path(__file__).parents[2]
REPORT = ("scenario", "seed", "speed", "simulated_s", "wall_s", "event_log_sha256")
TRUTH = (
    *("target_site", "final_error_nm", "on_target", "time_to_photons_s", "wrong_emitter_s"),
    *("delivered_fraction", "limit_fraction", "time_below_90pct_s"),
)
CLAIMS = ("state", "site", "brightness_cps", "brightness_err_cps", "g2", "g2_upper95")


def _asked(control: str, request: dict[str, Any]) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(control)
        client.sendall(json.dumps(request).encode() + b"\n")
        answer: dict[str, Any] = json.loads(client.makefile().readline())
        return answer


def test_the_rig_alone_tells_its_endpoints_takes_trouble_and_cleans_up(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    words = [sys.executable, "-m", "hil", "rig", "--endpoints", str(file)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            told = json.loads(child.stdout.readline())
            assert json.loads(file.read_text()) == told
            stage = Path(told["stage"].removeprefix("serial://"))
            assert stage.exists()
            truth = _asked(told["control"], {"truth": True})
            assert len(truth["stage_um"]) == len(truth["focus_um"]) == 3
            begun = _asked(told["control"], {"trouble": "cable-cut", "for_s": 1000})
            assert not stage.exists()
            _asked(told["control"], {"end": begun["begun"]})
            assert stage.exists()
            assert "no trouble" in _asked(told["control"], {"trouble": "nonsense"})["error"]
            killed = _asked(told["control"], {"trouble": "controller-killed"})
            assert "no controller" in killed["error"]
        finally:
            child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    assert not stage.parent.exists()


def test_what_a_killed_rig_left_behind_is_swept_and_a_living_ones_is_not(tmp_path: Path) -> None:
    for name in ("gansource-rig-4194399-a", f"gansource-rig-{os.getpid()}-b", "gansource-other"):
        (tmp_path / name).mkdir()
    sweep(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"gansource-rig-{os.getpid()}-b", "gansource-other"}


def _drilled(file: Path, seed: int, tmp_path: Path) -> dict[str, Any]:
    out = tmp_path / f"{seed}.json"
    words = [sys.executable, "-m", "hil", "hil", str(file), f"--seed={seed}", f"--out={out}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr  # it has not settled in so short a time
    [report] = json.loads(out.read_text())
    assert isinstance(report, dict)
    return report


def test_a_report_has_the_shape_of_the_contract_and_the_same_seed_the_same_events(
    tmp_path: Path,
) -> None:
    file = tmp_path / "short.toml"
    file.write_text("settled_within_s = 2.0\nworld.chip.width_um = 40.0\n")
    first, again, other = (_drilled(file, seed, tmp_path) for seed in (1, 1, 2))
    assert tuple(first) == (*REPORT, "truth", "claims", "faults", "checks", "passed")
    assert (tuple(first["truth"]), tuple(first["claims"])) == (TRUTH, CLAIMS)
    assert first["event_log_sha256"] == again["event_log_sha256"] != other["event_log_sha256"]
    assert not first["passed"]
    failed = [check for check in first["checks"] if not check["passed"]]
    assert [check["name"] for check in failed] == ["settled_s at most"]


@pytest.mark.parametrize("name", scenario.shipped())
def test_every_shipped_scenario_can_be_read(name: str) -> None:
    assert scenario.load(name).title


def test_all_mistakes_of_a_scenario_are_told_at_once() -> None:
    table = {"worl": {}, "world": {"chip": {"width_um": -1.0}}, "fault": [{"name": "x"}]}
    with pytest.raises(ConfigMistakes) as caught:
        scenario.parse(table, "mine")
    assert len(caught.value.mistakes) == 2
    with pytest.raises(ConfigMistakes, match=r"world\.chip\.width_um = -1\.0 must not be"):
        scenario.parse({"world": {"chip": {"width_um": -1.0}}}, "mine")


def test_the_readme_has_every_key_with_its_default_and_every_trouble() -> None:
    text = (ROOT / "hil" / "README.md").read_text()
    lost = [
        key for key, default in scenario.every_key() if f"| `{key}` | `{default}` |" not in text
    ]
    assert lost == []
    assert [name for name in TROUBLES if f"| `{name}` |" not in text] == []
