"""Maximum-likelihood fits of many small windows at once, each with an emitter and its neighbours.

A pixel counts photons and adds read noise: counts + noise variance are taken as Poisson with mean
light + noise variance (Huang et al., Nature Methods 10, 653 (2013)).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optics.psf import Psf, derivatives, images

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

STEP_PX, FEWER, MORE = 0.6, 0.4, 2.5  # of one iteration at most
LEAST_PHOTONS = 1e-3
LEAST_SHARE = np.float32(0.05)  # of the ground, that any model keeps
ONE = np.float32(1)


class Windows(NamedTuple):
    """Square cuts around emitters, (n, w, w), of single precision."""

    counts: Floats  # photons + noise variance, not below zero
    ground: Floats  # expected without emitters: light + noise variance
    good: Flags


class Emitters(NamedTuple):
    """k in each window (n, k), places relative to the middle pixel; the first is the one meant."""

    y: Floats
    x: Floats
    photons: Floats


class Fit(NamedTuple):
    """The likeliest emitters and uniform extra light."""

    emitters: Emitters
    extra: Floats  # (n,), photons per pixel beside the ground
    model: Floats  # (n, w, w)
    slopes: Floats  # (n, 3 k + 1, w * w): by y, x, photons of each, then by extra
    information: Floats  # (n, 3 k + 1, 3 k + 1)


def drawn(psf: Psf, emitters: Emitters, width: int) -> tuple[Floats, Floats]:
    """The light of each window's emitters, and its slopes (n, 3 k + 1, w * w)."""
    count, members = emitters.y.shape
    orders = len(psf.shape) + 1
    pixels = np.arange(width) - width // 2
    y = derivatives(pixels - emitters.y.reshape(-1, 1), psf.sigma_y, orders)
    x = derivatives(pixels - emitters.x.reshape(-1, 1), psf.sigma_x, orders)
    photons = emitters.photons.reshape(-1, 1, 1).astype(np.float32)
    slopes = np.ones((count, 3 * members + 1, width, width), np.float32)
    each = (count, members, width, width)
    unit = images(psf.shape, y[:, :, :-1], x[:, :, :-1])
    slopes[:, 2::3] = unit.reshape(each)
    by_y = images(psf.shape, y[:, :, 1:] * (-photons / psf.sigma_y), x[:, :, :-1])
    slopes[:, 0:-1:3] = by_y.reshape(each)
    by_x = images(psf.shape, y[:, :, :-1], x[:, :, 1:] * (-photons / psf.sigma_x))
    slopes[:, 1:-1:3] = by_x.reshape(each)
    unit *= photons
    light = unit if members == 1 else unit.reshape(each).sum(axis=1)
    return light, slopes.reshape(count, 3 * members + 1, -1)


def fitted(
    cut: Windows, psf: Psf, start: Emitters, extra_sd: Floats, iterations: int, extra: Floats
) -> Fit:
    """Fisher scoring with bounded steps; `extra_sd` is how well the ground is known beforehand."""
    emitters = start
    fit = _at(cut, psf, emitters, extra, extra_sd)
    for _ in range(iterations):
        emitters, extra = _stepped(cut, fit, extra_sd)
        fit = _at(cut, psf, emitters, extra, extra_sd)
    return fit


def _at(cut: Windows, psf: Psf, emitters: Emitters, extra: Floats, extra_sd: Floats) -> Fit:
    count, width = cut.counts.shape[:2]
    model, slopes = drawn(psf, emitters, width)
    model += cut.ground
    model += extra.astype(np.float32)[:, None, None]
    np.maximum(model, LEAST_SHARE * cut.ground, out=model)
    weight = (cut.good / model).reshape(count, 1, -1)
    information = ((slopes * weight) @ slopes.swapaxes(1, 2)).astype(np.float64)
    information[:, -1, -1] += extra_sd**-2.0
    return Fit(emitters, extra, model, slopes, information)


def _stepped(cut: Windows, fit: Fit, extra_sd: Floats) -> tuple[Emitters, Floats]:
    count, members = fit.emitters.y.shape
    off = (cut.good * (cut.counts / fit.model - ONE)).reshape(count, -1, 1)
    score = (fit.slopes @ off)[:, :, 0].astype(np.float64)
    score[:, -1] -= fit.extra / extra_sd**2
    step = solved(fit.information, score)
    moves = step[:, :-1].reshape(count, members, 3)
    by = np.clip(moves[:, :, :2], -STEP_PX, STEP_PX)
    photons = fit.emitters.photons
    brighter = np.clip(photons + moves[:, :, 2], FEWER * photons, MORE * photons)
    emitters = Emitters(
        fit.emitters.y + by[:, :, 0],
        fit.emitters.x + by[:, :, 1],
        np.maximum(brighter, LEAST_PHOTONS),
    )
    floor = -0.8 * np.min(np.where(cut.good, cut.ground, np.inf), axis=(1, 2))
    return emitters, np.maximum(fit.extra + step[:, -1], floor)


def solved(information: Floats, score: Floats) -> Floats:
    """Equations scaled to a unit diagonal, so that no unit decides about rank."""
    scale, matrix = _scaled(information)
    return np.asarray(np.linalg.solve(matrix, (score / scale)[:, :, None])[:, :, 0] / scale)


def inverted(information: Floats) -> Floats:
    """Covariance of what the information is about."""
    scale, matrix = _scaled(information)
    return np.asarray(np.linalg.inv(matrix) / (scale[:, :, None] * scale[:, None, :]))


def _scaled(information: Floats) -> tuple[Floats, Floats]:
    diagonal = np.einsum("nii->ni", information)
    scale = np.sqrt(np.maximum(diagonal, 1e-12))
    matrix = information / (scale[:, :, None] * scale[:, None, :])
    matrix += 1e-6 * np.eye(matrix.shape[1])
    return scale, matrix
