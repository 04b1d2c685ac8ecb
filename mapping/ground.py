"""The light that no emitter made: smooth at the scale of several point images."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

BIN_SIGMAS = 1.5
MEDIAN = 5  # bins: seven sigmas, a tenth of which one emitter fills
REACH_SIGMAS = 3.0
LEAST_WEIGHT = 1e-3
CLIP_SD = 3.0
LEAST = 1e-3  # photons per pixel; there is always some light


def coarse(photons: Floats, sigma: float) -> Floats:
    """A running median, which neither slopes nor single emitters move."""
    step = max(1, round(BIN_SIGMAS * sigma))
    binned = cv2.GaussianBlur(cv2.medianBlur(_binned(photons, step), MEDIAN), (0, 0), 1.0)
    return _full(np.asarray(binned, np.float32), photons.shape)


def refined(photons: Floats, ground: Floats, noise: Floats, empty: Flags, sigma: float) -> Floats:
    """The mean of the empty pixels around, with outliers held back; nothing of the first estimate
    stays where emitters stand, since they have lifted it."""
    sd = np.sqrt(ground + noise)
    sd *= CLIP_SD
    light = np.clip(photons, ground - sd, ground + sd)
    weight = empty.astype(np.float32)
    light *= weight
    step = max(1, round(sigma))
    reach = REACH_SIGMAS * sigma / step
    shares = cv2.GaussianBlur(_binned(weight, step), (0, 0), reach)
    level = cv2.GaussianBlur(_binned(light, step), (0, 0), reach) / np.maximum(shares, LEAST_WEIGHT)
    return _full(np.asarray(level, np.float32), photons.shape)


def _binned(what: Floats, step: int) -> Floats:
    size = (math.ceil(what.shape[1] / step), math.ceil(what.shape[0] / step))
    return np.asarray(cv2.resize(what, size, interpolation=cv2.INTER_AREA), np.float32)


def _full(binned: Floats, shape: tuple[int, ...]) -> Floats:
    full = cv2.resize(binned, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(full, LEAST, out=full), np.float32)
