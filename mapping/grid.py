"""Which of many fixed points lie near given places."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

CELLS_AT_MOST = 1_000_000
PICTURE_CELLS = 8_000_000


class Grid:
    """Points in the plane, sorted into square cells once and asked many times."""

    def __init__(self, points_um: Floats, cell_um: float) -> None:
        low, high = points_um.min(axis=0), points_um.max(axis=0)
        extent_um = np.maximum(high - low, 1e-6)
        self._cell_um = max(cell_um, float(np.sqrt(extent_um.prod() / CELLS_AT_MOST)))
        self._cell_um = max(self._cell_um, float(extent_um.max() / CELLS_AT_MOST))
        self._low, self._points = low, points_um
        self._shape = np.floor(extent_um / self._cell_um).astype(np.intp) + 1
        column, row = self._cells(points_um).T
        key = column * self._shape[1] + row
        self._order = np.argsort(key, kind="stable")
        self._starts = np.zeros(int(self._shape.prod()) + 1, np.intp)
        self._starts[1:] = np.cumsum(np.bincount(key, minlength=len(self._starts) - 1))

    def near(self, places_um: Floats, radius_um: Floats) -> tuple[Ints, Ints]:
        """Every (place, point) closer than that place's radius, as two arrays of indices."""
        reach = radius_um[:, None]
        low, high = self._cells(places_um - reach), self._cells(places_um + reach)
        columns = high[:, 0] - low[:, 0] + 1
        place = np.repeat(np.arange(len(places_um)), columns)
        column = low[place, 0] + counting(columns)
        first = self._starts[column * self._shape[1] + low[place, 1]]
        counts = self._starts[column * self._shape[1] + high[place, 1] + 1] - first
        found = self._order[np.repeat(first, counts) + counting(counts)]
        place = np.repeat(place, counts)
        apart = self._points[found] - places_um[place]
        inside = np.einsum("ij,ij->i", apart, apart) < radius_um[place] ** 2
        return place[inside], found[inside]

    def _cells(self, places_um: Floats) -> Ints:
        cells = np.floor((places_um - self._low) / self._cell_um)
        clipped: Ints = np.clip(cells, 0, self._shape - 1).astype(np.intp)
        return clipped


class Cover:
    """A picture of where fixed points are near: quick to ask, and never in doubt too strict."""

    def __init__(self, points_um: Floats, radius_um: float) -> None:
        low, high = points_um.min(axis=0) - 2 * radius_um, points_um.max(axis=0) + 2 * radius_um
        cells = float((high - low).prod()) / PICTURE_CELLS
        self._cell_um, self._low = max(radius_um / 2, math.sqrt(cells)), low
        self._shape = np.floor((high - low) / self._cell_um).astype(np.intp) + 1
        reach = math.ceil(radius_um / self._cell_um)
        steps = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
        gap = np.maximum(np.abs(steps) - 1, 0)  # between the nearest edges of the two cells
        steps = steps[np.hypot(*gap.T) * self._cell_um < radius_um]
        cells = np.floor((points_um - low) / self._cell_um).astype(np.intp)
        near = np.clip(cells[:, None] + steps, 0, self._shape - 1).reshape(-1, 2)
        self._lit = np.zeros(self._shape, bool)
        self._lit[near[:, 0], near[:, 1]] = True

    def over(self, places_um: Floats) -> NDArray[np.bool_]:
        """Whether a point may be as near as the radius."""
        cells = np.floor((places_um - self._low) / self._cell_um).astype(np.intp)
        inside = ((cells >= 0) & (cells < self._shape)).all(axis=1)
        column, row = np.where(inside[:, None], cells, 0).T
        covered: NDArray[np.bool_] = self._lit[column, row] & inside
        return covered


def counting(counts: Ints) -> Ints:
    """0, 1, … up to each count, one run after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - counts, counts)


def nearest(group: Ints, far: Floats, groups: int) -> tuple[Ints, Floats]:
    """The row of the least of each group, -1 where there is none, and the second least."""
    order = np.lexsort((far, group))
    ranked = group[order]
    first = np.flatnonzero(np.diff(ranked, prepend=-1))
    row, second = np.full(groups, -1), np.full(groups, np.inf)
    row[ranked[first]] = order[first]
    after = first[np.append(np.diff(first), len(ranked) - first[-1:]) > 1]
    second[ranked[after]] = far[order[after + 1]]
    return row, second
