"""All pairs of clicks of two detectors, counted by their difference in time, chunk by chunk."""

import numpy as np
from numpy.typing import NDArray

from optics.native import Int64s, Native

NONE = np.empty(0, np.int64)
NEVER = np.array([np.iinfo(np.int64).max])  # stands behind the last click, so no loop overruns
RECIPROCAL_BITS = 62
CROWDED_BIN = 6  # clicks of B in a bin, from which walking its two edges beats visiting each


class Binning:
    """Centres on multiples of the bin; each bin holds its lower edge and not its upper."""

    def __init__(self, bin_ps: int, window_ps: int) -> None:
        self.bin_ps = bin_ps
        self.reach = -(-window_ps // bin_ps)
        self.bins = 2 * self.reach + 1
        self.width_ps = self.bins * bin_ps
        self.first_ps = -(self.reach * bin_ps + bin_ps // 2)  # the lowest whole picosecond in it

    @property
    def reciprocal(self) -> tuple[int, int] | None:
        """x // bin == x * multiplier >> shift for each x in the window, unless that overflows.

        It holds for 0 <= x < width while width * bin < 2**shift.
        """
        shift = RECIPROCAL_BITS - self.bins.bit_length()
        if self.width_ps * self.bin_ps >= 1 << shift:
            return None
        return (1 << shift) // self.bin_ps + 1, shift

    @property
    def tau_ps(self) -> Int64s:
        """The centres."""
        return np.arange(-self.reach, self.reach + 1, dtype=np.int64) * self.bin_ps

    @property
    def edges_ps(self) -> NDArray[np.float64]:
        """Of the intervals that the bins stand for, one more than there are bins."""
        half_ps = self.width_ps / 2
        return np.linspace(-half_ps, half_ps, self.bins + 1)


class PairCounter:
    """Counts pairs by tau = t_B - t_A - delay; holds twice the clicks in a window at most."""

    def __init__(self, binning: Binning, delay_ps: int = 0) -> None:
        self.binning = binning
        self.counts = np.zeros(binning.bins, np.int64)
        self._first_ps = binning.first_ps + delay_ps
        self._last_ps = self._first_ps + binning.width_ps
        self._reciprocal = binning.reciprocal
        self._a: list[Int64s] = [NONE]
        self._b: list[Int64s] = [NONE]
        self._new = self._held = 0

    def add(self, a_ps: Int64s, b_ps: Int64s, until_ps: int) -> None:
        """More clicks, sorted, none before those given; none will come before `until_ps`."""
        self._a.append(a_ps)
        self._b.append(b_ps)
        self._new += len(a_ps) + len(b_ps)
        if self._new >= self._held:  # else a wide window would be copied for each small chunk
            self._sweep(until_ps)

    def finish(self) -> Int64s:
        """The counts, once no more clicks come; any that do begin a stretch of their own."""
        self._count(np.concatenate(self._a), np.concatenate([*self._b, NEVER]))
        self._a, self._b = [NONE], [NONE]
        self._new = self._held = 0
        return self.counts

    def _sweep(self, until_ps: int) -> None:
        """Count for every click of A whose partners are all here; keep what later ones may need."""
        a, b = np.concatenate(self._a), np.concatenate([*self._b, NEVER])
        ready = int(np.searchsorted(a, until_ps - self._last_ps, "right"))
        self._count(a[:ready], b)
        earliest = int(a[ready]) if ready < len(a) else until_ps
        passed = int(np.searchsorted(b[:-1], earliest + self._first_ps))
        self._a, self._b = [a[ready:]], [b[passed:-1]]
        self._new, self._held = 0, len(a) - ready + len(b) - 1 - passed

    def _count(self, a: Int64s, b: Int64s) -> None:
        if not len(a):
            return
        grid = self.binning
        start = int(np.searchsorted(b, a[0] + self._first_ps))
        stop = int(np.searchsorted(b, a[-1] + self._last_ps))
        span_ps = int(a[-1] - a[0]) + grid.width_ps
        if (stop - start) * grid.bin_ps > CROWDED_BIN * span_ps:
            edges = self._first_ps + grid.bin_ps * np.arange(grid.bins + 1)
            at = np.searchsorted(b, a[0] + edges)
            below = np.empty(grid.bins + 1, np.int64)
            count_below_edges(a, len(a), b, edges, at, len(edges), below)
            self.counts += np.diff(below)
        elif self._reciprocal:
            limits = self._first_ps, self._last_ps
            count_pairs(a, len(a), b, start, *limits, *self._reciprocal, self.counts)
        else:
            count_far_pairs(
                a, len(a), b, start, self._first_ps, self._last_ps, grid.bin_ps, self.counts
            )


@Native
def count_pairs(
    a: Int64s, n: int, b: Int64s, start: int, first: int, last: int,
    multiplier: int, shift: int, counts: Int64s,
) -> int:  # fmt: skip
    """Add every pair of the first n of `a` with `b`; division by the bin as a multiplication."""
    for i in range(n):
        low = a[i] + first
        high = a[i] + last
        while b[start] < low:
            start += 1
        j = start
        while b[j] < high:
            counts[((b[j] - low) * multiplier) >> shift] += 1
            j += 1
    return start


@Native
def count_far_pairs(
    a: Int64s, n: int, b: Int64s, start: int, first: int, last: int, bin_ps: int, counts: Int64s
) -> int:
    """The same for windows beyond milliseconds, where the multiplication would overflow."""
    for i in range(n):
        low = a[i] + first
        high = a[i] + last
        while b[start] < low:
            start += 1
        j = start
        while b[j] < high:
            counts[(b[j] - low) // bin_ps] += 1
            j += 1
    return start


@Native
def count_below_edges(
    a: Int64s, n: int, b: Int64s, edges: Int64s, at: Int64s, n_edges: int, below: Int64s
) -> int:
    """For each edge, the pairs with t_B - t_A below it; `at`: where the first click's edges lie."""
    for k in range(n_edges):
        edge = edges[k]
        j = at[k]
        total = 0
        for i in range(n):
            limit = a[i] + edge
            while b[j] < limit:
                j += 1
            total += j
        below[k] = total
    return n_edges
