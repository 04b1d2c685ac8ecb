"""What exponential decays leave in a histogram of time differences, averaged over each bin.

`edges` are the edges of the bins, in picoseconds. All comes once for each smear, that axis first.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optics.poisson_bounds import normal_cdf, scaled_erfc

Floats = NDArray[np.float64]
Shape = Callable[[Floats, Floats, Floats], Floats]

SHARP = 1e-3  # of the decay time: a smear below this is none
LARGEST_POWER = 700.0  # of e, in a double
GAUSSIAN_REACH = 6.5  # standard deviations


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


def two_sided(edges: Floats, decay_ps: float, smears: Sequence[Smear]) -> Floats:
    """exp(-|t| / decay), smeared: height 1 and area 2 decay before it was."""
    averages: Floats = np.diff(_smeared(_integral, edges, decay_ps, smears)) / np.diff(edges)
    return averages


def two_sided_at(t: Floats, decay_ps: float, smears: Sequence[Smear]) -> Floats:
    """The same at points, in picoseconds."""
    return _smeared(_value, t, decay_ps, smears)


def two_sided_at_zero(decay_ps: float, smears: Sequence[Smear]) -> Floats:
    """Its heights once smeared."""
    return two_sided_at(np.zeros(1), decay_ps, smears)[:, 0]


def two_sided_slope(edges: Floats, decay_ps: float, smears: Sequence[Smear]) -> Floats:
    """How its averages change when its centre moves up, per picosecond."""
    slope: Floats = -np.diff(_smeared(_value, edges, decay_ps, smears)) / np.diff(edges)
    return slope


def unhindered_peak(
    edges: Floats, period_ps: float, decay_ps: float, smears: Sequence[Smear]
) -> Floats:
    """Differences of independent photons of two pulses, their interval less: area one period."""
    return two_sided(edges, decay_ps, smears) * (period_ps / (2 * decay_ps))


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


def _smeared(shape: Shape, t: Floats, decay_ps: float, smears: Sequence[Smear]) -> Floats:
    """With the tails, by partial fractions of the two exponentials."""
    core, share, tail = np.array(smears).T.reshape(3, -1, *[1] * t.ndim)
    decay = np.full_like(core, decay_ps)
    core = np.where(core < SHARP * decay, 0.0, core)
    smeared = shape(t, decay, core)
    late = np.flatnonzero(share)
    if len(late):
        core, share, tail, decay = core[late], share[late], tail[late], decay[late]
        tail = np.where(np.abs(tail - decay) < SHARP * decay, decay * (1 + SHARP), tail)
        plain = smeared[late]
        tailed = decay**2 * plain - tail * decay * shape(t, tail, core)
        smeared[late] += share * (tailed / (decay**2 - tail**2) - plain)
    return smeared


def _value(t: Floats, decay_ps: Floats, core_ps: Floats) -> Floats:
    """Beyond the reach of the Gaussian an exponential again, but a higher one."""
    height = _risen(np.abs(t), decay_ps, core_ps)
    near, at, decay, core = _near(t, decay_ps, core_ps)
    height[near] = (_side(at, decay, core) + _side(-at, decay, core)) / 2
    return height


def _integral(t: Floats, decay_ps: Floats, core_ps: Floats) -> Floats:
    """From 0 to t; the shape E solves E - decay**2 E'' = 2 decay Gaussian, which integrates."""
    area: Floats = np.sign(t) * (decay_ps - decay_ps * _risen(np.abs(t), decay_ps, core_ps))
    near, at, decay, core = _near(t, decay_ps, core_ps)
    slope = (_side(-at, decay, core) - _side(at, decay, core)) / (2 * decay)
    area[near] = decay**2 * slope + 2 * decay * (normal_cdf(at / core) - 0.5)
    return area


def _near(
    t: Floats, decay_ps: Floats, core_ps: Floats
) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
    """Where a Gaussian changes how an exponential falls, in the ninth digit: t, decay, core."""
    near = np.abs(t) < core_ps * (core_ps / decay_ps + GAUSSIAN_REACH)
    at, decay, core = (
        np.broadcast_to(values, near.shape)[near] for values in (t, decay_ps, core_ps)
    )
    return near, at, decay, core


def _risen(distance: Floats, decay_ps: Floats, core_ps: Floats) -> Floats:
    power = (core_ps / decay_ps) ** 2 / 2 - distance / decay_ps
    risen: Floats = np.exp(np.minimum(power, LARGEST_POWER))
    return risen


def _side(t: Floats, decay_ps: Floats, core_ps: Floats) -> Floats:
    """exp(core**2 / 2 decay**2 - t / decay) * erfc(x), without overflow."""
    x = (core_ps / decay_ps - t / core_ps) / math.sqrt(2)
    near = np.exp(-0.5 * (t / core_ps) ** 2) * scaled_erfc(np.abs(x))
    return np.where(x > 0, near, 2 * _risen(t, decay_ps, core_ps) - near)
