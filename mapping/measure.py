"""What is known of every fitted spot, gathered from the fits: one row per spot."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.algebra import inverted
from mapping.crowd import Part, Places
from mapping.fit import Fit, Windows
from mapping.leftovers import gains
from mapping.shape import FORMS, shapes
from optics.psf import Psf

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


class Measured(NamedTuple):
    """Per spot."""

    places: Places
    covariance: Floats  # (n, 3, 3) of y, x, photons
    ground: Floats  # photons per pixel under it
    snr: Floats  # of being there at all: square root of the likelihood ratio
    form: Floats  # (n, 4)
    form_covariance: Floats  # (n, 4, 4)
    misfit: Floats
    light: Floats


def measured(places: Places, parts: list[Part], psf: Psf, noise_at: Floats) -> Measured:
    """Everything the verdict rests on; all places must have been fitted."""
    count = len(places.y)
    told = Measured(
        places,
        np.zeros((count, 3, 3)),
        np.zeros(count),
        np.zeros(count),
        np.zeros((count, 4)),
        np.zeros((count, 4, 4)),
        np.zeros(count),
        np.zeros(count),
    )
    for part in parts:
        which = part.which
        everything = inverted(part.fit.information)
        told.covariance[which] = everything[:, :3, :3]
        told.snr[which] = _significance(part.cut, part.fit, everything)
        told.ground[which] = _beneath(part) - noise_at[which]
        form = shapes(part, psf, FORMS)
        told.form[which], told.form_covariance[which] = form.form, form.covariance
        told.misfit[which], told.light[which] = form.misfit, form.light
    return told


def _beneath(part: Part) -> Floats:
    middle = part.cut.ground.shape[1] // 2
    return np.asarray(part.cut.ground[:, middle, middle] + part.fit.extra)


def _significance(cut: Windows, fit: Fit, covariance: Floats) -> Floats:
    """Without the emitter, the extra light fitted anew; neighbours that could stand in for it
    take from it what they take from the knowledge of its photons."""
    count, members = fit.emitters.shape[:2]
    pixels = cut.counts[0].size
    ratio = np.empty(count)
    gains(
        ratio, cut.counts, cut.ground, cut.good.view(np.uint8), fit.model, fit.slopes, fit.emitters,
        count, members, pixels, np.empty(pixels),
    )  # fmt: skip
    alone = 1 / np.maximum(fit.information[:, 2, 2] * covariance[:, 2, 2], 1)
    return np.asarray(np.sqrt(np.maximum(ratio * alone, 0)))
