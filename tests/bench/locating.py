"""Finding and placing beside rivals, on scenes of every kind; and frames per CPU second.

    python tests/bench/locating.py [--seeds N] [--rivals PYTHON]

PYTHON is an interpreter with sep, photutils and picassosr. Prints JSON: ours over all kinds, then
all on the same even and uneven scenes, then speed at 512 x 512 and 2048 x 2048, CPU seconds.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rivals", type=Path)
    options = parser.parse_args()
    made = {kind: [_scene(kind, seed) for seed in range(options.seeds)] for kind in KINDS}
    ours = {kind: [_ours(one) for one in scenes] for kind, scenes in made.items()}
    report: dict[str, Any] = {"gansource": _scored(made, ours), "speed": _speeds(options.rivals)}
    if options.rivals:
        theirs: dict[str, dict[Kind, list[Found]]] = {}
        for kind, scenes in made.items():
            frames = np.array([_photons(one, kind) for one in scenes])
            for rival, told in _asked(options.rivals, frames, kind.sigma_px).items():
                rows = told.get("spots", [[] for _ in scenes])
                found = [Found(*np.array(r, float).reshape(-1, 5).T) for r in rows]
                theirs.setdefault(rival, {})[kind] = found
        report |= {rival: _scored(made, found) for rival, found in theirs.items()}
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


def _scene(kind: Kind, seed: int) -> Scene:
    return scene(kind, np.random.default_rng([77, seed, *kind.name.encode()]))


def _ours(made: Scene) -> Found:
    return found_in(looks(made.pixels, calibration(made))[0])


def _photons(made: Scene, kind: Kind) -> Any:
    return (made.pixels - kind.offset_adu) * kind.gain_e_per_adu


def _scored(made: dict[Kind, list[Scene]], found: dict[Kind, list[Found]]) -> dict[str, Any]:
    return summary(
        [
            score(truth, answer, kind.sigma_px)
            for kind, scenes in made.items()
            for truth, answer in zip(scenes, found[kind], strict=True)
        ]
    )


def _asked(python: Path, frames: Any, sigma_px: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "frames.npz", Path(folder) / "out.json"
        np.savez(path, frames=frames, sigma=sigma_px)
        subprocess.run([python, RIVALS, path, out], check=True)
        told: dict[str, Any] = json.loads(out.read_text())
        return told


def _speeds(python: Path | None) -> dict[str, dict[str, float]]:
    speeds: dict[str, dict[str, float]] = {}
    for size, count in SIZES.items():
        kind = Kind("speed", size_px=size, ground="tilted")
        made = _scene(kind, size)
        frames = np.array([made.pixels] * count)
        looks(frames[:1], calibration(made))
        began = time.process_time()
        looks(frames, calibration(made))
        speeds[str(size)] = {"gansource": count / (time.process_time() - began)}
        if python:
            for rival, told in _asked(python, np.array([_photons(made, kind)]), 1.3).items():
                if "cpu_s" in told:
                    speeds[str(size)][rival] = 1 / max(told["cpu_s"], 1e-9)
    return speeds


if __name__ == "__main__":
    main()
