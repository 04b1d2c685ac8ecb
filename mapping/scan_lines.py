"""What the lines of a scan do to an emitter: each a little beside the last, some in the dark."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.crowd import Field, Part, Places, fit_all
from optics.psf import Psf

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

ROUNDS = 3
DARK_SD = 4.0
DARK_SHARE = 0.5  # of the light that must be missing at the least
JITTER_SD = 3.0
WILDEST = 400.0  # square of a line's score over its variance; beyond it something else is wrong


def lit(field: Field, psf: Psf, places: Places) -> tuple[Field, Places, list[Part], Flags]:
    """The fits with those lines left out in which an emitter was dark, and who blinked.

    Again and again, since dark lines make an emitter look dimmer than it is where it shines.
    """
    which = np.arange(len(places.y))
    places, parts = fit_all(field, psf, places, which)
    blinked = np.zeros(len(which), bool)
    for _ in range(ROUNDS):
        dark = [_dark_lines(part) for part in parts]
        if not any(lines.any() for lines in dark):
            break
        for part, lines in zip(parts, dark, strict=True):
            blinked[part.which] |= lines.any(axis=1)
        field = _without(field, places, parts, dark, psf)
        places, parts = fit_all(field, psf, places, which)
    return field, places, parts, blinked


def _dark_lines(part: Part) -> Flags:
    """Per spot and line of its window: whether half of its light is missing there, surely."""
    fit = part.fit
    unit = fit.slopes[:, 2].reshape(fit.model.shape)
    weight = np.where(part.cut.good, 1 / fit.model, 0)
    missing = -(unit * weight * (part.cut.counts - fit.model)).sum(axis=2)
    known = np.maximum((unit**2 * weight).sum(axis=2), 1e-12)
    lost = missing / known > DARK_SHARE * fit.emitters[:, :1, 2]
    return np.asarray(lost & (missing / np.sqrt(known) > DARK_SD))


def _without(field: Field, places: Places, parts: list[Part], dark: list[Flags], psf: Psf) -> Field:
    """Lines in which an emitter was dark are no longer asked about it."""
    bad = field.bad.copy()
    height, width = field.noise.shape
    half = math.ceil(3 * psf.sigma_x)
    for part, dark_here in zip(parts, dark, strict=True):
        spot, line = np.nonzero(dark_here)
        row = (part.row[spot] + line - dark_here.shape[1] // 2).clip(0, height - 1)
        columns = (part.column[spot, None] + np.arange(-half, half + 1)).clip(0, width - 1)
        bad[places.frame[part.which[spot], None], row[:, None], columns] = True
    return field._replace(bad=bad)


def jitter_variance(parts: list[Part]) -> float:
    """Of the lines' places along x, in pixels squared, beyond what counting explains.

    A line's score has the variance I + I^2 v when its place varies by v (I its information).
    """
    excess = information = doubt = 0.0
    for part in parts:
        fit = part.fit
        slope = fit.slopes[:, 1].reshape(fit.model.shape)
        weight = np.where(part.cut.good, 1 / fit.model, 0)
        score = (slope * weight * (part.cut.counts - fit.model)).sum(axis=2)
        known = (slope**2 * weight).sum(axis=2)
        shared = known * known / np.maximum(known.sum(axis=1, keepdims=True), 1e-12)
        unfitted = np.maximum(known - shared, 0)  # the fit itself took out the common part
        excess += float(np.minimum(score**2 - unfitted, WILDEST * unfitted).sum())
        information += float((unfitted**2).sum())
        doubt += float((2 * unfitted**2).sum())
    if excess < JITTER_SD * math.sqrt(doubt) or not information:
        return 0.0
    return excess / information


def blurred_x(variance: float, psf: Psf) -> float:
    """What that leaves in an emitter's x: the lines through it average."""
    return variance / max(2 * math.sqrt(math.pi) * psf.sigma_y, 1.0)
