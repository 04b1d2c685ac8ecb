"""Clients that know nothing of ours, on `gansource rig`: they find what the truth says is there.

PIPython moves the stage, `raster.py` scans by the lines of stage, laser and board alone, Aravis
grabs frames (where libaravis is installed and network namespaces are allowed; the header tells).
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter

from tests.accept.strangers_session import STEP_UM, STEPS
from tests.conftest import GIGE, NAMESPACE

Floats = NDArray[np.float64]

SESSION = Path(__file__).with_name("strangers_session.py")
SIGMAS, GATE_S = 8.0, 0.01
REACH_UM = 0.3
"""As far as light of one emitter stands out of the background, from the middle of a step."""
BRIGHT, APART_PX, MARGIN_PX = 8, 20.0, 30.0
needs_gige = pytest.mark.skipif(not GIGE, reason="no libaravis, or no network namespaces")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    words = [sys.executable, str(SESSION), str(tmp_path_factory.mktemp("strangers"))]
    command = [*NAMESPACE, *words, "gige"] if GIGE else words
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return dict(json.loads(run.stdout.splitlines()[-1]))


def test_pipython_has_moved_the_stage(seen: dict[str, Any]) -> None:
    told_um = list(seen["stage"]["position"].values())
    assert told_um == pytest.approx([100.0] * 3, abs=0.02)
    assert seen["stands"]["stage_um"] == pytest.approx(told_um, abs=0.02)


def test_a_raster_shows_the_emitters_where_the_truth_says(seen: dict[str, Any]) -> None:
    counts, centre_um = np.array(seen["cps"]) * GATE_S, np.array(seen["centre_um"][:2])
    true_um = np.array(seen["aim_um"])[:, :2] - centre_um
    assert missed(counts, true_um) == invented(counts, true_um) == []
    shifted_um = true_um + np.array((0.6, 0.0))  # seen to fail
    assert missed(counts, shifted_um)
    assert invented(counts, shifted_um)


def lit(counts: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Middles of the steps, x and y from the centre, and where there is more than background."""
    at_um = (np.arange(STEPS) - (STEPS - 1) / 2) * STEP_UM
    steps_um = np.stack(np.meshgrid(at_um, at_um), axis=-1)
    ground = float(np.median(counts))
    return steps_um, counts > ground + SIGMAS * np.sqrt(ground)


def missed(counts: Floats, true_um: Floats) -> list[Floats]:
    """Places of emitters well inside at which there is no light."""
    steps_um, bright = lit(counts)
    inside = np.abs(true_um).max(axis=1) < steps_um.max()
    near = [np.hypot(*(steps_um - place).T).T < STEP_UM for place in true_um[inside]]
    return [
        place for place, here in zip(true_um[inside], near, strict=True) if not bright[here].any()
    ]


def invented(counts: Floats, true_um: Floats) -> list[Floats]:
    """Light where no emitter is."""
    steps_um, bright = lit(counts)
    return [at for at in steps_um[bright] if np.hypot(*(true_um - at).T).min() > REACH_UM]


@needs_gige
@pytest.mark.parametrize("whose", ["theirs", "ours"])
def test_frames_have_the_emitters_where_the_truth_says(seen: dict[str, Any], whose: str) -> None:
    """A stranger's through libaravis, and our own driver's through its frame server."""
    frame = np.load(seen[whose]).astype(float).squeeze()
    truth = loneliest(np.array(seen["sight"]), frame.shape)
    assert len(truth) == BRIGHT
    assert found(frame, truth) == BRIGHT
    assert found(frame.T, truth) < BRIGHT / 2  # seen to fail


def loneliest(emitters: Floats, shape: tuple[int, ...]) -> Floats:
    """Column and row of the brightest that stand alone in the frame."""
    places = emitters[:, :2]
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    middle = np.array(shape[::-1]) / 2
    inside = (np.abs(places - middle) < middle - MARGIN_PX).all(axis=1)
    return np.asarray(places[inside & (apart.min(axis=1) > APART_PX)][:BRIGHT])


def found(frame: Floats, truth: Floats) -> int:
    """At how many of these places the brightest of the neighbourhood lies within two pixels."""
    summed, hits = uniform_filter(median_filter(frame, 3), 3), 0  # without hot pixels
    for column, row in np.rint(truth).astype(int):
        near = summed[row - 8 : row + 9, column - 8 : column + 9]
        peak = np.array(np.unravel_index(np.argmax(near), near.shape)) - 8
        hits += int(np.abs(peak).max() <= 2)
    return hits


@needs_gige
def test_the_librarys_own_tool_misses_nothing(seen: dict[str, Any]) -> None:
    """Where arv-camera-test is installed beside the library."""
    tool = seen.get("tool", {"n_completed_buffers": 1})
    assert tool.pop("n_completed_buffers") > 0
    troubles = ("n_failures", "n_missing_frames", "n_missing_packets", "n_size_mismatch_errors")
    assert {name: tool.get(name, 0) for name in troubles} == dict.fromkeys(troubles, 0)


def test_the_rig_ends_when_it_is_told_to(seen: dict[str, Any]) -> None:
    assert seen["ended"] == 0
