"""How well found emitters match the truth of a scene."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from tests.accept.spot_optics import Floats
from tests.accept.spot_scenes import Scene

CERTAIN = 6.0  # d' from which an emitter should be found
ALONE = 4.0  # sigmas to the next emitter, for the statistics of errors
PAIR = 2.4  # sigmas: nearer ones count as a pair and not as emitters


class Found(NamedTuple):
    """A program's answer."""

    x: Floats
    y: Floats
    snr: Floats
    x_err: Floats
    y_err: Floats


class Score(NamedTuple):
    """Of one scene."""

    wanted: Floats  # snr given to each emitter that should be found, 0 where it was not
    false: Floats  # snr of what is no emitter
    matched: int
    error: Floats  # in units of the limit, x and y
    chi: Floats  # in units of the error claimed
    pairs: tuple[int, int]  # taken for one, and all
    decoys: Counter[str]  # accepted
    decoys_all: Counter[str]


def score(truth: Scene, found: Found, sigma_px: float) -> Score:
    """Nearest pairs within reach; faint emitters and close pairs are neither hits nor misses."""
    apart = np.hypot(found.x[:, None] - truth.x, found.y[:, None] - truth.y)
    reach = np.maximum(sigma_px, 3 * np.minimum(truth.limit.max(axis=1, initial=0), sigma_px))
    cost = np.where(apart < reach, apart, 1e3)
    rows, columns = linear_sum_assignment(cost)
    hit = cost[rows, columns] < 1e3
    rows, columns = rows[hit], columns[hit]
    snr = np.zeros(len(truth.x))
    snr[columns] = found.snr[rows]
    paired = truth.crowd < PAIR
    inside = (truth.x > -0.5 + sigma_px) & (truth.y > -0.5 + sigma_px)
    size = len(truth.pixels)
    inside &= (truth.x < size - 0.5 - sigma_px) & (truth.y < size - 0.5 - sigma_px)
    wanted = (truth.strength >= CERTAIN) & ~paired & inside
    stray = np.ones(len(found.x), bool)
    stray[rows] = False
    excused = (apart < 2.5 * sigma_px) & paired
    false = stray & ~excused.any(axis=1)
    clean = wanted[columns] & (truth.crowd[columns] > ALONE)
    error = np.column_stack([found.x[rows] - truth.x[columns], found.y[rows] - truth.y[columns]])
    claimed = np.column_stack([found.x_err[rows], found.y_err[rows]])
    return Score(
        snr[wanted],
        found.snr[false],
        int(wanted[columns].sum()),
        (error / truth.limit[columns])[clean],
        (error / claimed)[clean],
        _pairs(truth, found, sigma_px),
        *_decoys(truth, found),
    )


def _pairs(truth: Scene, found: Found, sigma_px: float) -> tuple[int, int]:
    taken = 0
    for one, other in truth.pairs:
        middle = (truth.x[one] + truth.x[other]) / 2, (truth.y[one] + truth.y[other]) / 2
        near = np.hypot(found.x - middle[0], found.y - middle[1]) < 2.0 * sigma_px
        taken += int(near.sum() == 1)
    return taken, len(truth.pairs)


def _decoys(truth: Scene, found: Found) -> tuple[Counter[str], Counter[str]]:
    accepted: Counter[str] = Counter()
    for what, x, y, reach in truth.decoys:
        accepted[what] += int((np.hypot(found.x - x, found.y - y) < reach).any())
    return accepted, Counter(what for what, *_ in truth.decoys)


def summary(scores: list[Score]) -> dict[str, Any]:
    """Over many scenes of alike kinds."""
    wanted = np.concatenate([one.wanted for one in scores])
    false = np.sort(np.concatenate([one.false for one in scores]))[::-1]
    error = np.concatenate([one.error for one in scores])
    chi = np.concatenate([one.chi for one in scores])
    allowed = int(0.1 * len(scores))
    bar = false[allowed] if len(false) > allowed else 0.0
    union = len(wanted) + len(false)
    told: dict[str, Any] = {
        "scenes": len(scores),
        "wanted": len(wanted),
        "recall": _share(wanted > 0),
        "recall_at_0.1": _share(wanted > bar),
        "false_per_field": len(false) / len(scores),
        "jaccard": float((wanted > 0).sum() / union) if union else 1.0,
    }
    if len(error):
        told["error_median"] = float(np.median(np.abs(error)) / 0.6745)
        told["error_rms"] = float(np.sqrt(np.mean(error**2)))
    if len(chi) and np.isfinite(chi).all():
        told["chi_rms"] = float(np.sqrt(np.mean(chi**2)))
    pairs = np.sum([one.pairs for one in scores], axis=0)
    if pairs[1]:
        told["pairs_taken_for_one"] = float(pairs[0] / pairs[1])
    every: Counter[str] = sum((one.decoys_all for one in scores), Counter())
    accepted: Counter[str] = sum((one.decoys for one in scores), Counter())
    told["decoys"] = {what: accepted[what] / count for what, count in every.items()}
    return told


def _share(which: Any) -> float:
    return float(np.mean(which)) if len(which) else 1.0
