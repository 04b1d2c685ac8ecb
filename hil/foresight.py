"""Cells settled before their time, many at once, and forgotten as soon as something changes.

What a cell counts follows from seed, cell and the light at its beginning, so the future may be
worked out as if nothing were to happen; whatever does happen is told, and undoes what lies behind.
"""

from collections.abc import Callable

import numpy as np

from hil.cells import Cells
from hil.keyed import Ints

LEAST, MOST = 128, 1024
"""Cells settled at once: few after a change, up to `most` the longer nothing happens."""


class Foresight:
    """`settled` makes cells, `coinciding` the coincidences in each; `barrier` ends a scene."""

    def __init__(
        self,
        settled: Callable[[int, int], Cells],
        coinciding: Callable[[Cells, int], Ints],
        barrier: Callable[[int], int],
    ) -> None:
        self._settled, self._coinciding, self._barrier = settled, coinciding, barrier
        self._first = self._end = 0
        self._size, self.most = LEAST, MOST
        self._cells: Cells | None = None
        self._clicks = np.zeros((2, 1), np.int64)
        self._pairs: dict[int, Ints] = {}

    def changed(self, cell: int) -> None:
        """Something is otherwise from that cell on."""
        if cell < self._end:
            self._end, self._size = max(cell, self._first), min(LEAST, self.most)

    def clicks(self, first: int, end: int) -> tuple[int, int]:
        """Of both detectors, from the first to before the end."""
        a, b = self._place(first, end)
        one, other = self._clicks
        return int(one[b] - one[a]), int(other[b] - other[a])

    def gate(self, first: int, end: int, within_ps: int) -> tuple[int, int, int]:
        """Clicks of both, and coincidences."""
        a, b = self._place(first, end)
        one, other = self._clicks
        pairs = self._paired(within_ps)
        return int(one[b] - one[a]), int(other[b] - other[a]), int(pairs[b] - pairs[a])

    def coincidences(self, first: int, end: int, within_ps: int) -> int:
        """Of them, so close together."""
        a, b = self._place(first, end)
        pairs = self._paired(within_ps)
        return int(pairs[b] - pairs[a])

    def _paired(self, within_ps: int) -> Ints:
        if within_ps not in self._pairs and self._cells is not None:
            self._pairs[within_ps] = _summed(self._coinciding(self._cells, within_ps))
        return self._pairs[within_ps]

    def _place(self, first: int, end: int) -> tuple[int, int]:
        if first < self._first or end > self._end:
            self._look(first, end)
        return first - self._first, end - self._first

    def _look(self, first: int, end: int) -> None:
        if first == self._end:
            self._size = min(2 * self._size, self.most)
        ahead = min(max(end, first + self._size), max(end, self._barrier(first)))
        self._cells = self._settled(first, ahead)
        self._first, self._end = first, ahead
        self._clicks, self._pairs = _summed(self._cells.clicks), {}


def _summed(numbers: Ints) -> Ints:
    """Of all before each place."""
    total = np.zeros((*numbers.shape[:-1], numbers.shape[-1] + 1), np.int64)
    np.cumsum(numbers, axis=-1, out=total[..., 1:])
    return total
