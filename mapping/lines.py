"""Light along lines, as of dislocations: ground that is narrow one way and long the other."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from optics.psf import Psf

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

DIRECTIONS = 24
NEAR_SIGMAS, FAR_SIGMAS = 3.5, 9.5
SAMPLES = 7  # on either side
LINE_SD = 2.5  # how significant most of a line must be


def with_lines(
    ground: Floats, photons: Floats, significance: Floats, row: Ints, column: Ints, psf: Psf
) -> Floats:
    """The ground, raised around those peaks that lie on a line by what the line shows beyond them.

    Medians, so that other emitters on the line do not count.
    """
    across = _offsets(psf)
    there = np.median(_sampled(significance, row[:, None], column[:, None], across), axis=2)
    best = there.argmax(axis=1)
    on_line = there.max(axis=1, initial=0) > LINE_SD
    if not on_line.any():
        return ground
    excess = np.asarray(cv2.GaussianBlur(photons - ground, (3, 3), 0.6), np.float32)
    half = math.ceil(4 * psf.sigma)
    around = np.arange(-half, half + 1)
    rows = (row[on_line, None] + around)[:, :, None] + 0 * around
    columns = (column[on_line, None] + around)[:, None, :] + 0 * around[:, None]
    shape = rows.shape
    light = _along(
        excess, rows.reshape(len(rows), -1), columns.reshape(len(rows), -1), across[best[on_line]]
    )
    inside = (rows >= 0) & (rows < ground.shape[0]) & (columns >= 0) & (columns < ground.shape[1])
    total, count = np.zeros_like(ground), np.zeros_like(ground)
    at = rows[inside], columns[inside]
    np.add.at(total, at, np.maximum(light.reshape(shape), 0)[inside])
    np.add.at(count, at, 1)
    return np.asarray(ground + total / np.maximum(count, 1))


def _offsets(psf: Psf) -> Floats:
    """Places along each direction, (directions, samples, 2)."""
    turn = np.arange(DIRECTIONS) * math.pi / DIRECTIONS
    along = np.linspace(NEAR_SIGMAS, FAR_SIGMAS, SAMPLES) * psf.sigma
    along = np.concatenate([-along, along])
    return np.stack([np.outer(np.sin(turn), along), np.outer(np.cos(turn), along)], axis=2)


def _sampled(image: Floats, row: Ints, column: Ints, offsets: Floats) -> Floats:
    """The image at offsets from pixels; its border goes on beyond it."""
    height, width = image.shape
    y = np.clip(np.rint(row[..., None] + offsets[..., 0]), 0, height - 1).astype(np.int64)
    x = np.clip(np.rint(column[..., None] + offsets[..., 1]), 0, width - 1).astype(np.int64)
    return np.asarray(image[y, x])


def _along(excess: Floats, rows: Ints, columns: Ints, offsets: Floats) -> Floats:
    """What most samples along each window's own direction show, (n, pixels)."""
    return np.median(_sampled(excess, rows, columns, offsets[:, None]), axis=2)
