"""gansource register as a stranger meets it: a process, two files, an answer and a status."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.accept.field_maker import Kind, trial

ROOT = Path(__file__).parents[2]


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def call(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "controller", "register", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def written(folder: Path, stored: object, seen: object) -> tuple[Path, Path, Path]:
    paths = folder / "map.json", folder / "obs.json", folder / "out.json"
    for path, value in zip(paths, (stored, seen), strict=False):
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    return paths


def site(**other: Any) -> dict[str, Any]:
    return {"id": "a", "x": 1.0, "y": 2.0, "sigma": 0.01, "brightness": 5.0, **other}


def spots() -> dict[str, Any]:
    return {"unit": "um", "spots": [{"x": 0, "y": 0, "sigma": 0.1, "brightness": 1}]}


def test_the_answer_says_where_every_site_is(tmp_path: Path, rng: np.random.Generator) -> None:
    made = trial(Kind("plain", sites=3000), rng)
    stored, seen, out = written(tmp_path, made.map_json, made.obs_json)
    done = call(stored, seen, "--out", out)
    answer = json.loads(out.read_text())
    assert (done.returncode, done.stderr, answer["matched"]) == (0, "", True)
    assert done.stdout.startswith("matched ")
    assert [row["id"] for row in answer["sites"]] == [row["id"] for row in made.map_json["sites"]]
    pairs = answer["inliers"]
    assert sum(made.seen.get(name) == spot for name, spot in pairs) >= 0.9 * len(pairs) > 0
    places = {row["id"]: (row["x"], row["y"]) for row in answer["sites"]}
    errors = [math.dist(places[name], made.truth_um[int(name[1:])]) for name in made.seen]
    assert float(np.median(errors)) < 0.1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.json", "obs.json", "out.json"]


def test_the_transform_is_of_map_to_field(tmp_path: Path, rng: np.random.Generator) -> None:
    made = trial(Kind("plain", sites=3000), rng)
    stored, seen, out = written(tmp_path, made.map_json, made.obs_json)
    call(stored, seen, "--out", out)
    pose = json.loads(out.read_text())["transform"]
    matrix = np.array(pose["matrix"])
    at = {row["id"]: (row["x"], row["y"], 1.0) for row in made.map_json["sites"]}
    errors = [math.dist(matrix @ at[name], made.truth_um[int(name[1:])]) for name in made.seen]
    assert max(errors) < 1.5  # a bend of 1 % of 80 um is beyond a straight transform
    assert (pose["dx"], pose["dy"]) == (matrix[0, 2], matrix[1, 2])
    assert pose["scale"] == pytest.approx(1.0, abs=0.05)
    assert math.cos(pose["theta_rad"]) == pytest.approx(matrix[0, 0], abs=0.05)


def test_another_chip_is_status_3_and_says_so(tmp_path: Path, rng: np.random.Generator) -> None:
    made = trial(Kind("other", fate="other chip"), rng)
    stored, seen, out = written(tmp_path, made.map_json, made.obs_json)
    done = call(stored, seen, "--out", out, "--json")
    answer = json.loads(out.read_text())
    assert (done.returncode, json.loads(done.stdout)) == (3, answer)
    assert (answer["matched"], answer["transform"], answer["inliers"]) == (False, None, [])
    assert answer["why"]
    assert 0 < answer["p_false"] <= 1


@pytest.mark.parametrize("empty", [{"unit": "um", "spots": []}, spots()])
def test_too_little_is_refused_and_no_error(tmp_path: Path, empty: dict[str, Any]) -> None:
    stored, seen, out = written(tmp_path, {"unit": "um", "sites": [site()]}, empty)
    assert call(stored, seen, "--out", out).returncode == 3
    assert json.loads(out.read_text())["matched"] is False


BAD_MAPS = {
    "no JSON": ("{", "line 1 column 2"),
    "no text": ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "no JSON"),
    "a list": ([], "not an object"),
    "no unit": ({"sites": []}, "unit: None"),
    "another unit": ({"unit": "nm", "sites": []}, "unit: 'nm'"),
    "no sites": ({"unit": "um"}, "sites: missing"),
    "a number for a site": ({"unit": "um", "sites": [1]}, "sites[0]: not an object"),
    "no id": ({"unit": "um", "sites": [site(id=None)]}, "sites[0].id"),
    "an id twice": ({"unit": "um", "sites": [site(), site()]}, "sites[1].id: 'a' stands there"),
    "x a text": ({"unit": "um", "sites": [site(x="1")]}, "sites[0].x: '1'"),
    "x a truth": ({"unit": "um", "sites": [site(x=True)]}, "sites[0].x: True"),
    "NaN": ('{"unit":"um","sites":[{"id":"a","x":NaN}]}', "NaN is not a number"),
    "too large": ('{"unit":"um","sites":[{"id":"a","x":1e999,"y":0}]}', "sites[0].x: inf"),
    "sigma zero": ({"unit": "um", "sites": [site(sigma=0)]}, "sites[0].sigma: 0; give a number"),
    "no brightness": (
        {"unit": "um", "sites": [{"id": "a", "x": 1, "y": 1, "sigma": 1}]},
        "sites[0].brightness: 'missing'",
    ),
    "a bad mark": (
        {"unit": "um", "sites": [site()], "fiducials": [{"x": 1}]},
        "fiducials[0].y: missing",
    ),
    "deep": ("[" * 100_000, "no JSON"),
}


@pytest.mark.parametrize(("stored", "says"), BAD_MAPS.values(), ids=BAD_MAPS.keys())
def test_a_bad_map_is_one_line_and_no_file(tmp_path: Path, stored: object, says: str) -> None:
    map_path, seen, out = written(tmp_path, stored, spots())
    done = call(map_path, seen, "--out", out)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
    assert str(map_path) in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.json", "obs.json"]


def test_bad_places_of_files(tmp_path: Path) -> None:
    stored, seen, out = written(tmp_path, {"unit": "um", "sites": [site()]}, spots())
    lost = tmp_path / "no" / "such"
    for words in ((lost, seen, "--out", out), (stored, lost, "--out", out)):
        done = call(*words)
        assert (done.returncode, done.stderr.count("\n"), out.exists()) == (4, 1, False)
    done = call(stored, seen, "--out", lost)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert call(stored, seen, "--out", tmp_path).returncode == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.json", "obs.json"]


def test_a_refused_file_stays_as_it_was(tmp_path: Path) -> None:
    stored, seen, out = written(tmp_path, [], spots())
    out.write_text("kept")
    assert call(stored, seen, "--out", out).returncode == 4
    assert out.read_text() == "kept"


def test_help_and_usage() -> None:
    assert "example: gansource register" in call("--help").stdout
    assert call("map.json").returncode == 2
