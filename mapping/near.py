"""Which spots lie near which, of all frames at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.grid import counting

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


def pairs(frame: Ints, y: Floats, x: Floats, reach: float) -> Ints:
    """Every two of one frame that are at most `reach` apart, once, the lower index first (m, 2)."""
    if len(y) < 2:
        return np.empty((0, 2), np.int64)
    row, column = (np.floor((at - at.min()) / reach).astype(np.int64) for at in (y, x))
    width, height = int(column.max()) + 3, int(row.max()) + 2
    cell = (frame * height + row) * width + column
    order = np.argsort(cell, kind="stable")
    cells, turn = cell[order], np.arange(len(cell))
    here = turn + 1, np.searchsorted(cells, cells + 1, "right")  # of two in a row the later
    below = (
        np.searchsorted(cells, cells + width - 1),
        np.searchsorted(cells, cells + width + 1, "right"),
    )
    one, other = (np.concatenate(side) for side in zip(_runs(*here), _runs(*below), strict=True))
    one, other = order[one], order[other]
    close = np.hypot(y[one] - y[other], x[one] - x[other]) <= reach
    both = np.column_stack([one[close], other[close]])
    return np.sort(both, axis=1)


def _runs(first: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Each place with all from its first to before its end."""
    counts = end - first
    return np.repeat(np.arange(len(first)), counts), np.repeat(first, counts) + counting(counts)


def groups(count: int, joined: Ints) -> Ints:
    """The group that each of so many is in, numbered from 0, where pairs belong together."""
    group = np.arange(count)
    while True:
        least = group.copy()
        np.minimum.at(least, joined[:, 0], group[joined[:, 1]])
        np.minimum.at(least, joined[:, 1], group[joined[:, 0]])
        if (least == group).all():
            return np.unique(group, return_inverse=True)[1].astype(np.int64)
        group = least
