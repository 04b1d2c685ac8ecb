"""Fits a histogram over all decay times and timing spreads that it could have."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optics.decay_shapes import Floats, Smear
from optics.poisson_bounds import chi_square_chance
from optics.shape_average import Estimate, ShapeAverage

Columns = Callable[[Floats, float, Sequence[Smear]], list[Floats]]
"""Of edges, a decay time and smears; a column is (bins,) or, one for each smear, (smears, bins)."""

FIRST_DECAYS, FEW_DECAYS, DECAYS = 20, 7, 13
ENOUGH_PLAYING, MOST_ROUNDS = 3, 12
FINER = 7  # spreads tried between two that were
NEGLIGIBLE = -7.0  # log likelihood below the best, from which a shape plays no part
ENOUGH_COUNTS = 10.0  # expected in a bin, to let it take part in chi-square


class Model(NamedTuple):
    """What a histogram is fitted with; `floor`: a reading of the columns not below zero."""

    columns: Columns
    floor: Floats | None = None


class Histogram(NamedTuple):
    """Counts of pairs, what each bin would hold if g2 were 1, and the edges in picoseconds."""

    counts: Floats
    level: Floats
    edges: Floats

    def merged(self, starts: NDArray[np.intp]) -> "Histogram":
        """With fewer bins: `starts` are the indices at which they begin."""
        edges = np.append(self.edges[starts], self.edges[-1])
        counts, level = (np.add.reduceat(part, starts) for part in (self.counts, self.level))
        return Histogram(counts, level, edges)

    def part(self, start: int, stop: int, stride: int) -> "Histogram":
        """A run of its bins, so many joined to one; what is left over at the end is left out."""
        size = (stop - start) // stride
        counts, level = (
            whole[start : start + size * stride].reshape(size, stride).sum(1)
            for whole in (self.counts, self.level)
        )
        return Histogram(counts, level, self.edges[start : start + size * stride + 1 : stride])

    def moved(self, shift_ps: float) -> "Histogram":
        """With its zero moved up."""
        return self._replace(edges=self.edges - shift_ps)


class Smears(NamedTuple):
    """The timing spreads that are possible, and how likely each is beforehand."""

    choices: Sequence[Smear]
    prior: Sequence[float]

    def only(self, chosen: Sequence[int]) -> "Smears":
        """Some of them."""
        return Smears([self.choices[j] for j in chosen], [self.prior[j] for j in chosen])

    def finer(self, chosen: Sequence[int]) -> "Smears":
        """Spreads between the neighbours of those chosen, if spread is all they differ in."""
        if any(smear.tail_share for smear in self.choices) or len(self.choices) == 1:
            return self.only(chosen)
        first, last = max(chosen[0] - 1, 0), min(chosen[-1] + 1, len(self.choices) - 1)
        ends = self.choices[first].core_ps, self.choices[last].core_ps
        prior = [self.prior[first], *[self.prior[last]] * (FINER - 1)]
        return Smears([Smear(float(core)) for core in np.linspace(*ends, FINER)], prior)


class Goodness(NamedTuple):
    """How well a model describes the counts; a true one does worse with this chance."""

    chi_square: float
    freedom: int
    chance: float


class Search(NamedTuple):
    """The fits of the last round, with the decay time and the spread of each."""

    average: ShapeAverage
    decays: Floats
    smears: list[Smear]

    def over_smears(self, values: Floats) -> float:
        """Variance of a value between the spreads, each averaged over its decay times."""
        share = self.average.share.reshape(-1, len(self.smears))
        weight = share.sum(0)
        means = (share * values.reshape(share.shape)).sum(0) / np.maximum(weight, 1e-300)
        return float(weight @ (means - weight @ means) ** 2)

    @property
    def shapes(self) -> list[tuple[float, Smear]]:
        return [(float(decay), smear) for decay in self.decays for smear in self.smears]

    @property
    def best(self) -> tuple[float, Smear]:
        return self.shapes[self.average.best]

    @property
    def log_decay(self) -> Estimate:
        """Of the natural logarithm of the decay time in ps."""
        return self.average.of_shape(np.repeat(np.log(self.decays), len(self.smears)))


def search(
    histogram: Histogram, model: Model, smears: Smears, decays_ps: tuple[float, float]
) -> Search:
    """Closes in on the decay times that matter, then on the spreads."""
    few = smears.only(sorted({0, len(smears.choices) // 3}))
    flat = np.ones(len(histogram.counts))
    found = _closed_in(histogram, model, few, np.geomspace(*decays_ps, FIRST_DECAYS), flat)
    found = _closed_in(histogram, model, smears, *_around(found))
    if len(_playing_smears(found)) < ENOUGH_PLAYING:
        smears = smears.finer(_playing_smears(found))
        found = _closed_in(histogram, model, smears, *_around(found))
    smears = smears.only(_playing_smears(found))
    return _closed_in(histogram, model, smears, *_around(found, DECAYS))


def _closed_in(
    histogram: Histogram, model: Model, smears: Smears, decays: Floats, expected: Floats
) -> Search:
    """Until the decay times lie so close that several of them play a part."""
    found = _tried(histogram, model, smears, decays, expected)
    for _ in range(MOST_ROUNDS):
        if len(_playing_decays(found)) >= ENOUGH_PLAYING:
            break
        found = _tried(histogram, model, smears, *_around(found))
    return found


def _tried(
    histogram: Histogram, model: Model, smears: Smears, decays: Floats, expected: Floats
) -> Search:
    counts, level, edges = histogram
    shapes = np.concatenate(
        [stacked(model.columns(edges, float(decay), smears.choices)) for decay in decays]
    )
    prior = np.tile(smears.prior, len(decays))
    average = ShapeAverage(counts, level, shapes, prior, expected, model.floor)
    return Search(average, decays, list(smears.choices))


def stacked(columns: list[Floats]) -> Floats:
    """As (smears, columns, bins)."""
    return np.stack(np.broadcast_arrays(*np.atleast_2d(*columns)), axis=1)


def _around(found: Search, size: int = FEW_DECAYS) -> tuple[Floats, Floats]:
    """Decay times about those that play a part, and what to expect of the counts."""
    playing, last = _playing_decays(found), len(found.decays) - 1
    low, high = found.decays[max(playing[0] - 1, 0)], found.decays[min(playing[-1] + 1, last)]
    return np.geomspace(low, high, size), found.average.fitted


def _playing_decays(found: Search) -> list[int]:
    best = found.average.log_likelihood.reshape(-1, len(found.smears)).max(1)
    return [int(k) for k in np.flatnonzero(best > NEGLIGIBLE)]


def _playing_smears(found: Search) -> list[int]:
    best = found.average.log_likelihood.reshape(-1, len(found.smears)).max(0)
    return [int(k) for k in np.flatnonzero(best > NEGLIGIBLE)]


def goodness(histogram: Histogram, fitted: Floats, parameters: int) -> Goodness:
    """Pearson's chi-square, over neighbouring bins joined until each expects enough."""
    expected = histogram.level * np.maximum(fitted, 0)
    whole = np.floor(np.cumsum(expected) / ENOUGH_COUNTS)
    starts = np.flatnonzero(np.diff(whole, prepend=-1.0))
    counts, means = (np.add.reduceat(part, starts) for part in (histogram.counts, expected))
    chi_square = float(((counts - means) ** 2 / np.maximum(means, 1e-9)).sum())
    freedom = len(starts) - parameters
    return Goodness(chi_square, freedom, chi_square_chance(chi_square, freedom))
