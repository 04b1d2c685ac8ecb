"""Emitters that hide behind brighter ones: found in what the fits leave over."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.crowd import Part, Places, joined, picked
from mapping.near import pairs
from optics.psf import Psf, derivatives

Floats = NDArray[np.floating[Any]]

LEFT_OVER_SD = 5.0
APART_SIGMAS = 1.2
SEARCHED_SIGMAS = 4.0


def companions(places: Places, parts: list[Part], psf: Psf, share: float) -> Places:
    """The strongest left-over peak near each fitted emitter, each once.

    `share` of its own light is how far an image may differ from the model.
    """
    found = [_left_over(places, part, psf, share) for part in parts]
    peaks = Places(
        np.concatenate([peak.frame for peak, _ in found]),
        *(np.concatenate([peak[i] for peak, _ in found]) for i in range(1, 5)),
    )
    significance = np.concatenate([how for _, how in found])
    order = np.argsort(-significance, kind="stable")
    peaks = picked(peaks, order)
    if not len(order):
        return peaks
    known = len(places.y)
    one, other = pairs(*joined(places, peaks)[:3], APART_SIGMAS * psf.sigma).T
    free = np.ones(len(order), bool)
    free[other[(one < known) & (other >= known)] - known] = False
    free[pairs(*peaks[:3], 2 * APART_SIGMAS * psf.sigma)[:, 1]] = False  # the weaker of two
    return picked(peaks, np.flatnonzero(free))


def _left_over(places: Places, part: Part, psf: Psf, share: float) -> tuple[Places, Floats]:
    """Place and significance of each window's highest peak above the bar."""
    cut, fit = part.cut, part.fit
    width = cut.counts.shape[1]
    own = share * (fit.model - cut.ground)
    weight = cut.good / (fit.model + own**2)
    pixels = np.arange(width, dtype=float)
    band_y = derivatives(pixels - pixels[:, None], psf.sigma_y, 1)[:, :, 0]
    band_x = derivatives(pixels - pixels[:, None], psf.sigma_x, 1)[:, :, 0]
    score = band_y @ (weight * (cut.counts - fit.model)) @ band_x.T
    information = np.maximum((band_y**2) @ weight @ (band_x**2).T, 1e-12)
    height = score / np.sqrt(information)
    away = pixels - width // 2
    far_y = away[:, None] - fit.emitters.y[:, :1, None]
    far_x = away - fit.emitters.x[:, :1, None]
    height[np.hypot(far_y, far_x) > SEARCHED_SIGMAS * psf.sigma] = 0
    flat = height.reshape(len(height), -1)
    best = flat.argmax(axis=1)
    top = np.take_along_axis(flat, best[:, None], 1)[:, 0]
    up = np.flatnonzero(top > LEFT_OVER_SD)
    photons = (score / information).reshape(len(height), -1)[up, best[up]]
    y = part.row[up] + best[up] // width - width // 2
    x = part.column[up] + best[up] % width - width // 2
    frame = places.frame[part.which[up]]
    return Places(frame, y.astype(float), x.astype(float), photons, 0 * photons), top[up]
