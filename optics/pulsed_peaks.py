"""g2(0) under pulsed light: the area of the central peak, part of which neighbours may cover."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optics.decay_search import Goodness, Histogram, Model, Smears, goodness, search
from optics.decay_shapes import Floats, Smear, hindrance, unhindered_peak
from optics.shape_average import Estimate

DECAY_PS = (20.0, 20_000.0)
AT_ZERO = np.array([1.0, 1.0, 0.0, 0.0])  # of the columns: level and free photons
BINS_A_PERIOD = 128
NEAR_PERIODS = 1.5  # on each side of zero, kept as they are; those beyond are laid on each other
FAR_TAIL = 8.0  # decay times after which a peak's tail is left out


class PeakFit(NamedTuple):
    """`at_zero`: pairs within a pulse over uncorrelated ones, with the level below the peaks."""

    at_zero: Estimate
    neighbours: float  # mean of the side peaks, in the same units
    log_decay: Estimate
    goodness: Goodness


class PeakTrain:
    """A histogram around its central peak, and the shapes that photons of pulses leave in it."""

    def __init__(self, histogram: Histogram, period_ps: float) -> None:
        self._period_ps = period_ps
        width_ps = float(histogram.edges[1] - histogram.edges[0])
        stride = max(1, int(period_ps / BINS_A_PERIOD / width_ps))
        first, last = np.searchsorted(
            histogram.edges, [-NEAR_PERIODS * period_ps, NEAR_PERIODS * period_ps]
        )
        self.near = histogram.part(int(first), int(last), stride)
        self.far = self._folded(histogram, min(BINS_A_PERIOD, int(period_ps / width_ps)))
        self.whole = Histogram(
            np.concatenate([self.near.counts, self.far.counts]),
            np.concatenate([self.near.level, self.far.level]),
            self.near.edges,
        )

    def _folded(self, histogram: Histogram, bins: int) -> Histogram:
        """All complete periods past the near ones, as one."""
        turns = (histogram.edges[1:] + histogram.edges[:-1]) / (2 * self._period_ps)
        complete = np.floor(float(histogram.edges[-1]) / self._period_ps - 0.5) + 0.5
        inside = (np.abs(turns) > NEAR_PERIODS) & (np.abs(turns) < complete)
        place = ((turns[inside] + 0.5) % 1 * bins).astype(np.int64)
        counts = np.bincount(place, histogram.counts[inside], bins).astype(np.float64)
        level = np.bincount(place, histogram.level[inside], bins).astype(np.float64)
        return Histogram(counts, level, np.linspace(-0.5, 0.5, bins + 1) * self._period_ps)

    def columns(self, edges: Floats, decay_ps: float, smears: Sequence[Smear]) -> list[Floats]:
        """Level; photons free of each other; those of one emitter in the next pulse; in later ones.

        The free have a peak at every pulse, zero too; the others do not, which is antibunching.
        """
        reach = 2 + int(FAR_TAIL * decay_ps / self._period_ps)
        shifts = np.arange(-reach, reach + 1)[:, None] * self._period_ps
        near, far = (
            unhindered_peak(at - shifts, self._period_ps, decay_ps, smears)
            for at in (edges, self.far.edges)
        )
        comb, folded = near.sum(1), far.sum(1)
        middle = near[:, reach - 1 : reach + 2]
        following = middle[:, 0] + middle[:, 2] + self._hindered(edges, decay_ps, 0)
        later = comb - middle.sum(1)
        later += sum(self._hindered(edges, decay_ps, k) for k in range(1, reach))
        none = np.zeros_like(folded)
        parts = ((comb, folded), (following, none), (later, folded))
        flat = np.ones(comb.shape[1] + folded.shape[1])
        return [flat, *(np.concatenate(part, axis=1) for part in parts)]

    def _hindered(self, edges: Floats, decay_ps: float, pulses: int) -> Floats:
        """On both sides, so many pulses further out."""
        out = edges - pulses * self._period_ps, -edges[::-1] - pulses * self._period_ps
        after, before = (hindrance(at, self._period_ps, decay_ps) for at in out)
        return after + before[::-1]


def fit_peaks(train: PeakTrain, smears: Smears) -> PeakFit:
    """The central peak, over all decay times and spreads that the peaks could have."""
    found = search(train.whole, Model(train.columns, AT_ZERO), smears, DECAY_PS)
    reading = np.tile(AT_ZERO, (len(found.average.share), 1))
    best = found.average.coefficients[found.average.best]
    return PeakFit(
        at_zero=found.average.of_coefficients(reading),
        neighbours=float(best[:2].sum() + best[2]),
        log_decay=found.log_decay,
        goodness=goodness(train.whole, found.average.fitted, 6),
    )
