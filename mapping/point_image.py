"""The image of a point, measured on the spots themselves."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mapping.crowd import Field, Places, fit_all, half_width, picked
from mapping.find import filtered, surveyed
from mapping.near import pairs
from mapping.shape import FORMS, shapes
from optics.psf import ROUND, Psf, rim
from optics.sensor import Exposed

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

ALONE_SIGMAS = 6.0
BRIGHT_SD = 12.0
MOST = 120  # spots
AGAIN = 2  # iterations of a fit that starts near
ALL_FORMS = [*FORMS, rim(6)]
SPREAD = np.array([0.03, 0.03, 0.03, 0.01, 0.003])  # of forms among spots, beyond counting
OUTLIER = 9.0  # chi squared of two or five
MANY = 0.35  # of the most
NO_GAUSSIAN = 20.0  # chi squared of five
WIDER, NARROWER = 0.5, -0.3  # variance in one step
WIDTHS = (0.8, 1.05, 1.4, 1.85, 2.4, 3.2)
USUAL = 1.3  # where nothing bright is seen
GUESSED_FRAMES = 4
WIDTH_ROUNDS, SHAPE_ROUNDS, SETTLED = 5, 2, 0.01


def measured_image(
    field: Field, psf: Psf, places: Places, chosen: Ints, sure: Floats
) -> tuple[Psf, Floats]:
    """The image that most of the chosen spots agree on, and the covariance of its forms.

    First the Gaussian's own widths, then, with those held, what the image has beside it: linear,
    so there is one answer. `sure` is how well the forms were known before, in standard deviations.
    """
    if not len(chosen):
        return psf, np.diag(sure[:4] ** 2)
    spots, first = picked(places, chosen), psf
    for _ in range(WIDTH_ROUNDS):
        so_far = np.array([psf.sigma_x / first.sigma_x, psf.sigma_y / first.sigma_y]) ** 2 - 1
        spots, change, _ = _asked(field, psf, spots, FORMS[:2], sure[:2], so_far)
        psf = _wider(psf, change)
        if np.abs(change).max() < SETTLED:
            break
    total = np.zeros(len(ALL_FORMS))
    covariance = np.diag(sure**2)
    for _ in range(SHAPE_ROUNDS):
        spots, change, covariance = _asked(field, psf, spots, ALL_FORMS, sure, total)
        total += change
        if total @ np.linalg.solve(covariance, total) < NO_GAUSSIAN:
            return psf._replace(shape=ROUND), covariance[:4, :4]
        psf = psf._replace(shape=_mixed(total))
    return psf, covariance[:4, :4]


def _asked(
    field: Field, psf: Psf, spots: Places, forms: list[Floats], sure: Floats, so_far: Floats
) -> tuple[Places, Floats, Floats]:
    """The spots fitted anew, the change of the image they agree on, and its covariance."""
    spots, parts = fit_all(field, psf, spots, np.arange(len(spots.y)), AGAIN)
    told = [shapes(part, psf, forms) for part in parts]
    order = np.argsort(np.concatenate([part.which for part in parts]))
    form = np.concatenate([one.form for one in told])[order]
    spread = np.diag(SPREAD[: len(forms)] ** 2)
    weights = np.linalg.inv(np.concatenate([one.covariance for one in told])[order] + spread)
    return spots, *_agreed(form, weights, np.diag(sure**-2.0), so_far)


def exemplary(field: Field, psf: Psf, places: Places, snr: Floats) -> Ints:
    """The brightest with nobody near and no border."""
    lonely = np.ones(len(snr), bool)
    lonely[pairs(*places[:3], ALONE_SIGMAS * psf.sigma)] = False
    half = half_width(psf)
    height, width = (size - half for size in field.noise.shape)
    inside = (places.y > half) & (places.x > half) & (places.y < height) & (places.x < width)
    fit = np.flatnonzero(lonely & inside & (snr > BRIGHT_SD))
    return fit[np.argsort(-snr[fit], kind="stable")][:MOST]


def _agreed(forms: Floats, weights: Floats, prior: Floats, so_far: Floats) -> tuple[Floats, Floats]:
    """Weighted mean of those near one whom many lie near; the narrowest, since company widens."""
    apart = forms - forms[:, None]  # of every other from each, in its weights
    near = np.sum(apart @ weights * apart, axis=2).T < OUTLIER
    many = np.flatnonzero(near.sum(axis=1) >= MANY * near.sum(axis=1).max())
    mean = forms[many[forms[many, :2].sum(axis=1).argmin()]]
    covariance = np.linalg.inv(prior)
    for _ in range(4):
        off = forms - mean
        keep = np.einsum("ni,nij,nj->n", off, weights, off) < OUTLIER
        covariance = np.linalg.inv(prior + weights[keep].sum(axis=0))
        pull = np.einsum("nij,nj->i", weights[keep], forms[keep]) - prior @ so_far
        mean = covariance @ pull
    return np.asarray(mean), np.asarray(covariance)


def _wider(psf: Psf, change: Floats) -> Psf:
    wider = np.sqrt(1 + np.clip(change, NARROWER, WIDER))
    return Psf(psf.sigma_x * float(wider[0]), psf.sigma_y * float(wider[1]))


def _mixed(amounts: Floats) -> Floats:
    """The Gaussian with so much of each form."""
    size = max(len(form) for form in ALL_FORMS)
    shape = np.zeros((size, size))
    shape[0, 0] = 1.0
    for form, amount in zip(ALL_FORMS, amounts, strict=True):
        shape[: len(form), : len(form)] += amount * form
    shape[2, 2] += amounts[2] ** 2 / 2  # a turned ellipse to second order
    return shape


def guessed_sigma(light: Exposed) -> float:
    """The width at which most bright peaks stand out best, of a few; before the same ground, since
    narrow filters take wide spots for some of it."""
    votes = np.zeros(len(WIDTHS))
    for photons in light.photons[:GUESSED_FRAMES]:
        narrow, wide = (
            surveyed(photons, light.noise, light.broken, Psf(s, s), by_lines=light.by_lines)
            for s in (WIDTHS[0], WIDTHS[-1])
        )
        unfit = light.broken | narrow.lying
        maps = np.array(
            [filtered(photons, wide.ground, light.noise, unfit, Psf(s, s)) for s in WIDTHS]
        )
        best = maps.max(axis=0)
        top = (best == cv2.dilate(best, np.ones((5, 5), np.uint8))) & (best > BRIGHT_SD)
        votes += np.bincount(maps[:, top].argmax(axis=0), minlength=len(WIDTHS))
    return WIDTHS[int(votes.argmax())] if votes.any() else USUAL
