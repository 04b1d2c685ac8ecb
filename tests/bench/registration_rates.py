"""How often registration is right, wrong or silent, over fields of every kind drawn anew.

    python tests/bench/registration_rates.py [--fields N] [--seed S] [--fate FATE]

Prints JSON: of fields whose true pose is 16 nats above chance, and of those with 9 to 16, how many
are located; false matches; errors beside the limit that knows pairs and bend; the median of error
over stated sigma, as a standard deviation; CPU seconds of a solve. A fate other than
"there" ("other chip", "mirrored", "stored twice", "dirt") leaves fields without an answer.
"""

import argparse
import json
import math
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from mapping.points_json import map_of, observation_of  # noqa: E402
from mapping.register import ChipPose, registered  # noqa: E402
from tests.accept.field_limits import limit_of  # noqa: E402
from tests.accept.field_maker import Floats, Kind, Trial, trial  # noqa: E402

LAYOUTS = ("random", "random", "clusters", "pairs", "duplicates", "lattice", "lattice")
ENOUGH_NATS, MARGINAL_NATS = 16.0, 9.0
NORMAL_QUARTER = 0.4549  # the median of a squared normal number


class Row(NamedTuple):
    """One field and what became of it."""

    nats: float
    outcome: str
    cpu_s: float
    ratio: float | None = None
    z: float | None = None


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


def looked_at(kind: Kind, rng: np.random.Generator) -> Row:
    made = trial(kind, rng)
    stored, seen = map_of(made.map_json)[1], observation_of(made.obs_json)
    began_s = time.process_time()
    found = registered(stored, seen)
    cpu_s = time.process_time() - began_s
    limit = limit_of(made, kind) if made.solvable and made.seen else None
    nats = limit.nats if limit else -math.inf
    if not isinstance(found, ChipPose):
        return Row(nats, "refused", cpu_s)
    true = [made.seen.get(f"s{site}") == spot for site, spot in found.pairs]
    if limit is None or np.mean(true) < 0.5:
        return Row(nats, "wrong", cpu_s)
    return Row(nats, "located", cpu_s, *_errors(made, kind, found, limit.at_um))


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
    squares = [row.z for row in rows if row.z is not None]
    taken = [row.cpu_s for row in rows]
    return {
        "fields": len(rows),
        "located_enough": of(ENOUGH_NATS, math.inf),
        "located_marginal": of(MARGINAL_NATS, ENOUGH_NATS),
        "wrong": sum(row.outcome == "wrong" for row in rows),
        "refused": sum(row.outcome == "refused" for row in rows),
        "error_over_limit_median": round(statistics.median(ratios), 3) if ratios else None,
        "z_median": round(math.sqrt(statistics.median(squares)), 3) if squares else None,
        "cpu_median_s": round(statistics.median(taken), 3),
        "cpu_99_s": round(float(np.quantile(taken, 0.99)), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fate", default="there")
    options = parser.parse_args()
    kept: dict[str, list[Row]] = {"all": []}
    for number in range(options.fields):
        rng = np.random.default_rng([options.seed, number])
        kind = any_kind(options.fate, rng)
        row = looked_at(kind, rng)
        kept.setdefault(kind.layout, []).append(row)
        kept["all"].append(row)
    report = {name: summed(rows) for name, rows in kept.items()}
    sys.stdout.write(json.dumps({"seed": options.seed, **report}, indent=1) + "\n")


if __name__ == "__main__":
    main()
