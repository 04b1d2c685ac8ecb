"""A number read off a histogram, averaged over the shapes that the histogram could have.

Each candidate shape is a sum of known columns and is fitted by weighted least squares; the fits are
averaged by their likelihood. Where the data know the shape this is a fit of its parameters; where
they do not, nothing is made of chance wiggles. The variance is that of the average itself under
Poisson counts (B. Efron, J. Am. Stat. Assoc. 109, 991 (2014)), so it holds in both cases.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optics.poisson_bounds import lower_limit, upper_limit

Floats = NDArray[np.float64]

SOFTENING = 0.1  # of a full level: keeps empty bins at the bottom of a dip from ruling the fit
RIDGE = 1e-9
# Counts n with the error sqrt(n + 1/2) cover their mean as one standard deviation should, on the
# average over small means: 0.73 below 30 counts (sqrt(n): 0.59, since none has no error then).
ONE_COUNT_MORE = 0.5
MANY_COUNTS = 1e4


class Estimate(NamedTuple):
    """A value, its variance, and how much one count more would add to it."""

    value: float
    variance: float
    count_size: float

    @property
    def error(self) -> float:
        return math.sqrt(self.variance)

    @property
    def upper_95(self) -> float:
        """One-sided bound."""
        return self.upper(0.05)

    def upper(self, risk: float) -> float:
        """One-sided: Garwood's for the number of counts of this size with this variance."""
        if self.count_size**2 * MANY_COUNTS < self.variance:
            return self.value + NormalDist().inv_cdf(1 - risk) * self.error
        return self.value + self.count_size * (upper_limit(self.counts, risk) - self.counts)

    def lower(self, risk: float) -> float:
        """The same from below."""
        if self.count_size**2 * MANY_COUNTS < self.variance:
            return self.value - NormalDist().inv_cdf(1 - risk) * self.error
        return self.value - self.count_size * (self.counts - lower_limit(self.counts, risk))

    @property
    def counts(self) -> float:
        """How many it rests on, if all had the same size."""
        return max(self.variance / self.count_size**2 - ONE_COUNT_MORE, 0.0)

    def scaled(self, factor: float, shift: float = 0.0) -> "Estimate":
        """The same of factor * value + shift."""
        return Estimate(
            factor * self.value + shift, factor**2 * self.variance, factor * self.count_size
        )

    def wider(self, variance: float) -> "Estimate":
        """With another, independent part of variance."""
        return self._replace(variance=self.variance + variance)


class ShapeAverage:
    """The fits of all candidates; `columns` is (candidates, columns, bins).

    `level` is what a bin would hold at a value of 1; `expected`, in such units, sets the weights.
    `floor` is a reading that no light brings below zero: no fit is, before it is expected.
    """

    def __init__(
        self,
        counts: Floats,
        level: Floats,
        columns: Floats,
        prior: Floats,
        expected: Floats,
        floor: Floats | None = None,
    ) -> None:
        self._columns = columns
        self._level = level
        self._means = level * np.maximum(expected, 0)
        self._weights = level / np.hypot(expected, SOFTENING)
        self._per_count = self._weights / level
        measured = counts / level
        normal = (columns * self._weights) @ columns.transpose(0, 2, 1)
        size = normal.shape[1]
        ridge = RIDGE * np.trace(normal, axis1=1, axis2=2)[:, None, None] / size * np.eye(size)
        self._inverse = np.linalg.inv(normal + ridge)
        sums = columns @ (self._weights * measured)
        self.coefficients: Floats = np.einsum("skl,sl->sk", self._inverse, sums)
        fitted = np.einsum("sk,skp->sp", self.coefficients, columns)
        self._residuals = measured - fitted
        self.chi_square: Floats = (self._residuals**2) @ self._weights
        self.best = int(np.argmin(self.chi_square))
        self.log_likelihood: Floats = (self.chi_square[self.best] - self.chi_square) / 2
        share = prior * np.exp(self.log_likelihood)
        self.share: Floats = share / share.sum()
        self.fitted: Floats = self._possible(floor) @ columns[self.best]

    def _possible(self, floor: Floats | None) -> Floats:
        """The coefficients of the best fit, or of the nearest one that is not below the floor."""
        best: Floats = self.coefficients[self.best]
        if floor is None or floor @ best >= 0:
            return best
        towards = self._inverse[self.best] @ floor
        possible: Floats = best - towards * (floor @ best) / (floor @ towards)
        return possible

    def of_coefficients(self, reading: Floats) -> Estimate:
        """The average of a linear reading, (candidates, columns), of each one's coefficients."""
        values = np.einsum("sk,sk->s", reading, self.coefficients)
        solved = np.einsum("sk,skl->sl", reading, self._inverse)
        moved = np.einsum("sl,slp->p", self.share[:, None] * solved, self._columns)
        return self._estimate(values, moved * self._per_count, np.maximum(moved * self._level, 0))

    def of_shape(self, values: Floats) -> Estimate:
        """The average of a property that each candidate has by itself."""
        return self._estimate(values, np.zeros(len(self._means)), self._means)

    def spread(self, values: Floats) -> float:
        """Variance between candidates."""
        return float(self.share @ (values - self.share @ values) ** 2)

    def _estimate(self, values: Floats, pull: Floats, more: Floats) -> Estimate:
        """`more`: where counts would come if the value were larger; they need not be there yet."""
        mean = float(self.share @ values)
        shift = (self.share * (mean - values)) @ self._residuals  # as counts move the shares
        pull = pull + shift * self._per_count
        square = max(float(pull**2 @ more), 1e-300)
        size = max(0.0, float(pull**3 @ more)) / square
        one_more = square / max(float(more.sum()), 1e-300)
        return Estimate(mean, float(pull**2 @ self._means) + ONE_COUNT_MORE * one_more, size)
