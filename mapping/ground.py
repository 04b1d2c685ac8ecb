"""The light that no emitter made: smooth at the scale of several point images."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

BIN_SIGMAS = 1.5
MEDIAN = 5  # bins: seven sigmas, a tenth of which one emitter fills
REACH_SIGMAS = 2.0
LEAST_WEIGHT = 1e-3
FILLINGS = 4
CLIP_SD = 3.0
LEAST = 1e-3  # photons per pixel; there is always some light


def coarse(photons: Floats, sigma: float) -> Floats:
    """A running median, which neither slopes nor single emitters move."""
    step = max(1, round(BIN_SIGMAS * sigma))
    binned = np.asarray(cv2.medianBlur(_binned(photons, step), MEDIAN), np.float32)
    return _full(_blurred(binned, 1.0), photons.shape)


def refined(photons: Floats, ground: Floats, noise: Floats, empty: Flags, sigma: float) -> Floats:
    """What the empty pixels around say, with outliers held back; nothing of the first estimate
    stays where emitters stand, since they have lifted it.

    Holes are filled by the mean around them, again and again, until slopes go through them.
    """
    sd = np.sqrt(ground + noise)
    sd *= CLIP_SD
    light = np.clip(photons, ground - sd, ground + sd)
    weight = empty.astype(np.float32)
    light *= weight
    step = max(1, round(BIN_SIGMAS * sigma))
    reach = REACH_SIGMAS * sigma / step
    there, seen = _binned(weight, step), _binned(light, step)
    shares = np.maximum(_blurred(there, reach), LEAST_WEIGHT)
    level = np.asarray(_blurred(seen, reach) / shares, np.float32)
    missing = 1 - there
    for _ in range(FILLINGS):
        level = _blurred(np.asarray(seen + missing * level, np.float32), reach)
    return _full(level, photons.shape)


def _blurred(what: Floats, reach: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(what, (0, 0), reach), np.float32)


def _binned(what: Floats, step: int) -> Floats:
    size = (math.ceil(what.shape[1] / step), math.ceil(what.shape[0] / step))
    return np.asarray(cv2.resize(what, size, interpolation=cv2.INTER_AREA), np.float32)


def _full(binned: Floats, shape: tuple[int, ...]) -> Floats:
    full = cv2.resize(binned, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(full, LEAST, out=full), np.float32)
