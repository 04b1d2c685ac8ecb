"""The first look at frames: the image of a point, the ground, and peaks that may be emitters."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.crowd import Field, Places, half_width
from mapping.find import Surveyed, peaks, surveyed, threshold
from mapping.point_image import exemplary, guessed_sigma, measured_image
from mapping.scan_lines import lit
from optics.psf import Psf
from optics.sensor import Exposed

Floats = NDArray[np.floating[Any]]

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
    doubt: list[NDArray[np.float32] | None]  # per frame, where lines cross: photons per pixel


def sought(light: Exposed, sigma_px: float | None) -> Sought:
    """With a width that is told, or guessed from the brightest peaks."""
    sigma, told = sigma_px or guessed_sigma(light), bool(sigma_px)
    first = _seen(light, Psf(sigma, sigma), told=told)
    if abs(first.psf.sigma / sigma - 1) < OTHER_IMAGE:
        return first
    return _seen(light, first.psf, told=told)


def _seen(light: Exposed, psf: Psf, *, told: bool) -> Sought:
    bar = threshold(light.noise.size, psf.sigma, FALSE_ALARMS)
    surveys, found = [], []
    for number, photons in enumerate(light.photons):
        seen = surveyed(photons, light.noise, light.broken, psf, by_lines=light.by_lines)
        top = peaks(seen, FIRST_LOOK * bar, psf)
        surveys.append(seen)
        found.append(
            (np.full(len(top.row), number), top.row, top.column, top.photons, top.significance)
        )
    frame, *rest = (np.concatenate(what) for what in zip(*found, strict=True))
    y, x, bright, snr = (column.astype(float) for column in rest)
    places = Places(frame, y, x, bright, np.zeros(len(y)))
    field = _field(light, surveys, 2 * half_width(psf))
    measured, unsure = _image(light, field, psf, places, snr, told=told)
    lying, doubt = [one.lying for one in surveys], [one.doubt for one in surveys]
    return Sought(measured, unsure, bar, field, places, lying, doubt)


def _image(
    light: Exposed, field: Field, psf: Psf, places: Places, snr: Floats, *, told: bool
) -> tuple[Psf, Floats]:
    """In a scan from the lines that are lit, and from emitters that blinked only where nobody
    else shows the image and nobody told it."""
    sure = TOLD if told else GUESSED
    if not light.by_lines or not len(snr):
        return measured_image(field, psf, places, exemplary(field, psf, places, snr), sure)
    field, places, _, blinked = lit(field, psf, places)
    chosen = exemplary(field, psf, places, snr)
    steady = chosen[~blinked[chosen]]
    return measured_image(field, psf, places, steady if told or len(steady) else chosen, sure)


def _field(light: Exposed, surveys: list[Surveyed], margin: int) -> Field:
    frames, height, width = light.photons.shape
    shape = (frames, height + 2 * margin, width + 2 * margin)
    counts, ground = np.ones((2, *shape), np.float32)
    good = np.zeros(shape, np.bool_)
    inner = slice(margin, margin + height), slice(margin, margin + width)
    for number, seen in enumerate(surveys):
        at = (number, *inner)
        np.add(light.photons[number], light.noise, out=counts[at])
        np.maximum(counts[at], LEAST_COUNTS, out=counts[at])
        np.add(seen.ground, light.noise, out=ground[at])
        np.logical_or(seen.lying, light.broken, out=good[at])
        np.logical_not(good[at], out=good[at])
    return Field(counts, ground, good, margin)
