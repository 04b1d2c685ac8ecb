"""What exponential decays leave in a histogram of time differences, averaged over each bin.

`edges` are the edges of the bins, in picoseconds.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optics.poisson_bounds import normal_cdf, scaled_erfc

Floats = NDArray[np.float64]
Shape = Callable[[Floats, float, float], Floats]

SHARP = 1e-3  # of the decay time: a smear below this is none
LARGEST_POWER = 700.0  # of e, in a double


class Smear(NamedTuple):
    """Spread of a time difference: a Gaussian, and for a share of them two-sided tails on top."""

    core_ps: float
    tail_share: float = 0.0
    tail_ps: float = 0.0

    @classmethod
    def of(cls, spread_ps: float, tail_share: float = 0.0, tail_ratio: float = 0.0) -> "Smear":
        """With this standard deviation in all, and tails so many times as long as the core."""
        core = spread_ps / math.sqrt(1 + 2 * tail_share * tail_ratio**2)
        return cls(core, tail_share, tail_ratio * core)


def two_sided(edges: Floats, decay_ps: float, smear: Smear) -> Floats:
    """exp(-|t| / decay), smeared: height 1 and area 2 decay before it was."""
    averages: Floats = np.diff(_smeared(_integral, edges, decay_ps, smear)) / np.diff(edges)
    return averages


def two_sided_at_zero(decay_ps: float, smear: Smear) -> float:
    """Its height once smeared."""
    return float(_smeared(_value, np.zeros(1), decay_ps, smear)[0])


def two_sided_slope(edges: Floats, decay_ps: float, smear: Smear) -> Floats:
    """How its averages change when its centre moves up, per picosecond."""
    slope: Floats = -np.diff(_smeared(_value, edges, decay_ps, smear)) / np.diff(edges)
    return slope


def unhindered_peak(edges: Floats, period_ps: float, decay_ps: float, smear: Smear) -> Floats:
    """Differences of independent photons of two pulses, their interval less: area one period."""
    return two_sided(edges, decay_ps, smear) * (period_ps / (2 * decay_ps))


def hindrance(edges: Floats, period_ps: float, decay_ps: float) -> Floats:
    """What to add to an unhindered peak at +period, if both photons are one emitter's.

    It cannot be excited before it has decayed, so its next photon is never the earlier one: the
    tail below zero goes to where it can be. All of it is smooth, and left unsmeared.
    """
    t = (edges[1:] + edges[:-1]) / 2
    left = math.exp(-period_ps / decay_ps)
    fall = np.exp(-np.abs(t - period_ps) / decay_ps)
    mirror = np.exp(-np.abs(t + period_ps) / decay_ps)
    between = (fall * left - mirror) / (1 - left)
    moved = np.where(t < 0, -fall, np.where(t < period_ps, between, left * fall))
    added: Floats = moved * (period_ps / (2 * decay_ps))
    return added


def _smeared(shape: Shape, t: Floats, decay_ps: float, smear: Smear) -> Floats:
    """With the tails, by partial fractions of the two exponentials."""
    plain = shape(t, decay_ps, smear.core_ps)
    if not smear.tail_share:
        return plain
    tail = smear.tail_ps
    if abs(tail - decay_ps) < SHARP * decay_ps:
        tail = decay_ps * (1 + SHARP)
    tailed = decay_ps**2 * plain - tail * decay_ps * shape(t, tail, smear.core_ps)
    return plain + smear.tail_share * (tailed / (decay_ps**2 - tail**2) - plain)


def _value(t: Floats, decay_ps: float, core_ps: float) -> Floats:
    if core_ps < SHARP * decay_ps:
        return np.exp(-np.abs(t) / decay_ps)
    return (_side(t, decay_ps, core_ps) + _side(-t, decay_ps, core_ps)) / 2


def _integral(t: Floats, decay_ps: float, core_ps: float) -> Floats:
    """From 0 to t; the shape E solves E - decay**2 E'' = 2 decay Gaussian, which integrates."""
    if core_ps < SHARP * decay_ps:
        return -np.sign(t) * decay_ps * np.expm1(-np.abs(t) / decay_ps)
    slope = (_side(-t, decay_ps, core_ps) - _side(t, decay_ps, core_ps)) / (2 * decay_ps)
    return decay_ps**2 * slope + 2 * decay_ps * (normal_cdf(t / core_ps) - 0.5)


def _side(t: Floats, decay_ps: float, core_ps: float) -> Floats:
    """exp(core**2 / 2 decay**2 - t / decay) * erfc(x), without overflow."""
    x = (core_ps / decay_ps - t / core_ps) / math.sqrt(2)
    near = np.exp(-0.5 * (t / core_ps) ** 2) * scaled_erfc(np.abs(x))
    growing = np.exp(np.minimum((core_ps / decay_ps) ** 2 / 2 - t / decay_ps, LARGEST_POWER))
    return np.where(x > 0, near, 2 * growing - near)
