"""A setting and its history: what it is, was, and is already bound to become."""

import math
from bisect import bisect_right
from collections.abc import Callable

import numpy as np

from hil.keyed import Floats

REMEMBERED = 4096
"""Changes kept at least; older ones are forgotten, twice as many at a time."""


def _nobody(_since_s: float) -> None:
    """Wants to know."""


class Timeline:
    """One or several numbers that hold from one change to the next; `changed` is told of each."""

    def __init__(self, *start: float, changed: Callable[[float], None] = _nobody) -> None:
        self._times_s, self._values = [-math.inf], [start]
        self._columns: list[Floats | None] = [None]  # the values as arrays, where they were wanted
        self._changed = changed

    def set(self, since_s: float, *values: float) -> None:
        """From then until the next change that is known; may lie in the past or in the future."""
        self._changed(since_s)
        at = bisect_right(self._times_s, since_s)
        if self._times_s[at - 1] == since_s:
            self._values[at - 1], self._columns[at - 1] = values, None
            return
        self._times_s.insert(at, since_s)
        self._values.insert(at, values)
        self._columns.insert(at, None)
        if len(self._times_s) > 3 * REMEMBERED:
            for old in (self._times_s, self._values, self._columns):
                del old[1 : 2 * REMEMBERED]

    def between(self, since_s: float, until_s: float, *values: float) -> None:
        """For a while; then it is what it was at the beginning of that while."""
        before = self.at(since_s)
        self.set(since_s, *values)
        self.set(until_s, *before)

    def at(self, now_s: float) -> tuple[float, ...]:
        """The numbers at one instant."""
        return self._values[bisect_right(self._times_s, now_s) - 1]

    def changed_s(self, now_s: float) -> float:
        """Since when it is what it is."""
        return self._times_s[bisect_right(self._times_s, now_s) - 1]

    def highest(self, since_s: float, until_s: float) -> float:
        """Of the first number, in the interval."""
        first = bisect_right(self._times_s, since_s) - 1
        return max(
            values[0] for values in self._values[first : bisect_right(self._times_s, until_s)]
        )

    def over(self, times_s: Floats) -> Floats:
        """A row for each number, a column for each of the rising times, or one for all."""
        first = bisect_right(self._times_s, times_s[0]) - 1
        last = bisect_right(self._times_s, times_s[-1])
        if last - first == 1:
            return self._column(first)
        known = np.array(self._values[first:last]).T
        return known[:, np.searchsorted(self._times_s[first:last], times_s, side="right") - 1]

    def _column(self, at: int) -> Floats:
        column = self._columns[at]
        if column is None:
            column = self._columns[at] = np.array([self._values[at]]).T
            column.flags.writeable = False
        return column
