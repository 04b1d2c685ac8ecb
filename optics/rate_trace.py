"""Clicks in slices of time, however long the measurement: how steady, how bunched, on or off."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optics.clicks import Clicks
from optics.native import Int64s, Native, UInt8s

Floats = NDArray[np.float64]

SLICES = 1 << 16
FIRST_SHIFT = 20  # slices of 2**20 ps, about a microsecond, at first
FEWEST_SLICES = 32
CLEAR_COUNTS = 60.0  # mean of a slice in which on and off can be told apart
APART = 4.0  # standard deviations between the levels, if there are two
FEWEST_SWITCHES = 10
SETTLING = 20


class Blinking(NamedTuple):
    """Two levels of brightness: rates of both arms together, mean stays, share of time on."""

    on_cps: float
    off_cps: float
    on_s: float
    off_s: float
    on_share: float


class RateTrace:
    """Counts both arms in slices of equal length, which doubles whenever they run out."""

    def __init__(self) -> None:
        self._shift = FIRST_SHIFT
        self._counts = np.zeros((2, SLICES), np.int64)
        self._until_ps = 0

    def add(self, clicks: Clicks) -> None:
        """More clicks."""
        self._until_ps = clicks.until_ps
        while clicks.until_ps >> self._shift >= SLICES:
            halves = self._counts.reshape(2, SLICES // 2, 2).sum(2)
            self._counts = np.concatenate([halves, np.zeros_like(halves)], axis=1)
            self._shift += 1
        times, second = clicks.time_ps, clicks.second
        count_in_slices(times, second, len(times), self._shift, *self._counts)

    @property
    def slice_s(self) -> float:
        return float(2**self._shift) * 1e-12

    @property
    def counts(self) -> Int64s:
        """(2, slices): those that are complete."""
        return self._counts[:, : self._until_ps >> self._shift]


def mandel_q(counts: Int64s, slice_s: float) -> dict[float, float]:
    """Variance over mean, less one, by the length of the slice in seconds."""
    found = {}
    while len(counts) >= FEWEST_SLICES and counts.any():
        found[slice_s] = float(counts.var(ddof=1) / counts.mean()) - 1
        counts, slice_s = _joined(counts, 4), slice_s * 4
    return found


def blinking(counts: Int64s, slice_s: float) -> Blinking | None:
    """The two levels, if the slices fall apart into two and change often enough to be blinking."""
    if not counts.any():
        return None
    join = max(1, int(CLEAR_COUNTS / counts.mean()))
    counts, slice_s = _joined(counts, join), slice_s * join
    if len(counts) < FEWEST_SLICES:
        return None
    bright = _bright(counts)
    if not bright.any():
        return None
    on, off = counts[bright], counts[~bright]
    switches = int(np.count_nonzero(bright[1:] != bright[:-1]))
    apart = on.mean() - off.mean() > APART * np.sqrt(on.mean())
    if not apart or switches < FEWEST_SWITCHES:
        return None
    share = float(bright.mean())
    stay_s = 2 * len(counts) * slice_s / switches
    levels = float(on.mean()) / slice_s, float(off.mean()) / slice_s
    return Blinking(*levels, stay_s * share, stay_s * (1 - share), share)


def _bright(counts: Int64s) -> NDArray[np.bool_]:
    """Above the middle between the mean of those above and the mean of those below."""
    bright: NDArray[np.bool_] = counts > counts.mean()
    for _ in range(SETTLING):
        if bright.any():
            bright = counts > (counts[bright].mean() + counts[~bright].mean()) / 2
    return bright


def _joined(counts: Int64s, join: int) -> Int64s:
    whole = len(counts) // join * join
    joined: Int64s = counts[:whole].reshape(-1, join).sum(1)
    return joined


@Native
def count_in_slices(
    times: Int64s, second: UInt8s, n: int, shift: int, first_arm: Int64s, second_arm: Int64s
) -> int:
    """Add each arm's clicks to their slices, slice after slice."""
    k = 0
    end = 0
    began = 0
    found_b = 0
    for i in range(n):
        if times[i] >= end:
            first_arm[k] += i - began - found_b
            second_arm[k] += found_b
            began = i
            found_b = 0
            k = times[i] >> shift
            end = (k + 1) << shift
        found_b += second[i]
    first_arm[k] += n - began - found_b
    second_arm[k] += found_b
    return n
