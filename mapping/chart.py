"""How the camera's pixels lie under the stage: a matrix, and the pixel where the focus is."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optics.quantities import PixelPoint, StagePoint

Floats = NDArray[np.float64]
NEAR_PX = 2.0
LEAST_COMMON = 4
LENGTH_DOUBT = 0.15  # how wrong the configured size of a pixel may be


class Chart(NamedTuple):
    """A spot at pixel p, seen from stage position s, is in the focus at s + matrix (p - focus)."""

    matrix: tuple[float, float, float, float]  # um per pixel: x by column, x by row, y by both
    focus: PixelPoint

    def aim(self, pixel: PixelPoint, seen_from: StagePoint) -> StagePoint:
        """Where the stage must go for that spot to be in the focus; z is the frame's."""
        xx, xy, yx, yy = self.matrix
        u, v = pixel.x_px - self.focus.x_px, pixel.y_px - self.focus.y_px
        return StagePoint(
            seen_from.x_um + xx * u + xy * v, seen_from.y_um + yx * u + yy * v, seen_from.z_um
        )

    def pixel(self, target: StagePoint, seen_from: StagePoint) -> PixelPoint:
        """Where a spot is seen that is in the focus at `target`."""
        xx, xy, yx, yy = self.matrix
        dx, dy = target.x_um - seen_from.x_um, target.y_um - seen_from.y_um
        over = xx * yy - xy * yx
        u, v = (yy * dx - xy * dy) / over, (xx * dy - yx * dx) / over
        return PixelPoint(self.focus.x_px + u, self.focus.y_px + v)

    @property
    def pixel_um(self) -> float:
        xx, xy, yx, yy = self.matrix
        return math.sqrt(abs(xx * yy - xy * yx))


class View(NamedTuple):
    """The spots of one frame, and where it was taken from."""

    seen_from: StagePoint
    spots: Sequence[PixelPoint]


def charted(views: Sequence[View], pixel_um: float, focus: PixelPoint) -> Chart | None:
    """From frames whose stage positions differ along both axes; None when they do not tell.

    `pixel_um` is only roughly known, the camera's turn and handedness not at all.
    """
    first, *others = views
    moved, shifts, weights = [], [], []
    for other in others:
        way = (
            other.seen_from.x_um - first.seen_from.x_um,
            other.seen_from.y_um - first.seen_from.y_um,
        )
        found = _shift(_array(first.spots), _array(other.spots), math.hypot(*way) / pixel_um)
        if found is None:
            continue
        shift, common = found
        moved.append(way)
        shifts.append(shift)
        weights.append(math.sqrt(common))
    design, way_um = np.array(shifts).reshape(-1, 2), np.array(moved).reshape(-1, 2)
    if np.linalg.matrix_rank(design, tol=1.0) < 2:
        return None
    weight = np.array(weights)[:, None]
    solved, *_ = np.linalg.lstsq(design * weight, way_um * weight, rcond=None)
    if np.abs(design @ solved - way_um).max() > pixel_um:
        return None
    (xx, yx), (xy, yy) = solved.tolist()
    chart = Chart((xx, xy, yx, yy), focus)
    return chart if abs(chart.pixel_um / pixel_um - 1) < LENGTH_DOUBT else None


def _array(spots: Sequence[PixelPoint]) -> Floats:
    return np.array(spots, float).reshape(-1, 2)


def _shift(first: Floats, other: Floats, length_px: float) -> tuple[Floats, int] | None:
    """By how much pixels of common spots differ, first minus other, and how many there are."""
    every = (first[:, None, :] - other[None, :, :]).reshape(-1, 2)
    length = np.hypot(every[:, 0], every[:, 1])
    every = every[np.abs(length - length_px) < LENGTH_DOUBT * length_px + NEAR_PX]
    if len(every) < LEAST_COMMON:
        return None
    near = np.hypot(*(every[:, None, :] - every[None, :, :]).transpose(2, 0, 1)) < NEAR_PX
    votes = near.sum(axis=1)
    best = int(np.argmax(votes))
    runner_up = votes[~near[best]].max(initial=0)
    if votes[best] < max(LEAST_COMMON, 2 * runner_up):
        return None
    return every[near[best]].mean(axis=0), int(votes[best])
