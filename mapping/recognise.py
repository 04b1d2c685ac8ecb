"""A chip recognised by its constellation: the placement, or the words why not."""

import math
from collections.abc import Sequence

import numpy as np

from mapping.placement import Placement
from mapping.register import ChipPose, NoMatch, Points, registered
from mapping.sight import WideSpot
from optics.quantities import ChipPoint

LEAST_SIGMA_UM = 0.004
HEIGHT_SIGMA_UM = 0.2  # of the sharpest height
SAME_UM = 0.3  # spots of overlapping frames so close together are one


Landmark = tuple[ChipPoint, float]
"""A place on the chip where light was seen, and its standard deviation to either side."""


def recognised(
    landmarks: Sequence[Landmark],
    spots: Sequence[WideSpot],
    height_um: float,
    slope: tuple[float, float],
    target: ChipPoint | None = None,
) -> Placement | str:
    """Where the chip with these landmarks lies, whose spots were seen in focus at that height.

    Its uncertainty is that of the landmark at the target, or of those seen where there is none.
    """
    if not landmarks or not spots:
        return "there is nothing to compare"
    stored = _points([(place.x_um, place.y_um, sigma) for place, sigma in landmarks])
    seen = _points([(s.aim.x_um, s.aim.y_um, s.sigma_um) for s in united(spots)])
    found = registered(stored, seen)
    if isinstance(found, NoMatch):
        return found.why
    if target is None:
        near = [site for site, _ in found.pairs]
    else:
        far_um = np.hypot(*(stored.at_um - np.array(target[:2])).T)
        near = [int(np.argmin(far_um))]
    sigma_um = float(np.median(found.sigma_um[near]))
    return _placement(found, height_um, slope, seen)._replace(sigma_um=sigma_um)


def united(spots: Sequence[WideSpot]) -> list[WideSpot]:
    """The best of each emitter, where frames overlap."""
    kept: list[WideSpot] = []
    for spot in sorted(spots, key=lambda spot: spot.sigma_um):
        at = spot.aim
        near = (math.hypot(at.x_um - k.aim.x_um, at.y_um - k.aim.y_um) < SAME_UM for k in kept)
        if not any(near):
            kept.append(spot)
    return kept


def _points(rows: Sequence[tuple[float, float, float]]) -> Points:
    table = np.array(rows, float)
    return Points(table[:, :2], np.maximum(table[:, 2], LEAST_SIGMA_UM))


def _placement(
    found: ChipPose, height_um: float, slope: tuple[float, float], seen: Points
) -> Placement:
    a, b, c, d, e, f = found.affine.ravel().tolist()
    flat = Placement((a, b, c, d, e, f), slope=slope, p_false=found.p_false)
    middle = seen.at_um.mean(axis=0)
    over = a * e - b * d
    u, v = middle[0] - c, middle[1] - f
    x, y = (e * u - b * v) / over, (a * v - d * u) / over
    lift_um = height_um - slope[0] * x - slope[1] * y
    return flat._replace(lift_um=lift_um, sigma_z_um=HEIGHT_SIGMA_UM)
