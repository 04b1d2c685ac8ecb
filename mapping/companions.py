"""Emitters that hide behind brighter ones: found in what the fits leave over."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.algebra import inverted
from mapping.crowd import Part, Places, joined, picked
from mapping.leftovers import highest
from mapping.near import pairs
from optics.psf import Psf, derivatives

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

LEFT_OVER_SD = 5.0
APART_SIGMAS = 1.2
SEARCHED_SIGMAS = 4.0
CONFIRMED_SD, WANDERED_SIGMAS = 3.0, 1.5


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


def confirmed(places: Places, parts: list[Part], more: Places, psf: Psf) -> Flags:
    """Which of those that came last are still where they were seen, and surely there."""
    known = len(places.y) - len(more.y)
    moved = np.hypot(places.y[known:] - more.y, places.x[known:] - more.x)
    sd = np.full(len(places.y), np.inf)
    for part in parts:
        new = np.flatnonzero(part.which >= known)
        if len(new):
            sd[part.which[new]] = np.sqrt(inverted(part.fit.information[new])[:, 2, 2])
    there = places.photons[known:] > CONFIRMED_SD * sd[known:]
    beside = np.zeros(len(places.y), bool)
    beside[pairs(*places[:3], APART_SIGMAS * psf.sigma)] = True
    return np.asarray(there & ((moved < WANDERED_SIGMAS * psf.sigma) | ~beside[known:]))


def _left_over(places: Places, part: Part, psf: Psf, share: float) -> tuple[Places, Floats]:
    """Place and significance of each window's highest peak above the bar."""
    cut, fit = part.cut, part.fit
    count, width = cut.counts.shape[:2]
    best, height, photons = np.zeros(count, np.int64), np.zeros(count), np.zeros(count)
    pixels, members = width * width, fit.emitters.shape[1]
    highest(
        best, height, photons, *cut[:2], cut.good.view(np.uint8), fit.model, fit.emitters,
        count, members, width, _bands(psf, width), share, SEARCHED_SIGMAS * psf.sigma,
        np.empty(pixels), np.empty(pixels), np.empty(pixels), np.empty(pixels),
    )  # fmt: skip
    up = np.flatnonzero(height > LEFT_OVER_SD)
    y = part.row[up] + best[up] // width - width // 2
    x = part.column[up] + best[up] % width - width // 2
    frame = places.frame[part.which[up]]
    return Places(frame, y.astype(float), x.astype(float), photons[up], 0 * photons[up]), height[up]


def _bands(psf: Psf, width: int) -> NDArray[np.float64]:
    """The Gaussian along y, then x, about each pixel of a window."""
    pixels = np.arange(width, dtype=float)
    away = pixels - pixels[:, None]
    both = [derivatives(away, sigma, 1)[:, :, 0] for sigma in (psf.sigma_y, psf.sigma_x)]
    return np.array(both, np.float64)
