"""Light along lines, as of dislocations: ground that is narrow one way and long the other."""

import math

import numpy as np
from numpy.typing import NDArray

from optics.psf import Psf

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

DIRECTIONS, HALF, SAME_LINE = 32, 16, 4
LINES_THROUGH_A_POINT = 2
REACH_SIGMAS = 6.0
QUANTILE, BELOW_SD = 0.35, 0.33  # of twenty samples; so far below their mean
NEAR_SIGMAS, FAR_SIGMAS = 3.5, 13.0
SAMPLES, MAY_LACK, NEXT = 10, 2, 3  # on either side; that may show less; nearest ones
LINE_SD = 1.3  # how significant most of a line must be


def with_lines(
    ground: Floats,
    photons: Floats,
    noise: Floats,
    significance: Floats,
    row: Ints,
    column: Ints,
    psf: Psf,
) -> Floats:
    """The ground, raised around those peaks that lie on a line by what the line shows beyond them.

    Medians, so that other emitters on the line do not count.
    """
    across = _offsets(psf)
    near = across.reshape(DIRECTIONS, 2, SAMPLES, 2)[:, :, :NEXT].reshape(DIRECTIONS, -1, 2)
    beside = _sampled(significance, row[:, None], column[:, None], near)
    beside = beside.reshape(len(row), DIRECTIONS, 2, NEXT).mean(axis=3).min(axis=2)
    maybe = beside.max(axis=1, initial=0) > LINE_SD
    row, column = row[maybe], column[maybe]
    there = _lasting(_sampled(significance, row[:, None], column[:, None], across))
    lift, count = np.zeros_like(ground), np.zeros_like(ground)
    excess, sd = photons - ground, np.sqrt(ground + noise)
    for turn in range(LINES_THROUGH_A_POINT):
        best = there.argmax(axis=1) if len(there) else np.zeros(0, np.int64)
        on_line = there.max(axis=1, initial=0) > LINE_SD
        if not on_line.any():
            break
        at = _around(row[on_line], column[on_line], psf, ground.shape)
        np.add.at(lift, at[1:], _along(excess, sd, at, across[best[on_line]]))
        if turn == 0:
            np.add.at(count, at[1:], 1)
        off = np.abs((np.arange(DIRECTIONS) - best[:, None] + HALF) % DIRECTIONS - HALF)
        there[off <= SAME_LINE] = 0
    return np.asarray(ground + lift / np.maximum(count, 1)) if count.any() else ground


def _around(row: Ints, column: Ints, psf: Psf, shape: tuple[int, ...]) -> tuple[Ints, Ints, Ints]:
    """Pixels in a square around each peak: which peak's, row, column."""
    half = math.ceil(REACH_SIGMAS * psf.sigma)
    around = np.arange(-half, half + 1)
    rows = np.broadcast_to(
        (row[:, None] + around)[:, :, None], (len(row), len(around), len(around))
    )
    columns = np.broadcast_to((column[:, None] + around)[:, None, :], rows.shape)
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return np.nonzero(inside)[0], rows[inside], columns[inside]


def _lasting(samples: Floats) -> Floats:
    """What either side has next to the peak and nearly everywhere, (n, directions)."""
    arms = samples.reshape(*samples.shape[:2], 2, SAMPLES)
    low = np.partition(arms, MAY_LACK, axis=3)[..., MAY_LACK]
    next_to = arms[..., :NEXT].mean(axis=3)
    return np.asarray(np.minimum(low, next_to).min(axis=2))


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
