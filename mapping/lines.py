"""Light along lines, as of dislocations: ground that is narrow one way and long the other."""

import math

import numpy as np
from numpy.typing import NDArray

from optics.psf import Psf

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

DIRECTIONS, HALF, SAME_LINE = 32, 16, 4
LINES_THROUGH_A_POINT = 3
REACH_SIGMAS, NEAREST_SIGMAS, LEAST_WEIGHT = 6.0, 1.5, 1e-6
QUANTILE, BELOW_SD = 0.35, 0.33  # of twenty samples; so far below their mean
NEAR_SIGMAS, FAR_SIGMAS = 3.5, 13.0
SAMPLES, MAY_LACK, NEXT = 10, 2, 3  # on either side; that may show less; nearest ones
EVEN_SHARE = 0.5  # of the middle sample, that the low one has but for its noise
LINE_SD = 1.3  # how significant most of a line must be


def with_lines(
    ground: Floats,
    photons: Floats,
    noise: Floats,
    significance: Floats,
    row: Ints,
    column: Ints,
    psf: Psf,
) -> tuple[Floats, Floats] | None:
    """The ground, raised around those peaks that lie on a line by what the line shows beyond them,
    and how much of that is a second line's, which is less sure; None where there is no line.

    Darker samples of many, so that other emitters on the line do not count.
    """
    across = _offsets(psf)
    row, column = _maybe_on_line(significance, row, column, across)
    there = _lasting(_sampled(significance, row[:, None], column[:, None], across))
    if there.max(initial=0) < LINE_SD:
        return None
    lifts = np.zeros((LINES_THROUGH_A_POINT, *ground.shape), np.float32)
    total = np.zeros_like(ground)
    excess, sd = photons - ground, np.sqrt(ground + noise)
    for turn in range(LINES_THROUGH_A_POINT):
        best = there.argmax(axis=1)
        on_line = there.max(axis=1) > LINE_SD
        at, weight = _around(row[on_line], column[on_line], psf, ground.shape)
        np.add.at(lifts[turn], at[1:], weight * _along(excess, sd, at, across[best[on_line]]))
        if turn == 0:
            np.add.at(total, at[1:], weight)
        off = np.abs((np.arange(DIRECTIONS) - best[:, None] + HALF) % DIRECTIONS - HALF)
        there[off <= SAME_LINE] = 0
    lifts /= np.maximum(total, LEAST_WEIGHT)
    return np.asarray(ground + lifts.sum(axis=0)), np.asarray(lifts[1:].sum(axis=0))


def _maybe_on_line(
    significance: Floats, row: Ints, column: Ints, across: Floats
) -> tuple[Ints, Ints]:
    """Those peaks that have light next to them on both sides; quicker than all samples of all."""
    near = across.reshape(DIRECTIONS, 2, SAMPLES, 2)[:, :, :NEXT].reshape(DIRECTIONS, -1, 2)
    beside = _sampled(significance, row[:, None], column[:, None], near)
    beside = beside.reshape(len(row), DIRECTIONS, 2, NEXT).mean(axis=3).min(axis=2)
    maybe = beside.max(axis=1, initial=0) > LINE_SD
    return row[maybe], column[maybe]


def _around(
    row: Ints, column: Ints, psf: Psf, shape: tuple[int, ...]
) -> tuple[tuple[Ints, Ints, Ints], Floats]:
    """Pixels in a square around each peak (which peak's, row, column), the nearest weighing most:
    where lines cross only the peaks next to the crossing know both."""
    half = math.ceil(REACH_SIGMAS * psf.sigma)
    around = np.arange(-half, half + 1)
    size = (len(row), len(around), len(around))
    rows = np.broadcast_to((row[:, None] + around)[:, :, None], size)
    columns = np.broadcast_to((column[:, None] + around)[:, None, :], size)
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    bell = np.exp(-0.5 * (around / (NEAREST_SIGMAS * psf.sigma)) ** 2)
    weight = np.broadcast_to(np.outer(bell, bell), size)[inside]
    return (np.nonzero(inside)[0], rows[inside], columns[inside]), weight.astype(np.float32)


def _lasting(samples: Floats) -> Floats:
    """What either side has next to the peak and nearly everywhere, (n, directions).

    A line is even; a row of emitters is not, and counts as nothing.
    """
    arms = samples.reshape(*samples.shape[:2], 2, SAMPLES)
    ranked = np.partition(arms, (MAY_LACK, SAMPLES // 2), axis=3)
    low, middle = ranked[..., MAY_LACK], ranked[..., SAMPLES // 2]
    level = np.minimum(low, arms[..., :NEXT].mean(axis=3))
    level[low < EVEN_SHARE * middle - 1] = 0
    return np.asarray(level.min(axis=2))


def _offsets(psf: Psf) -> Floats:
    """Places along each direction, (directions, samples, 2)."""
    turn = np.arange(DIRECTIONS) * math.pi / DIRECTIONS
    along = np.linspace(NEAR_SIGMAS, FAR_SIGMAS, SAMPLES) * psf.sigma
    along = np.concatenate([-along, along])
    return np.stack([np.outer(np.sin(turn), along), np.outer(np.cos(turn), along)], axis=2)


def _sampled(image: Floats, row: Ints, column: Ints, offsets: Floats) -> Floats:
    """The image at offsets from pixels; beyond the border those opposite."""
    height, width = image.shape
    y = np.rint(row[..., None] + offsets[..., 0]).astype(np.int64)
    x = np.rint(column[..., None] + offsets[..., 1]).astype(np.int64)
    outside = (y < 0) | (y >= height) | (x < 0) | (x >= width)
    y = np.where(outside, 2 * row[..., None] - y, y).clip(0, height - 1)
    x = np.where(outside, 2 * column[..., None] - x, x).clip(0, width - 1)
    return np.asarray(image[y, x])


def _along(excess: Floats, sd: Floats, at: tuple[Ints, Ints, Ints], offsets: Floats) -> Floats:
    """The level along the direction of each pixel's own peak, from its darker pixels."""
    which, row, column = at
    samples = _sampled(excess, row, column, offsets[which])
    rank = round(QUANTILE * samples.shape[1])
    low = np.partition(samples, rank, axis=1)[:, rank]
    return np.asarray(np.maximum(low + BELOW_SD * sd[row, column], 0))
