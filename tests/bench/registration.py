"""Registration beside OpenCV's RANSAC, untuned, on the first of the same fields, in one run.

    python tests/bench/registration.py [--fields N] [--rival-fields N]

Prints JSON: located, wrong and refused of fields with and without an answer, CPU seconds, and the
median position error of those located. The rival tries a coarse mesh of shifts and turns, on maps
of up to 1,000 sites, and by default on one field of each kind, for it is slow.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from mapping.points_json import map_of, observation_of  # noqa: E402
from mapping.register import ChipPose, Points, registered  # noqa: E402
from tests.accept.field_maker import Floats, Kind, Trial, trial  # noqa: E402

KINDS = [
    Kind("48 sites", sites=48, side_um=150.0),
    Kind("1,000 sites", field_um=100.0),
    Kind("10,000 sites", sites=10_000, side_um=2000.0, field_um=120.0),
    Kind("clusters", layout="clusters", field_um=100.0),
    Kind("half gone", missing=0.6, strays=1.0, sites=2500),
    Kind("lattice of 900", layout="lattice", sites=900),
    Kind("lattice of 10,000", layout="lattice", sites=10_000, pitch_um=8.0),
    Kind("another chip", fate="other chip"),
    Kind("mirrored", fate="mirrored"),
    Kind("same lattice", layout="lattice", sites=900, fate="same lattice"),
]
GRID_STEPS, TURNS = 10, 36
RIVAL_SITES = 1000  # beyond, its search takes minutes for each field
BELIEVED_INLIERS = 8
Solver = Callable[[Points, Points], Floats | None]


def ours(stored: Points, seen: Points) -> Floats | None:
    found = registered(stored, seen)
    return found.at_um if isinstance(found, ChipPose) else None


def ransac(stored: Points, seen: Points) -> Floats | None:
    """Nearest neighbours under a mesh of shifts and turns, each refined by OpenCV's RANSAC."""
    best: tuple[int, Any] = (0, None)
    middle = seen.at_um.mean(axis=0)
    low, high = stored.at_um.min(axis=0), stored.at_um.max(axis=0)
    for turn in np.linspace(-np.pi, np.pi, TURNS, endpoint=False):
        cos, sin = np.cos(turn), np.sin(turn)
        turned = (seen.at_um - middle) @ np.array([[cos, sin], [-sin, cos]])
        for x in np.linspace(low[0], high[0], GRID_STEPS):
            for y in np.linspace(low[1], high[1], GRID_STEPS):
                apart = ((turned + np.array([x, y]))[:, None] - stored.at_um) ** 2
                near = apart.sum(axis=2).argmin(axis=1)
                matrix, kept = cv2.estimateAffinePartial2D(
                    stored.at_um[near], seen.at_um, ransacReprojThreshold=0.5, maxIters=200
                )
                count = len(np.unique(near[np.ravel(kept) > 0]))
                best = max(best, (count, matrix), key=lambda pair: pair[0])
    count, matrix = best
    if count < BELIEVED_INLIERS:
        return None
    placed: Floats = stored.at_um @ matrix[:, :2].T + matrix[:, 2]
    return placed


def error_um(made: Trial, kind: Kind, at_um: Floats) -> float:
    in_view = (np.abs(made.sites_um) < kind.field_um / 2).all(axis=1)
    return float(np.median(np.linalg.norm((at_um - made.truth_um)[in_view], axis=1)))


def measured(kind: Kind, solver: Solver, count: int) -> dict[str, Any]:
    rng = np.random.default_rng(20261121)
    tally = {"located": 0, "wrong": 0, "refused": 0}
    taken, errors = [], []
    for _ in range(count):
        made = trial(kind, rng)
        stored, seen = map_of(made.map_json)[1], observation_of(made.obs_json)
        began_s = time.process_time()
        at_um = solver(stored, seen)
        taken.append(time.process_time() - began_s)
        if at_um is None:
            tally["refused"] += 1
            continue
        error = error_um(made, kind, at_um)
        right = made.solvable and error < 1.5
        tally["located" if right else "wrong"] += 1
        errors += [error] * right
    median_um = round(statistics.median(errors), 4) if errors else None
    cpu = {"cpu_median_s": round(statistics.median(taken), 3), "cpu_most_s": round(max(taken), 3)}
    return {**tally, **cpu, "error_median_um": median_um}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=10, help="of each kind, for ours")
    parser.add_argument("--rival-fields", type=int, default=1, help="of each kind, for the rival")
    options = parser.parse_args()
    report: dict[str, Any] = {}
    for kind in KINDS:
        report[kind.name] = {"ours": measured(kind, ours, options.fields)}
        if kind.sites <= RIVAL_SITES:
            report[kind.name]["opencv"] = measured(kind, ransac, options.rival_fields)
    sys.stdout.write(json.dumps({"fields": options.fields, **report}, indent=1) + "\n")


if __name__ == "__main__":
    main()
