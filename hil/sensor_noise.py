"""Whole electrons and normal deviates for millions of pixels, from 16 random bits each.

Both are drawn by the inverse of their law at a uniform number. Poisson's inverse grows with the
mean and with the number, so over a small cell of both it is mostly one value, which stands in a
table; where a step crosses the cell it is worked out exactly. The normal is tabled by cells of the
number; in the tails, where a cell is wide, it is worked out as well.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, pdtr

from hil.keyed import Singles, expanded, inverted

Words = NDArray[np.uint16]

FEW_E = 10
LEVELS_PER_E = 32
CELL_BITS = 12
CELLS = 1 << CELL_BITS
UNSURE = 255
MOST_E = 60
"""Far beyond what an even chance of 1 in CELLS gives at any mean below FEW_E."""
WORDS = 1 << 16
TAIL = 88
"""Cells on either side: beyond three standard deviations."""


def shot(mean_e: Singles, rng: np.random.Generator) -> Singles:
    """Drawn electrons: Poisson, exactly where few, by Cornish and Fisher where many."""
    many = mean_e >= FEW_E
    if not many.any():
        return _few(mean_e, rng)
    if many.all():
        return _many(mean_e, rng)
    electrons = _few(np.where(many, np.float32(0.0), mean_e), rng)
    electrons[many] = _many(mean_e[many], rng)
    return electrons


def normal(shape: tuple[int, ...], rng: np.random.Generator) -> Singles:
    """Standard normal deviates."""
    word = _words(shape, rng)
    deviates = _normals().take(word)
    tail = word + np.uint16(TAIL) < 2 * TAIL  # goes round: both ends at once
    uniform = (word[tail] + rng.random(int(tail.sum()))) / WORDS
    deviates[tail] = ndtri(uniform)
    return deviates


def _many(mean_e: Singles, rng: np.random.Generator) -> Singles:
    return expanded(mean_e, normal(mean_e.shape, rng))


def _few(mean_e: Singles, rng: np.random.Generator) -> Singles:
    cell = _words(mean_e.shape, rng)
    cell &= np.uint16(CELLS - 1)
    index = (mean_e * np.float32(LEVELS_PER_E)).astype(np.int32)
    index <<= CELL_BITS
    index |= cell
    drawn = _counts().take(index)
    electrons = drawn.astype(np.float32)
    unsure = np.flatnonzero(drawn == UNSURE)
    uniform = (cell.ravel()[unsure] + rng.random(len(unsure))) / CELLS
    electrons.ravel()[unsure] = inverted(mean_e.ravel()[unsure].astype(np.float64), uniform)
    return electrons


def _words(shape: tuple[int, ...], rng: np.random.Generator) -> Words:
    size = int(np.prod(shape))
    raw = np.asarray(rng.bit_generator.random_raw(-(-size // 4)))
    return raw.view(np.uint16)[:size].reshape(shape)


@lru_cache(maxsize=1)
def _counts() -> NDArray[np.uint8]:
    """The drawn value over level of the mean and cell of the uniform number, flat."""
    means_e = np.arange(FEW_E * LEVELS_PER_E + 1) / LEVELS_PER_E
    edges = np.arange(CELLS + 1) / CELLS
    counts = np.arange(MOST_E)
    reached = np.array([np.searchsorted(pdtr(counts, mean_e), edges) for mean_e in means_e])
    least, most = reached[:-1, :-1], reached[1:, 1:]
    return np.where(least == most, least, UNSURE).astype(np.uint8).ravel()


@lru_cache(maxsize=1)
def _normals() -> Singles:
    return np.asarray(ndtri((np.arange(WORDS) + 0.5) / WORDS), np.float32)
