"""The light that no emitter made: smooth at the scale of several point images."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

BIN_SIGMAS = 1.5
MEDIAN = 5  # bins: seven sigmas, a tenth of which one emitter fills

LEAST_WEIGHT = 1e-3
KERNEL_SIGMAS = 2.2  # to either side
FILLINGS = 4
CLIP_SD = 4.5
LEAST = 1e-3  # photons per pixel; there is always some light


def bin_px(sigma: float) -> int:
    """The side of the bins in which the ground is sought."""
    return max(1, round(BIN_SIGMAS * sigma))


def coarse(bins: Floats) -> Floats:
    """A running median, which neither slopes nor single emitters move."""
    middle = np.asarray(cv2.medianBlur(bins, MEDIAN), np.float32)
    return np.maximum(_blurred(middle, 1.0), np.float32(LEAST))


def refined(bins: Floats, ground: Floats, sd: Floats, empty: Flags, reach: float) -> Floats:
    """What the empty bins around say, with outliers held back; nothing of the first estimate
    stays where emitters stand, since they have lifted it.

    Holes are filled by the mean around them, again and again, until slopes go through them.
    """
    there = empty.astype(np.float32)
    seen = np.maximum(np.minimum(bins, ground + CLIP_SD * sd), ground - CLIP_SD * sd) * there
    shares = np.maximum(_blurred(there, reach), LEAST_WEIGHT)
    level = np.asarray(_blurred(seen, reach) / shares, np.float32)
    missing = 1 - there
    for _ in range(FILLINGS):
        level = _blurred(np.asarray(seen + missing * level, np.float32), reach)
    return level


def binned(what: Floats, step: int) -> Floats:
    """Means over squares of pixels."""
    if step == 1:
        return what
    size = (math.ceil(what.shape[1] / step), math.ceil(what.shape[0] / step))
    return np.asarray(cv2.resize(what, size, interpolation=cv2.INTER_AREA), np.float32)


def full(bins: Floats, shape: tuple[int, ...]) -> Floats:
    """Back to pixels, straight between the bins."""
    pixels = cv2.resize(bins, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(pixels, LEAST, out=pixels), np.float32)


def _blurred(what: Floats, reach: float) -> Floats:
    size = 2 * math.ceil(KERNEL_SIGMAS * reach) + 1
    return np.asarray(cv2.GaussianBlur(what, (size, size), reach), np.float32)
