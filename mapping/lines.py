"""Light along lines, as of dislocations: ground that is narrow one way and long the other."""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mapping.near import pairs
from mapping.sampling import levels, raised
from optics.psf import Psf

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

DIRECTIONS, HALF, SAME_LINE = 32, 16, 4
LINES_THROUGH_A_POINT = 3
REACH_SIGMAS, NEAREST_SIGMAS, LEAST_WEIGHT = 6.0, 1.5, 1e-6
BELOW_SD = 0.33  # so far lies the quantile that is taken below the mean
NEAR_SIGMAS, FAR_SIGMAS, SAMPLES = 3.5, 13.0, 10  # on either side
LINE_DOUBT, SECOND_DOUBT, BESIDE_SIGMAS = (
    0.08,
    0.3,
    2.0,
)  # shares of a line's light, of a crossing one's
COMPANY = 2  # peaks beside each on the same line; noise makes some that stand alone
LINE_SD = 1.3  # how significant most of a line must be


class Lines(NamedTuple):
    """Peaks that may lie on lines, and what is in each direction from them (n, directions)."""

    row: Ints
    column: Ints
    there: NDArray[np.float64]


def lines_among(significance: Floats, row: Ints, column: Ints, psf: Psf) -> Lines | None:
    """None where there is no line."""
    there = np.zeros((len(row), DIRECTIONS))
    height, width = significance.shape
    levels(
        there, significance, height, width, row, column, len(row), *_offsets(psf),
        DIRECTIONS, SAMPLES, LINE_SD, np.empty(SAMPLES),
    )  # fmt: skip
    some = np.flatnonzero(there.any(axis=1))
    near = pairs(
        0 * some, row[some].astype(float), column[some].astype(float), FAR_SIGMAS * psf.sigma
    )
    some = some[np.bincount(near.ravel(), minlength=len(some)) >= COMPANY]
    return Lines(row[some], column[some], there[some]) if len(some) else None


def line_light(lines: Lines, excess: Floats, sd: Floats, psf: Psf) -> tuple[Floats, Floats]:
    """What the lines add to the ground, judged by what they show beyond the peaks, and how unsure
    that is, beside them too."""
    row, column, there = lines
    height, width = excess.shape
    lifts = np.zeros((LINES_THROUGH_A_POINT, height, width), np.float32)
    total = np.zeros_like(excess)
    half = math.ceil(REACH_SIGMAS * psf.sigma)
    bell = np.exp(-0.5 * (np.arange(-half, half + 1) / (NEAREST_SIGMAS * psf.sigma)) ** 2)
    for turn, light in enumerate(lifts):
        best = there.argmax(axis=1)
        on = np.flatnonzero(there.max(axis=1) > 0)
        known = np.zeros_like(total) if turn else total
        raised(
            light, known, excess, sd, height, width, row[on], column[on], best[on], len(on),
            *_offsets(psf), SAMPLES, bell, half, BELOW_SD, np.empty(2 * SAMPLES),
        )  # fmt: skip
        off = np.abs((np.arange(DIRECTIONS) - best[:, None] + HALF) % DIRECTIONS - HALF)
        there[off <= SAME_LINE] = 0
    lifts /= np.maximum(total, np.float32(LEAST_WEIGHT))
    doubt = LINE_DOUBT * lifts[0] + SECOND_DOUBT * lifts[1:].sum(axis=0)
    beside = 2 * round(BESIDE_SIGMAS * psf.sigma) + 1
    doubt = cv2.dilate(doubt, np.ones((beside, beside), np.uint8))
    return lifts.sum(axis=0), np.asarray(doubt, np.float32)


def _offsets(psf: Psf) -> tuple[Ints, Ints]:
    """Whole pixels down and right along each direction: one side's samples, then the other's."""
    turn = np.arange(DIRECTIONS) * math.pi / DIRECTIONS
    along = np.linspace(NEAR_SIGMAS, FAR_SIGMAS, SAMPLES) * psf.sigma
    along = np.concatenate([-along, along])
    down, right = np.outer(np.sin(turn), along), np.outer(np.cos(turn), along)
    return np.rint(down).astype(np.int64), np.rint(right).astype(np.int64)
