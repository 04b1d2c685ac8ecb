"""Every emitter in a frame: where, how bright, how sure, and what only looks like one."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping import verdict
from mapping.companions import companions
from mapping.crowd import Field, Places, fit_all, half_width, joined
from mapping.find import Surveyed, peaks, surveyed, threshold
from mapping.measure import Measured, measured
from mapping.point_image import guessed_sigma, measured_image
from optics.psf import Psf
from optics.quantities import PixelPoint
from optics.sensor import Calibration, Exposed, exposed

Floats = NDArray[np.float64]

FALSE_ALARMS = 0.1  # that noise alone brings about in a frame
FIRST_LOOK = 0.8  # of that threshold, for peaks that the fit then judges
ROUNDS = 3
EDGE_SIGMAS = 1.5
TOLD = np.array(
    [0.06, 0.06, 0.06, 0.02, 0.005]
)  # how sure the image's forms are when its width is told
GUESSED = np.array([1.0, 1.0, 0.3, 0.06, 0.02])
OTHER_IMAGE = 0.08


class Spot(NamedTuple):
    """One emitter in one frame; photons are detected ones, errors one standard deviation."""

    at: PixelPoint
    photons: float
    background: float
    x_err: float
    y_err: float
    xy_cov: float
    photons_err: float
    snr: float
    flags: tuple[str, ...]


class Rejected(NamedTuple):
    """Light that is no single emitter's, and what it is."""

    at: PixelPoint
    why: str


class Look(NamedTuple):
    """What one frame holds."""

    spots: list[Spot]
    rejected: list[Rejected]


def looks(pixels: NDArray[Any], camera: Calibration) -> list[Look]:
    """Of one frame (h, w) or a stack (n, h, w), each by itself."""
    light = exposed(pixels, camera)
    psf, bar, field, places, unsure = _prepared(light, camera.psf_sigma_px)
    if not len(places.y):
        return [Look([], []) for _ in light.photons]
    places, parts = fit_all(field, psf, places, np.arange(len(places.y)))
    for _ in range(ROUNDS):
        more = companions(places, parts, psf)
        if not len(more.y):
            break
        places = joined(places, more)
        places, parts = fit_all(field, psf, places, np.arange(len(places.y)))
    noise_at = light.noise[_pixels(places, light)]
    seen = measured(places, parts, psf, noise_at)
    return _told(
        seen, verdict.reasons(seen, psf, unsure, light.noise.size, len(light.photons)), bar, light
    )


def _prepared(light: Exposed, sigma_px: float | None) -> tuple[Psf, float, Field, Places, Floats]:
    """The image of a point, the bar for peaks, the ground, the peaks, and the image's covariance."""
    sigma, sure = (sigma_px, TOLD) if sigma_px else (guessed_sigma(light), GUESSED)
    psf = Psf(sigma, sigma)
    bar = threshold(light.noise.size, psf.sigma, FALSE_ALARMS)
    field, places, snr = _first(light, psf, FIRST_LOOK * bar)
    seen, unsure = measured_image(field, psf, places, snr, sure)
    if abs(seen.sigma / psf.sigma - 1) > OTHER_IMAGE:
        bar = threshold(light.noise.size, seen.sigma, FALSE_ALARMS)
        field, places, snr = _first(light, seen, FIRST_LOOK * bar)
        seen, unsure = measured_image(field, seen, places, snr, sure)
    return seen, bar, field, places, unsure


def _first(light: Exposed, psf: Psf, least: float) -> tuple[Field, Places, Floats]:
    margin = 2 * half_width(psf)
    noise = light.noise.astype(np.float32)
    surveys, found = [], []
    for number, photons in enumerate(light.photons.astype(np.float32)):
        seen = surveyed(photons, noise, light.broken, psf)
        top = peaks(seen, least)
        surveys.append(seen)
        found.append(
            (np.full(len(top.row), number), top.row, top.column, top.photons, top.significance)
        )
    frame, row, column, photons, snr = (np.concatenate(what) for what in zip(*found, strict=True))
    places = Places(
        frame, row.astype(float), column.astype(float), photons.astype(float), np.zeros(len(row))
    )
    return _field(light, surveys, margin), places, snr.astype(float)


def _field(light: Exposed, surveys: list[Surveyed], margin: int) -> Field:
    noise = light.noise
    counts = np.maximum(light.photons + noise, 1e-3)
    ground = np.array([seen.ground for seen in surveys]) + noise
    good = ~np.array([seen.lying for seen in surveys]) & ~light.broken
    around = ((0, 0), (margin, margin), (margin, margin))
    return Field(
        np.pad(counts, around, constant_values=1.0),
        np.pad(ground, around, constant_values=1.0),
        np.pad(good, around),
        margin,
    )


def _pixels(places: Places, light: Exposed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    height, width = light.noise.shape
    y = np.clip(np.rint(places.y), 0, height - 1).astype(np.int64)
    return y, np.clip(np.rint(places.x), 0, width - 1).astype(np.int64)


def _told(seen: Measured, why: list[str], bar: float, light: Exposed) -> list[Look]:
    answer = [Look([], []) for _ in light.photons]
    sd = np.sqrt(np.einsum("nii->ni", seen.covariance))
    places = seen.places
    for i in np.flatnonzero(seen.snr >= bar):
        at = PixelPoint(float(places.x[i]), float(places.y[i]))
        look = answer[places.frame[i]]
        if why[i]:
            look.rejected.append(Rejected(at, why[i]))
            continue
        y_err, x_err, photons_err = map(float, sd[i])
        look.spots.append(
            Spot(
                at,
                float(places.photons[i]),
                float(seen.ground[i]),
                x_err,
                y_err,
                float(seen.covariance[i, 0, 1]),
                photons_err,
                float(seen.snr[i]),
                (),
            )
        )
    return answer
