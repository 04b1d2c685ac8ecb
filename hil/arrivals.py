"""When the photons of one emitter reach the splitter, given how many there are.

Along the emitter's bright time its detected photons are a renewal process: a thinned two-level
system has gaps of a short exponential, 1/t1 = pump + decay, and a long one (thinning keeps the
sum of their rates and scales the product, so g2 = 1 - exp(-t/t1)). Given their number, the long
parts are evenly spread. In each gap time also stands still for as many stays in the dark third
level as the gap's length brings about, each exponentially long.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from hil.chance import keyed_bits
from hil.keyed import Bits, Floats, Ints, bits, counts, grouped, halves, uniforms

CELL_PS = 10**9

# One integer for each photon, so that sorting is fast:
# cell (12 bits), place along the cell (32), channel (1), which quantile of its short gap (16).
_CELL, _PLACE, _CHANNEL = 49, 17, 16
QUANTILES = 1 << 16
WAITING = -np.log1p(-(np.arange(QUANTILES) + 0.5) / QUANTILES)
"""Quantiles of the exponential distribution of mean 1."""
MANY_STAYS = 10.0
_REST = 1


@dataclass(frozen=True)
class Habits:
    """Of one emitter, in each cell."""

    short_ps: Floats  # t1
    dark_ps: Floats  # spent in the third level
    dark_per_bright: Floats
    stay_ps: float  # in the third level, each time


class Arrivals(NamedTuple):
    """Photons with the cell and the channel each belongs to, and the time within the cell."""

    cell: Ints
    channel: Ints
    time_ps: Floats


def scattered(cell: Ints, channel: Ints, drawn: Bits) -> Arrivals:
    """Light without memory."""
    return Arrivals(cell, channel, uniforms(drawn) * CELL_PS)


def emitted(
    cell: Ints, channel: Ints, drawn: Bits, habits: Habits, cells: Ints, key: int
) -> Arrivals:
    """Photons of one emitter; `cell` counts from 0, and `cells` are the cells' true numbers."""
    photons = _packed(cell, channel, drawn)
    photons.sort()
    number = np.bincount(photons >> _CELL, minlength=len(cells))
    own = np.repeat(np.arange(len(cells)), number)
    waited = WAITING[photons & (QUANTILES - 1)]
    waited_sum, waited_before = _running(waited, number)
    bright_ps = CELL_PS - habits.dark_ps
    long_ps = bright_ps - habits.short_ps * waited_sum
    place = ((photons >> _PLACE) & 0xFFFFFFFF) * 2.0**-32
    time_ps = place * long_ps[own] + waited_before * habits.short_ps[own]
    if habits.dark_ps.any():
        time_ps += _dark_before(time_ps, bright_ps, number, habits, cells, key)
    return Arrivals(own, (photons >> _CHANNEL) & 1, time_ps)


def _dark_before(
    at_ps: Floats, bright_ps: Floats, number: Ints, habits: Habits, cells: Ints, key: int
) -> Floats:
    """Time spent in the third level before each photon; with the rest of the cell, all of it."""
    own = np.repeat(np.arange(len(cells)), number)
    ends, filled = np.cumsum(number), number > 0
    gap_ps, rest_ps = np.diff(at_ps, prepend=0.0), bright_ps.copy()
    gap_ps[(ends - number)[filled]] = at_ps[(ends - number)[filled]]
    rest_ps[filled] -= at_ps[ends[filled] - 1]
    stays = habits.dark_per_bright / habits.stay_ps
    in_gap = _spent(gap_ps * stays[own], bits(key, grouped(cells, number)))
    in_rest = _spent(rest_ps * stays, bits(keyed_bits(key, _REST), cells))
    total, before = _running(in_gap, number)
    total += in_rest
    scale_ps = np.divide(habits.dark_ps, total, out=np.zeros_like(total), where=total > 0.0)
    return np.asarray(before * scale_ps[own])


def _spent(mean: Floats, drawn: Bits) -> Floats:
    """In units of one stay: a Poisson number of exponential times.

    Their sum is a gamma variable (Wilson and Hilferty's approximation, 1931); of many stays,
    one with the same mean and variance as the whole.
    """
    first, second = halves(drawn)
    many = mean >= MANY_STAYS
    shape = mean / 2.0
    shape[~many] = counts(mean[~many], first[~many])
    spent = np.zeros(len(mean))
    one = np.flatnonzero(shape == 1.0)
    spent[one] = -np.log(second[one])
    more = np.flatnonzero((shape > 0.0) & (shape != 1.0))
    shape, root = shape[more], ndtri(second[more])
    root /= 3.0 * np.sqrt(shape)
    root += 1.0 - 1.0 / (9.0 * shape)
    spent[more] = shape * np.maximum(root, 0.0) ** 3
    spent[many] *= 2.0
    return spent


def _packed(cell: Ints, channel: Ints, drawn: Bits) -> Ints:
    random = (drawn >> np.uint64(16)).astype(np.int64)  # 48 bits: place, quantile
    place, quantile = random >> 16, random & (QUANTILES - 1)
    return np.asarray((cell << _CELL) | (place << _PLACE) | (channel << _CHANNEL) | quantile)


def _running(values: Floats, number: Ints) -> tuple[Floats, Floats]:
    """Sums of each group of so many, and the sum so far within the group, its own included."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.cumsum(number)
    before = total[ends - number]
    return total[ends] - before, total[1:] - np.repeat(before, number)
