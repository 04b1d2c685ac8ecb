"""Keyed randomness for whole arrays: what `chance.py` answers, element by element."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from hil.chance import keyed_bits

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Either = TypeVar("Either", Floats, Singles)
Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]
Flags = NDArray[np.bool_]

GROUP_BITS = 20
"""No group holds more than two to this power."""
_GOLDEN = 0x9E3779B97F4A7C15
_EXPANDED_FROM = 10.0
"""Mean from which the expansion is used: by then it is off by less than 3e-4 in probability."""


def bits(key: int | Bits, *parts: Ints) -> Bits:
    """64 bits for each element: `keyed_bits`, had it gone on from the state `key`."""
    state = np.array([key], np.uint64) if isinstance(key, int) else key
    for part in parts:
        state = state + (part.astype(np.uint64) + np.uint64(_GOLDEN))
        _mix(state)
    return state


def _mix(state: Bits) -> None:
    state ^= state >> np.uint64(30)
    state *= np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(27)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)


def grouped(names: Ints, number: Ints) -> Ints:
    """A name for each of so many in every group: the group's, and which it is among them."""
    ends = np.cumsum(number)
    firsts = (names << GROUP_BITS) - (ends - number)
    return np.asarray(np.repeat(firsts, number) + np.arange(number.sum()))


def uniforms(drawn: Bits) -> Floats:
    """Evenly spread inside (0, 1), both ends excluded."""
    return ((drawn >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def halves(drawn: Bits) -> tuple[Floats, Floats]:
    """Two independent uniform numbers inside (0, 1), coarser."""
    high = ((drawn >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32
    low = ((drawn & np.uint64(0xFFFFFFFF)).astype(np.float64) + 0.5) * 2.0**-32
    return high, low


def normals(drawn: Bits) -> Floats:
    """Standard normal."""
    return np.asarray(ndtri(uniforms(drawn)), dtype=np.float64)


def even_log(rng: np.random.Generator, bounds: tuple[float, float], n: int) -> Floats:
    """Evenly spread on a logarithmic scale."""
    return np.exp(rng.uniform(math.log(bounds[0]), math.log(bounds[1]), n))


def generator(*key: int) -> np.random.Generator:
    """For what is drawn all at once and always in the same order."""
    return np.random.Generator(np.random.SFC64(keyed_bits(*key)))


def counts(mean: Floats, uniform: Floats, fano: Floats | float = 1.0) -> Ints:
    """Poisson counts, from one uniform number each.

    Other variances than the mean's, `fano` times as large, are kept where the mean is not small.
    """
    large = mean >= _EXPANDED_FROM
    if large.all():
        return expanded(mean, np.asarray(ndtri(uniform)), fano).astype(np.int64)
    drawn = np.empty(mean.shape, np.int64)
    drawn[~large] = inverted(mean[~large], uniform[~large])
    if large.any():
        wide = np.broadcast_to(fano, mean.shape)[large]
        drawn[large] = expanded(mean[large], np.asarray(ndtri(uniform[large])), wide)
    return drawn


def expanded(mean: Either, normal: Either, fano: Either | float = 1.0) -> Either:
    """Poisson by Cornish and Fisher's expansion about the normal (1938), rounded."""
    spread = np.sqrt(np.maximum(mean * fano - 1.0 / 12.0, 0.0))  # rounding adds a twelfth
    square = normal * normal
    value = (square - 1.0) / -72.0
    value /= np.maximum(spread, 1.0)
    value += spread
    value *= normal
    value += mean
    square /= 6.0
    value += square
    value += 0.5 - 1.0 / 6.0
    np.floor(value, out=value)
    np.maximum(value, 0.0, out=value)
    return value


def inverted(mean: Floats, uniform: Floats) -> Ints:
    """Poisson by adding up probabilities; takes as many turns as the largest count."""
    chance = np.exp(-mean)
    reached = chance.copy()
    drawn = np.zeros(mean.shape, np.int8)
    step = 0
    while (above := uniform > reached).any() and step < 100:  # 100: far beyond any mean below 10
        step += 1
        drawn += above.view(np.int8)
        chance *= mean
        chance *= 1.0 / step
        reached += chance
    return drawn.astype(np.int64)
