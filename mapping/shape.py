"""How a fitted spot differs from a point image: scores against other forms."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.crowd import Part
from mapping.fit import Fit, Windows, inverted
from optics.psf import Psf, derivatives, images, rim

Floats = NDArray[np.floating[Any]]

WIDE, TALL, ASKEW = np.zeros((3, 3, 3))
WIDE[0, 2], TALL[2, 0], ASKEW[1, 1] = 0.5, 0.5, 1.0  # the first two: shares of the variance
FORMS = [WIDE, TALL, ASKEW, rim(4)]
CORE_SIGMAS = 2.5


class Shapes(NamedTuple):
    """Per spot."""

    form: Floats  # (n, forms): how much of each is in it
    covariance: Floats  # (n, forms, forms)
    misfit: Floats  # reduced deviance of the core, in sigmas
    light: Floats  # (n,): how much a hundredth of the image's light would add to that, in sigmas


def shapes(part: Part, psf: Psf, forms: list[Floats]) -> Shapes:
    """One Fisher step from the fitted point image towards other forms (a score test)."""
    cut, fit = part.cut, part.fit
    count, width = cut.counts.shape[:2]
    slopes = np.concatenate([fit.slopes, _slopes(fit, psf, width, forms)], axis=1)
    weight = (cut.good / fit.model).reshape(count, 1, -1)
    information = (slopes * weight) @ slopes.swapaxes(1, 2)
    known = fit.slopes.shape[1]
    information[:, :known, :known] = fit.information
    off = (cut.good * (cut.counts / fit.model - 1)).reshape(count, -1, 1)
    score = (slopes @ off)[:, :, 0]
    score[:, :known] = 0  # the fit has seen to these
    covariance = inverted(information)
    form = (covariance @ score[:, :, None])[:, known:, 0]
    return Shapes(form, covariance[:, known:, known:], *_misfit(cut, fit, psf))


def _slopes(fit: Fit, psf: Psf, width: int, forms: list[Floats]) -> Floats:
    """Of the first emitter's image by its forms, (n, forms, w * w)."""
    pixels = np.arange(width) - width // 2
    orders = max(len(form) for form in forms)
    y = derivatives(pixels - fit.emitters.y[:, :1], psf.sigma_y, orders)
    x = derivatives(pixels - fit.emitters.x[:, :1], psf.sigma_x, orders)
    slopes = [images(form, y[:, :, : len(form)], x[:, :, : len(form)]) for form in forms]
    photons = fit.emitters.photons[:, :1, None, None]
    return (np.stack(slopes, axis=1) * photons).reshape(len(x), len(forms), -1)


def _misfit(cut: Windows, fit: Fit, psf: Psf) -> tuple[Floats, Floats]:
    """Pearson's sum over the core against what counting allows."""
    pixels = np.arange(cut.counts.shape[1]) - cut.counts.shape[1] // 2
    far_y = (pixels - fit.emitters.y[:, :1])[:, :, None] / psf.sigma_y
    far_x = (pixels - fit.emitters.x[:, :1])[:, None, :] / psf.sigma_x
    core = cut.good & (far_y**2 + far_x**2 < CORE_SIGMAS**2)
    square = (cut.counts - fit.model) ** 2 / fit.model
    count = core.sum(axis=(1, 2))
    variance = np.where(core, 2 + 1 / fit.model, 0).sum(axis=(1, 2))
    excess = np.where(core, square, 0).sum(axis=(1, 2)) - count
    own = np.where(core, (0.01 * (fit.model - cut.ground)) ** 2 / fit.model, 0).sum(axis=(1, 2))
    sd = np.sqrt(np.maximum(variance, 1.0))
    return excess / sd, own / sd
