"""How often registration is right, wrong or silent, over fields of every kind drawn anew.

    python tests/bench/registration_rates.py [--fields N] [--seed S] [--rival N]

Prints JSON, by layout: of fields whose true pose is 16 nats above chance (or above another chip
with the same lattice), and of those with 9 to 16, how many are located; false matches; errors
beside the limit that knows pairs and bend; error over stated sigma, as a standard deviation; CPU
seconds by the size of the map; the same of OpenCV's RANSAC on every Nth field. A third of the
fields has no answer, a sixth is drawn until it is marginal.
"""

import argparse
import json
import math
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from mapping.points_json import map_of, observation_of  # noqa: E402
from mapping.register import ChipPose, registered  # noqa: E402
from tests.accept.field_limits import limit_of  # noqa: E402
from tests.accept.field_maker import Floats, Kind, Trial, trial  # noqa: E402
from tests.bench.registration_rival import ransac  # noqa: E402

LAYOUTS = ("random", "random", "clusters", "pairs", "duplicates", "lattice", "lattice")
FATES = ("there", "there", "marginal", "there", "none", "none")
WITHOUT_ANSWER = ("other chip", "mirrored", "stored twice", "dirt")
ENOUGH_NATS, MARGINAL_NATS = 16.0, 9.0
NORMAL_QUARTER = 0.4549  # the median of a squared normal number
NO_LESS_RIGHT_UM = 1.5
RISKS = (0.0, 1e-6, 2e-4, 0.01, 0.1, 0.5, 0.9)  # bounds of the classes in which p_false is judged
SIZES = {"of 20 to 150": 150, "to 1,500": 1500, "to 10,000": 10_000}


class Row(NamedTuple):
    """One field and what became of it."""

    kind: Kind
    nats: float
    outcome: str
    cpu_s: float
    p_false: float
    ratio: float | None = None
    z2: float | None = None


def any_kind(fate: str, rng: np.random.Generator) -> Kind:
    """Of all that the promise names, the numbers spread evenly or by their logarithms."""
    style = LAYOUTS[rng.integers(len(LAYOUTS))]
    sites = round(_spread(20, 10_000, rng))
    field_um, missing = rng.uniform(30, 120), rng.uniform(0, 0.6)
    in_view = min(max(_spread(8, 200, rng) / (1 - missing), 8), sites)
    periodic = style == "lattice"
    return Kind(
        style,
        sites=max(sites, 100) if periodic else sites,
        side_um=min(max(math.sqrt(sites / in_view), 1) * field_um, 2000),
        field_um=field_um,
        missing=missing,
        strays=rng.uniform(0, 1),
        noise_um=_spread(0.005, 0.05, rng),
        map_noise_um=_spread(0.005, 0.03, rng),
        noise_spread=float(rng.choice([0, 0.4])),
        layout=style,
        pitch_um=max(field_um / math.sqrt(in_view), 1.2),
        fate="same lattice" if periodic and fate == "other chip" else fate,
    )


def _spread(low: float, high: float, rng: np.random.Generator) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def drawn(number: int, rng: np.random.Generator) -> tuple[Kind, Trial]:
    """A field of the kinds in turn."""
    fate = FATES[number % len(FATES)]
    if fate == "none":
        kind = any_kind(WITHOUT_ANSWER[number // len(FATES) % len(WITHOUT_ANSWER)], rng)
        return kind, trial(kind, rng)
    kind = any_kind("there", rng)
    made = trial(kind, rng)
    while fate == "marginal" and not MARGINAL_NATS <= _nats(made, kind) < ENOUGH_NATS:
        kind = any_kind("there", rng)
        few = replace(kind, missing=0.6, strays=1.0, noise_um=0.05, map_noise_um=0.03)
        kind = replace(few, side_um=kind.side_um * 1.5, pitch_um=kind.pitch_um * 1.5)
        made = trial(kind, rng)
    return kind, made


def _nats(made: Trial, kind: Kind) -> float:
    return limit_of(made, kind).nats if made.seen else -math.inf


def looked_at(kind: Kind, made: Trial) -> Row:
    stored, seen = map_of(made.map_json)[1], observation_of(made.obs_json)
    began_s = time.process_time()
    found = registered(stored, seen)
    cpu_s = time.process_time() - began_s
    limit = limit_of(made, kind) if made.solvable and made.seen else None
    nats = limit.nats if limit else -math.inf
    if not isinstance(found, ChipPose):
        return Row(kind, nats, "refused", cpu_s, found.p_false)
    if limit is None or _true_share(made, found) < 0.5:
        return Row(kind, nats, "wrong", cpu_s, found.p_false)
    errors = _errors(made, kind, found, limit.at_um)
    return Row(kind, nats, "located", cpu_s, found.p_false, *errors)


def _true_share(made: Trial, found: ChipPose) -> float:
    """Of the pairs, those whose spot is of that site, or of the same light entered twice."""
    lights = {spot: int(name[1:]) for name, spot in made.seen.items()}
    true = [
        spot in lights and np.allclose(made.truth_um[site], made.truth_um[lights[spot]])
        for site, spot in found.pairs
    ]
    return float(np.mean(true))


def rivalled(kind: Kind, made: Trial, nats: float) -> Row:
    """The same field for RANSAC; right is what lies where it should in the middle."""
    stored, seen = map_of(made.map_json)[1], observation_of(made.obs_json)
    began_s = time.process_time()
    at_um = ransac(stored, seen)
    cpu_s = time.process_time() - began_s
    if at_um is None:
        return Row(kind, nats, "refused", cpu_s, 1.0)
    in_view = (np.abs(made.sites_um) < kind.field_um / 2).all(axis=1)
    off = (at_um - made.truth_um)[in_view] if len(made.truth_um) == len(at_um) else np.array([9e9])
    if not made.solvable or float(np.median(np.abs(off))) > NO_LESS_RIGHT_UM:
        return Row(kind, nats, "wrong", cpu_s, 0.0)
    least = (limit_of(made, kind).at_um - made.truth_um)[in_view]
    ratio = math.sqrt(float((off**2).sum() / (least**2).sum()))
    return Row(kind, nats, "located", cpu_s, 0.0, ratio)


def _errors(made: Trial, kind: Kind, found: ChipPose, best_um: Floats) -> tuple[float, float]:
    """Root mean square beside the limit's, and the middle of error over sigma."""
    in_view = (np.abs(made.sites_um) < kind.field_um / 2).all(axis=1)
    off, least = (found.at_um - made.truth_um)[in_view], (best_um - made.truth_um)[in_view]
    z2 = float(np.median((off / found.sigma_um[in_view, None]) ** 2))
    return math.sqrt(float((off**2).sum() / (least**2).sum())), z2 / NORMAL_QUARTER


def summed(rows: list[Row]) -> dict[str, Any]:
    def of(low: float, high: float) -> str:
        held = [row for row in rows if low <= row.nats < high]
        return f"{sum(row.outcome == 'located' for row in held)} of {len(held)}"

    ratios = [row.ratio for row in rows if row.ratio is not None]
    squares = [row.z2 for row in rows if row.z2 is not None]
    without = [row for row in rows if row.kind.fate != "there"]
    return {
        "fields": len(rows),
        "located_enough": of(ENOUGH_NATS, math.inf),
        "located_marginal": of(MARGINAL_NATS, ENOUGH_NATS),
        "wrong": sum(row.outcome == "wrong" for row in rows),
        "refused_without_answer": _share(without, "refused"),
        "error_over_limit_median": round(statistics.median(ratios), 3) if ratios else None,
        "error_over_limit_rms": _root_mean([r * r for r in ratios]),
        "z": round(math.sqrt(statistics.median(squares)), 3) if squares else None,
    }


def _share(rows: list[Row], outcome: str) -> str:
    return f"{sum(row.outcome == outcome for row in rows)} of {len(rows)}"


def _root_mean(squares: list[float]) -> float | None:
    return round(math.sqrt(statistics.mean(squares)), 3) if squares else None


def times(rows: list[Row]) -> dict[str, Any]:
    """CPU seconds by the size of the map, lattices apart."""
    told, least = {}, 0
    for name, most in SIZES.items():
        sized = [row for row in rows if least < row.kind.sites <= most]
        for style, of in (("", False), (" lattice", True)):
            taken = [row.cpu_s for row in sized if (row.kind.layout == "lattice") is of]
            if taken:
                told[name + style] = [round(float(np.quantile(taken, q)), 3) for q in (0.5, 0.99)]
        least = most
    return told


def risks(rows: list[Row]) -> dict[str, Any]:
    """In classes of stated risk: of how many fields the answer was wrong, or there was none."""
    told = {}
    for low, high in zip(RISKS, [*RISKS[1:], 1.0], strict=True):
        held = [row for row in rows if low <= row.p_false < high]
        bad = sum(row.outcome == "wrong" or row.kind.fate != "there" for row in held)
        mean = statistics.mean([row.p_false for row in held]) if held else 0.0
        told[f"{low:g} to {high:g}"] = f"{bad} of {len(held)}, stated {mean:.2g}"
    return told


def by_layout(rows: list[Row]) -> dict[str, Any]:
    layouts = sorted({row.kind.layout for row in rows})
    parts = {name: [row for row in rows if row.kind.layout == name] for name in layouts}
    return {"all": summed(rows), **{name: summed(part) for name, part in parts.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rival", type=int, default=0, help="on every so manieth field")
    options = parser.parse_args()
    rows, others = list[Row](), list[Row]()
    for number in range(options.fields):
        kind, made = drawn(number, np.random.default_rng([options.seed, number]))
        rows.append(looked_at(kind, made))
        if options.rival and number % options.rival == 0:
            others.append(rivalled(kind, made, rows[-1].nats))
    report: dict[str, Any] = {"seed": options.seed, **by_layout(rows), "cpu_s": times(rows)}
    report["p_false"] = risks(rows)
    if others:
        report["opencv"] = {**summed(others), "cpu_s": times(others)}
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
