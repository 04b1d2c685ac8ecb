"""The first look at frames: the image of a point, the ground, and peaks that may be emitters."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.crowd import Field, Places
from mapping.find import Surveyed, above, surveyed, threshold
from mapping.point_image import exemplary, guessed_sigma, measured_image
from mapping.scan_lines import lit
from optics.psf import Psf
from optics.sensor import Exposed

Floats = NDArray[np.floating[Any]]

FALSE_ALARMS = 0.1  # that noise alone brings about in a frame
CROWDED = 0.08
FIRST_LOOK = 0.8  # of that threshold, for peaks that the fit then judges
# How sure the image's forms are beforehand: when its width is told, and when it is guessed.
TOLD = np.array([0.06, 0.06, 0.06, 0.02, 0.005])
GUESSED = np.array([1.0, 1.0, 0.3, 0.06, 0.02])
OTHER_IMAGE = 0.08  # relative width from which the filters are made anew


class Sought(NamedTuple):
    """What the fits start from."""

    psf: Psf
    unsure: Floats  # covariance of the image's forms
    bar: float  # significance from which a peak is believed
    field: Field
    places: Places
    lying: list[NDArray[np.bool_]]  # per frame, pixels that no light made
    crowded: NDArray[np.int64]  # frames whose ground shows only between emitters
    doubt: list[NDArray[np.float32] | None]  # per frame, how unsure lines make its ground


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
    for photons in light.photons:
        seen = surveyed(photons, light.noise, light.broken, psf, by_lines=light.by_lines)
        surveys.append(seen)
        found.append(above(seen.top, FIRST_LOOK * bar))
    row, column, snr, bright = (
        np.concatenate(what).astype(float) for what in zip(*found, strict=True)
    )
    frame = np.repeat(np.arange(len(found)), [len(one.row) for one in found])
    places = Places(frame, row, column, bright, np.zeros(len(row)))
    field = _field(light, surveys)
    measured, unsure = _image(light, field, psf, places, snr, told=told)
    lying, doubt = [one.lying for one in surveys], [one.doubt for one in surveys]
    crowded = np.flatnonzero([one.covered > CROWDED for one in surveys])
    return Sought(measured, unsure, bar, field, places, lying, crowded, doubt)


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


def _field(light: Exposed, surveys: list[Surveyed]) -> Field:
    grounds, lying = [one.ground for one in surveys], [one.lying for one in surveys]
    ground = np.stack(grounds) if len(grounds) > 1 else grounds[0][None]
    bad = np.stack(lying)
    bad |= light.broken
    return Field(light.photons, ground, light.noise, bad)
