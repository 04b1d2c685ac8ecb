"""Maximum-likelihood fits of many small windows at once, each with an emitter and its neighbours.

A pixel counts photons and adds read noise: counts + noise variance are taken as Poisson with mean
light + noise variance (Huang et al., Nature Methods 10, 653 (2013)).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.drawing import shone
from mapping.scoring import settled
from optics.psf import Psf

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


class Windows(NamedTuple):
    """Square cuts around emitters, (n, w, w), of single precision."""

    counts: NDArray[np.float32]  # photons + noise variance, not below zero
    ground: NDArray[np.float32]  # expected without emitters: light + noise variance
    good: NDArray[np.bool_]


class Fit(NamedTuple):
    """The likeliest emitters and uniform extra light."""

    emitters: NDArray[
        np.float64
    ]  # (n, k, 3): y, x from the middle pixel, photons; first the one meant
    extra: NDArray[np.float64]  # (n,), photons per pixel beside the ground
    model: NDArray[np.float32]  # (n, w, w)
    slopes: NDArray[np.float32]  # (n, 3 k + 1, w * w): by y, x, photons of each, then by extra
    information: NDArray[np.float64]  # (n, 3 k + 1, 3 k + 1)


def fitted(
    cut: Windows, psf: Psf, start: Floats, extra_sd: Floats, iterations: int, extra: Floats
) -> Fit:
    """Fisher scoring with bounded steps, until nothing is gained; `extra_sd` is how well the
    ground is known beforehand."""
    count, width = cut.counts.shape[:2]
    members = start.shape[1]
    unknowns, pixels = 3 * members + 1, width * width
    sigmas, shape, size = optics(psf)
    fit = Fit(
        np.array(start, np.float64, order="C"),
        np.array(extra, np.float64),
        np.empty((count, width, width), np.float32),
        np.empty((count, unknowns, pixels), np.float32),
        np.empty((count, unknowns, unknowns)),
    )
    settled(
        *cut[:2], cut.good.view(np.uint8), fit.emitters, fit.extra, fit.model, fit.slopes,
        fit.information, np.asarray(extra_sd, np.float64),
        count, members, width, iterations, sigmas, shape, size,
        np.empty(unknowns * pixels), np.empty(2 * (size + 1) * (width + 1)),
        np.empty(pixels), np.empty(pixels), np.empty(pixels), np.empty(unknowns**2),
        np.empty(unknowns), np.empty(unknowns), np.empty(unknowns),
    )  # fmt: skip
    return fit


def lighted(ground: Floats, into: Ints, psf: Psf, emitters: Floats) -> NDArray[np.float32]:
    """The windows' ground with more emitters (m, 3), each in the window that `into` names."""
    light = np.array(ground, np.float32, order="C")
    width = light.shape[1]
    sigmas, shape, size = optics(psf)
    scratch = np.empty(2 * size * (width + 1)), np.empty(width * width)
    there = np.array(emitters, np.float64, order="C")
    shone(light, np.array(into), there, len(there), width, sigmas, shape, size, *scratch)
    return light


def optics(psf: Psf) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Widths along y and x, the shape and its size, as native loops take them."""
    shape = np.array(psf.shape, np.float64, order="C")
    return np.array([psf.sigma_y, psf.sigma_x]), shape, len(shape)
