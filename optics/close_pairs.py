"""All pairs again, where most clicks stand alone: each looks back, and only if another is near."""

import numpy as np

from optics.clicks import Clicks
from optics.correlator import Binning, PairCounter
from optics.native import Int64s, Native, UInt8s

FEW_NEAR = 1.0  # clicks in the reach of another, up to which looking back is the quicker way


class Pairs:
    """Counts pairs by tau = t_B - t_A - delay, in the way that is quicker at the first clicks."""

    def __init__(self, binning: Binning, delay_ps: int = 0) -> None:
        self.binning = binning
        self._delay_ps = delay_ps
        self.way: ClosePairs | PairCounter | None = None

    @property
    def counts(self) -> Int64s:
        """Up to now; some wait for clicks to come."""
        return np.zeros(self.binning.bins, np.int64) if self.way is None else self.way.counts

    def add(self, clicks: Clicks) -> None:
        """The next chunk."""
        if self.way is None and len(clicks.time_ps):
            self.way = self._quicker(clicks)
        if isinstance(self.way, ClosePairs):
            self.way.add(clicks)
        elif self.way is not None:
            self.way.add(clicks.a_ps, clicks.b_ps, clicks.until_ps)

    def finish(self) -> Int64s:
        """The counts, once no more clicks come; any that do begin a stretch of their own."""
        return self.counts if self.way is None else self.way.finish()

    def _quicker(self, clicks: Clicks) -> "ClosePairs | PairCounter":
        close = ClosePairs(self.binning, self._delay_ps)
        span_ps = clicks.until_ps - int(clicks.time_ps[0]) + 1
        few = len(clicks.time_ps) * close.reach_ps < FEW_NEAR * span_ps
        if few and self.binning.reciprocal:
            return close
        return PairCounter(self.binning, self._delay_ps)


class ClosePairs:
    """Keeps no more than the clicks that those to come may reach."""

    def __init__(self, binning: Binning, delay_ps: int) -> None:
        self.counts = np.zeros(binning.bins, np.int64)
        self._first_ps = binning.first_ps + delay_ps
        self._width_ps = binning.width_ps
        self._reciprocal = binning.reciprocal or (0, 0)
        self.reach_ps = max(self._first_ps + self._width_ps, 1 - self._first_ps)
        self._left = np.empty(0, np.int64), np.empty(0, np.uint8)

    def add(self, clicks: Clicks) -> None:
        """The next chunk."""
        times, second = clicks.time_ps, clicks.second
        if not len(times):
            return
        begun = int(np.searchsorted(times, int(times[0]) + self.reach_ps))
        before = int(np.searchsorted(self._left[0], int(times[0]) - self.reach_ps))
        beginning = (
            np.concatenate([self._left[0][before:], times[:begun]]),
            np.concatenate([self._left[1][before:], second[:begun]]),
        )
        self._count(*beginning, len(self._left[0]) - before)
        self._count(times, second, begun)
        if begun == len(times):
            self._left = beginning
        else:
            left = int(np.searchsorted(times, clicks.until_ps - self.reach_ps))
            self._left = times[left:].copy(), second[left:].copy()

    def finish(self) -> Int64s:
        """The counts; clicks that still come begin a stretch of their own."""
        self._left = self._left[0][:0], self._left[1][:0]
        return self.counts

    def _count(self, times: Int64s, second: UInt8s, start: int) -> None:
        """Pairs whose later click is at `start` or behind."""
        near = np.empty(len(times) + 1, np.int64)
        found = find_close(times, max(start, 1), len(times), self.reach_ps, near)
        count_back(
            times, second, near, found, self._first_ps, self._width_ps, self.reach_ps,
            *self._reciprocal, self.counts,
        )  # fmt: skip


@Native
def find_close(times: Int64s, start: int, n: int, reach: int, near: Int64s) -> int:
    """Which clicks, from `start` on, have another less than `reach` before them; how many."""
    found = 0
    previous = times[start - 1]
    for i in range(start, n):
        near[found] = i
        found += times[i] - previous < reach
        previous = times[i]
    return found


@Native
def count_back(
    times: Int64s, second: UInt8s, near: Int64s, n: int, first: int, width: int, reach: int,
    multiplier: int, shift: int, counts: Int64s,
) -> int:  # fmt: skip
    """Add the pairs that these clicks make with any of the other detector before them."""
    for m in range(n):
        time = times[near[m]]
        is_b = second[near[m]]
        j = near[m] - 1
        while j >= 0:
            gap = time - times[j]
            if gap < reach:
                x = gap * (2 * is_b - 1) - first
                one = (second[j] != is_b) & (x >= 0) & (x < width)
                counts[((x * multiplier) >> shift) * one] += one
                j -= 1
            else:
                j = 0 - 1
    return n
