"""Where the wide field says an emitter is, by its neighbours, and whether it shines there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.sight import WideSpot
from optics.quantities import StagePoint

Floats = NDArray[np.float64]

REACH_UM = 3.0  # farther than that the constellation is looked for by registration
AGREE_UM = 0.12
LEAST_AGREEING, LEAST_SHARE = 3, 0.3
OWN_UM, SAME_UM, CROWD_UM = 0.15, 0.3, 0.5  # what was noted of it in other fields strays


class Outlook(NamedTuple):
    """How far all has moved, from so many spots, and whether the emitter itself is among them."""

    moved_um: tuple[float, float] | None
    agreeing: int
    own: bool | None


def outlook(spots: Sequence[WideSpot], own: StagePoint, others: Sequence[StagePoint]) -> Outlook:
    """`own` and `others` are where the emitter and its neighbours were last known to be.

    Another light too near to the emitter makes it unknown whether it shines itself.
    """
    seen = np.array([spot.aim[:2] for spot in spots], float).reshape(-1, 2)
    known = np.array([place[:2] for place in others], float).reshape(-1, 2)
    known = known[np.hypot(*(known - np.array(own[:2])).T) > SAME_UM]
    ways = (seen[None, :, :] - known[:, None, :]).reshape(-1, 2)
    moved, agreeing = _common(ways[np.hypot(ways[:, 0], ways[:, 1]) < REACH_UM])
    if agreeing < max(LEAST_AGREEING, LEAST_SHARE * min(len(seen), len(known))):
        return Outlook(None, agreeing, None)
    there = np.array(own[:2]) + moved
    return Outlook(
        (float(moved[0]), float(moved[1])), agreeing, _shines(seen, known + moved, there)
    )


def _common(ways: Floats) -> tuple[Floats, int]:
    """The way that most pairs have in common."""
    if not len(ways):
        return np.zeros(2), 0
    near = np.hypot(*(ways[:, None, :] - ways[None, :, :]).transpose(2, 0, 1)) < AGREE_UM
    best = near[int(np.argmax(near.sum(axis=1)))]
    return np.median(ways[best], axis=0), int(best.sum())


def _shines(seen: Floats, known: Floats, there: Floats) -> bool | None:
    neighbours = np.hypot(*(known - there).T)
    if len(neighbours) and neighbours.min() < CROWD_UM:
        return None
    return bool(len(seen)) and bool(np.hypot(*(seen - there).T).min() < OWN_UM)
