"""What one detector does to itself: dead time and afterpulses, from its own pairs of clicks.

Afterpulses are the pairs a channel has with itself beyond those that both channels have with each
other at the same distance: the beam splitter knows no preference, so without them they are equal.
"""

from typing import NamedTuple

import numpy as np

from optics.clicks import Clicks
from optics.correlator import Binning, PairCounter
from optics.native import Int64s
from optics.poisson_bounds import Floats
from optics.shape_average import Estimate, ShapeAverage

BIN_PS, REACH_PS = 1_000, 4_000_000
OWN, BOTH = Binning(BIN_PS, REACH_PS // 2), Binning(BIN_PS, REACH_PS)
OWN_FROM_ZERO_PS = -OWN.first_ps  # a delay that puts the edge of the first bin at zero
AFTERPULSE_PS = np.geomspace(10e3, 2e6, 14)
SLOT_PS = 10_000.0
SMOOTH = 31
NOISE = 1.5  # variance of the difference, in that of the channel's own pairs
FIRST_PAIRS, CLEAR_PAIRS = 3, 1.0  # pairs to see the end of the dead time; in a bin at least


class Detector(NamedTuple):
    """What was found; `dead_ps` is 0 where none is seen or too few clicks tell."""

    afterpulsing: Estimate
    afterpulse_ps: float
    dead_ps: float
    rate_cps: float


class SameChannel:
    """Pairs within each channel and between them, up to about so many, however long it goes on."""

    def __init__(self, delay_ps: int, most_pairs: float) -> None:
        self._own = [PairCounter(OWN, OWN_FROM_ZERO_PS) for _ in range(2)]
        self._both = PairCounter(BOTH, delay_ps)
        self._most_pairs = most_pairs
        self._clicks = np.zeros(2)
        self._until_ps = self._earlier_ps = 0

    def add(self, clicks: Clicks) -> None:
        """More clicks; ignored once there are pairs enough."""
        if self._seen_enough:
            return
        a, b, until = clicks.a_ps, clicks.b_ps, clicks.until_ps
        self._own[0].add(a, a, until)
        self._own[1].add(b, b, until)
        self._both.add(a, b, until)
        self._clicks += len(a), len(b)
        self._until_ps = until

    @property
    def _seen_enough(self) -> bool:
        return sum(int(own.counts.sum()) for own in self._own) > self._most_pairs

    def pause(self) -> None:
        """What comes now begins a stretch of its own."""
        for counter in (*self._own, self._both):
            counter.finish()
        self._earlier_ps += self._until_ps
        self._until_ps = 0

    @property
    def _duration_ps(self) -> int:
        return self._earlier_ps + self._until_ps

    def detectors(self, period_ps: float | None) -> list[Detector] | None:
        """Both arms; `period_ps` if the light comes in pulses."""
        if not self._clicks.all() or self._duration_ps <= 2 * REACH_PS:
            return None
        slot_ps = period_ps or SLOT_PS
        both = self._both.finish() * (self._duration_ps / (2 * slot_ps * self._clicks.prod()))
        return [
            self._detector(own.finish(), clicks, both, slot_ps)
            for own, clicks in zip(self._own, self._clicks, strict=True)
        ]

    def _detector(self, own: Int64s, clicks: float, both: Floats, slot_ps: float) -> Detector:
        own = own.copy()
        own[0] -= int(clicks)  # each click with itself
        rate_cps = clicks / self._duration_ps * 1e12
        level = clicks**2 / self._duration_ps
        dead_ps = _dead_time(own, level * BIN_PS) or 0.0
        slots = _slots(dead_ps + BIN_PS, slot_ps)
        reference = _within(slots, both, BOTH.first_ps) - _within(-slots, both, BOTH.first_ps)
        since = slots - dead_ps
        decays = [[-np.diff(np.exp(-since / at))] for at in AFTERPULSE_PS]
        level *= slot_ps
        excess = _within(slots, own, 0) / level - reference
        fits = _fitted(excess, level, np.array(decays) * clicks / level, _smooth(reference))
        share = fits.of_coefficients(np.ones((len(AFTERPULSE_PS), 1)))
        # After a click the detector is surely alive again, so its own pairs crowd there a little.
        crowding = (rate_cps * dead_ps * 1e-12) ** 2 / 2
        time_ps = dead_ps + float(fits.share @ AFTERPULSE_PS)
        return Detector(share._replace(value=share.value - crowding), time_ps, dead_ps, rate_cps)


def _fitted(excess: Floats, level: float, columns: Floats, light: Floats) -> ShapeAverage:
    """Twice, since the afterpulses themselves are counts that scatter."""
    levels = np.full(len(excess), level / NOISE)
    prior = np.ones(len(columns))
    first = ShapeAverage(excess * levels, levels, columns, prior, light)
    return ShapeAverage(
        excess * levels, levels, columns, prior, light + np.maximum(first.fitted, 0)
    )


def _smooth(values: Floats) -> Floats:
    """Running means, over fewer values at the ends."""
    box = np.ones(min(SMOOTH, len(values)))
    means: Floats = np.convolve(values, box, "same") / np.convolve(
        np.ones(len(values)), box, "same"
    )
    return np.maximum(means, 0.01)


def _slots(alive_ps: float, slot_ps: float) -> Floats:
    """Edges of slots around each multiple of the slot, as far as the detector is alive in them."""
    edges = (np.arange(int(REACH_PS / slot_ps - 0.5) + 1, dtype=np.float64) + 0.5) * slot_ps
    dead = int(np.searchsorted(edges, alive_ps, "right"))
    edges[max(dead - 1, 0)] = max(alive_ps, float(edges[max(dead - 1, 0)]))
    alive: Floats = edges[max(dead - 1, 0) :]
    return alive


def _within(at: Floats, counts: Int64s | Floats, first_ps: float) -> Floats:
    """Counts between each two of these places; below zero where they fall."""
    edges = first_ps + BIN_PS * np.arange(len(counts) + 1)
    sums: Floats = np.diff(np.interp(at, edges, np.concatenate([[0.0], np.cumsum(counts)])))
    return sums


def _dead_time(own: Int64s, level: float) -> float | None:
    """Where the channel's own pairs begin."""
    if level < CLEAR_PAIRS:
        return None
    return float(np.searchsorted(np.cumsum(own), FIRST_PAIRS) * BIN_PS)
