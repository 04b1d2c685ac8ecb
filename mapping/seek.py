"""The first look at frames: the image of a point, the ground, and peaks that may be emitters."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.crowd import Field, Places, half_width
from mapping.find import Surveyed, peaks, surveyed, threshold
from mapping.point_image import guessed_sigma, measured_image
from optics.psf import Psf
from optics.sensor import Exposed

Floats = NDArray[np.float64]

FALSE_ALARMS = 0.1  # that noise alone brings about in a frame
FIRST_LOOK = 0.8  # of that threshold, for peaks that the fit then judges
# How sure the image's forms are beforehand: when its width is told, and when it is guessed.
TOLD = np.array([0.06, 0.06, 0.06, 0.02, 0.005])
GUESSED = np.array([1.0, 1.0, 0.3, 0.06, 0.02])
OTHER_IMAGE = 0.08  # relative width from which the filters are made anew
LEAST_COUNTS = 1e-3


class Sought(NamedTuple):
    """What the fits start from."""

    psf: Psf
    unsure: Floats  # covariance of the image's forms
    bar: float  # significance from which a peak is believed
    field: Field
    places: Places
    lying: list[NDArray[np.bool_]]  # per frame, pixels that no light made


def sought(light: Exposed, sigma_px: float | None) -> Sought:
    """With a width that is told, or guessed from the brightest peaks."""
    sigma, sure = (sigma_px, TOLD) if sigma_px else (guessed_sigma(light), GUESSED)
    first = _seen(light, Psf(sigma, sigma), sure)
    if abs(first.psf.sigma / sigma - 1) < OTHER_IMAGE:
        return first
    return _seen(light, first.psf, sure)


def _seen(light: Exposed, psf: Psf, sure: Floats) -> Sought:
    bar = threshold(light.noise.size, psf.sigma, FALSE_ALARMS)
    noise = light.noise.astype(np.float32)
    surveys, found = [], []
    for number, photons in enumerate(light.photons.astype(np.float32)):
        seen = surveyed(photons, noise, light.broken, psf)
        top = peaks(seen, FIRST_LOOK * bar)
        surveys.append(seen)
        found.append(
            (np.full(len(top.row), number), top.row, top.column, top.photons, top.significance)
        )
    frame, *rest = (np.concatenate(what) for what in zip(*found, strict=True))
    y, x, bright, snr = (column.astype(float) for column in rest)
    places = Places(frame, y, x, bright, np.zeros(len(y)))
    field = _field(light, surveys, 2 * half_width(psf))
    measured, unsure = measured_image(field, psf, places, snr, sure)
    return Sought(measured, unsure, bar, field, places, [one.lying for one in surveys])


def _field(light: Exposed, surveys: list[Surveyed], margin: int) -> Field:
    counts = np.maximum(light.photons + light.noise, LEAST_COUNTS)
    ground = np.array([seen.ground for seen in surveys]) + light.noise
    good = ~np.array([seen.lying for seen in surveys]) & ~light.broken
    around = ((0, 0), (margin, margin), (margin, margin))
    return Field(
        np.pad(counts, around, constant_values=1.0),
        np.pad(ground, around, constant_values=1.0),
        np.pad(good, around),
        margin,
    )
