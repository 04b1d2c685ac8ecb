"""Finding and placing beside rivals, on scenes of every kind; and frames per CPU second.

    python tests/bench/locating.py [--seeds N] [--rivals PYTHON]

PYTHON is an interpreter with sep, photutils and picassosr. Prints JSON: ours and theirs on the same
scenes of all kinds, and frames a CPU second at 512 x 512 (a stack of 12) and 2048 x 2048.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from mapping.localise import looks
from tests.accept.spot_scenes import KINDS, Kind, Scene, scene
from tests.accept.spot_score import Found, score, summary
from tests.accept.test_locate_scenes import calibration, found_in

RIVALS = Path(__file__).with_name("rival_finders.py")
SIZES = {512: 12, 2048: 1}
REPEATS = 3
FITTED = [kind for kind in KINDS if kind.optics == "gaussian" and kind.told_sigma]
GROUPS = {
    "all": KINDS,
    "fitted psf": FITTED,
    "other": [kind for kind in KINDS if kind not in FITTED],
    "empty": [kind for kind in KINDS if not kind.per_um2],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rivals", type=Path)
    options = parser.parse_args()
    made = {kind: [_scene(kind, seed) for seed in range(options.seeds)] for kind in KINDS}
    ours = {kind: [_ours(one) for one in scenes] for kind, scenes in made.items()}
    fields = {size: _scene(Kind("speed", size_px=size, ground="tilted"), size) for size in SIZES}
    speed = {str(size): {"gansource": _speed(made, SIZES[size])} for size, made in fields.items()}
    report: dict[str, Any] = {"gansource": _scored(made, ours), "speed": speed}
    if options.rivals:
        sets = [(np.array([_photons(one) for one in made[kind]]), kind.sigma_px) for kind in KINDS]
        sets += [(_photons(field)[None], 1.3) for field in fields.values()]
        for rival, told in _asked(options.rivals, sets).items():
            found = {kind: _found(one) for kind, one in zip(KINDS, told, strict=False)}
            report[rival] = _scored(made, found)
            for size, one in zip(SIZES, told[len(KINDS) :], strict=True):
                speed[str(size)][rival] = 1 / max(one["cpu_s"], 1e-9)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


def _scene(kind: Kind, seed: int) -> Scene:
    return scene(kind, np.random.default_rng([77, seed, *kind.name.encode()]))


def _ours(made: Scene) -> Found:
    return found_in(looks(made.pixels, calibration(made))[0])


def _photons(made: Scene) -> Any:
    told = made.camera
    return (made.pixels - told["offset_adu"]) * told["gain_e_per_adu"]


def _found(told: dict[str, Any]) -> list[Found]:
    return [Found(*np.array(rows, float).reshape(-1, 5).T) for rows in told["spots"]]


def _scored(made: dict[Kind, list[Scene]], found: dict[Kind, list[Found]]) -> dict[str, Any]:
    """All kinds together, then those whose point image is what the fit takes it for."""
    scores = {
        kind: [
            score(truth, answer, kind.sigma_px)
            for truth, answer in zip(scenes, found[kind], strict=True)
        ]
        for kind, scenes in made.items()
    }
    told = {name: [one for kind in kinds for one in scores[kind]] for name, kinds in GROUPS.items()}
    return {name: summary(some) for name, some in told.items()}


def _asked(python: Path, sets: list[tuple[Any, float]]) -> dict[str, list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "frames.npz", Path(folder) / "out.json"
        frames = {f"frames{i}": stack for i, (stack, _) in enumerate(sets)}
        np.savez(path, sigmas=[sigma for _, sigma in sets], **frames)
        subprocess.run([python, RIVALS, path, out], check=True)
        told: dict[str, list[dict[str, Any]]] = json.loads(out.read_text())
        return told


def _speed(made: Scene, count: int) -> float:
    """Frames a CPU second, of a stack; the best of three, since others use the machine too."""
    frames = np.array([made.pixels] * count)
    looks(frames[:1], calibration(made))
    spent = []
    for _ in range(REPEATS):
        began = time.process_time()
        looks(frames, calibration(made))
        spent.append(time.process_time() - began)
    return count / min(spent)


if __name__ == "__main__":
    main()
