"""How a fitted spot differs from a point image: scores against other forms."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.algebra import inverse
from mapping.crowd import Part
from mapping.drawing import bells, image
from mapping.fit import optics
from optics.native import Float32s, Float64s, Native, UInt8s
from optics.psf import Psf, rim

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
    known, many, size = fit.information.shape[1], len(forms), max(map(len, forms))
    padded = np.zeros((many, size, size))
    for form, into in zip(forms, padded, strict=True):
        into[: len(form), : len(form)] = form
    told, core = np.zeros((count, many)), np.zeros((count, 2))
    matrix = np.empty((count, known + many, known + many))
    _formed(
        told, matrix, core, *cut[:2], cut.good.view(np.uint8), fit.emitters, fit.model,
        fit.slopes, fit.information,
        count, known, width, optics(psf)[0], padded, many, size,
        np.empty(many * width**2), np.empty(2 * size * (width + 1)),
        np.empty(width**2), np.empty(width**2), np.empty(width**2),
        np.empty(known + many), np.empty(known + many),
    )  # fmt: skip
    return Shapes(told, matrix[:, known:, known:], core[:, 0], core[:, 1])


@Native
def _formed(
    told: Float64s,
    matrix: Float64s,
    core: Float64s,
    counts: Float32s,
    ground: Float32s,
    good: UInt8s,
    emitters: Float64s,
    model: Float32s,
    slopes: Float32s,
    information: Float64s,
    count: int,
    known: int,
    width: int,
    sigmas: Float64s,
    forms: Float64s,
    many: int,
    size: int,
    slope: Float64s,
    along: Float64s,
    weight: Float64s,
    off: Float64s,
    weighted: Float64s,
    score: Float64s,
    scale: Float64s,
) -> int:
    both = known + many
    pixels = width * width
    for one in range(count):
        at = one * (known - 1)
        _drawn(slope, along, emitters, at, width, sigmas, forms, many, size)
        start = one * pixels
        first = one * both * both
        _weighed(weight, off, counts, model, good, start, pixels)
        _crossed(
            matrix, first, score, slope, slopes, weight, off, weighted, start, known, many, pixels
        )
        for i in range(known):
            for j in range(known):
                matrix[first + i * both + j] = information[(one * known + i) * known + j]
        inverse(matrix, first, both, scale)
        for i in range(many):
            for j in range(many):
                share = matrix[first + (known + i) * both + known + j]
                told[one * many + i] += share * score[j]
        _misfit(core, one, counts, ground, model, good, width, emitters, at, sigmas)
    return 0


@Native
def _drawn(
    slope: Float64s,
    along: Float64s,
    emitters: Float64s,
    at: int,
    width: int,
    sigmas: Float64s,
    forms: Float64s,
    many: int,
    size: int,
) -> int:
    """Of the first emitter's image by its forms."""
    x = size * (width + 1)
    bells(along, 0, emitters[at], sigmas[0], width, size)
    bells(along, x, emitters[at + 1], sigmas[1], width, size)
    for form in range(many):
        into = form * width * width
        image(slope, into, along, 0, x, forms, form * size * size, size, width, emitters[at + 2])
    return 0


@Native
def _crossed(
    matrix: Float64s,
    first: int,
    score: Float64s,
    slope: Float64s,
    slopes: Float32s,
    weight: Float64s,
    off: Float64s,
    weighted: Float64s,
    start: int,
    known: int,
    many: int,
    pixels: int,
) -> int:
    """The forms' scores, and their information with each other and with what was fitted."""
    both = known + many
    for i in range(many):
        own = i * pixels
        row = first + (known + i) * both
        total = 0.0
        for pixel in range(pixels):
            total += off[pixel] * slope[own + pixel]
            weighted[pixel] = weight[pixel] * slope[own + pixel]
        score[i] = total
        for j in range(known):
            other = start * known + j * pixels
            total = 0.0
            for pixel in range(pixels):
                total += weighted[pixel] * slopes[other + pixel]
            matrix[row + j] = total
            matrix[first + j * both + known + i] = total
        for j in range(i + 1):
            total = 0.0
            for pixel in range(pixels):
                total += weighted[pixel] * slope[j * pixels + pixel]
            matrix[row + known + j] = total
            matrix[first + (known + j) * both + known + i] = total
    return 0


@Native
def _weighed(
    weight: Float64s,
    off: Float64s,
    counts: Float32s,
    model: Float32s,
    good: UInt8s,
    start: int,
    pixels: int,
) -> int:
    for pixel in range(pixels):
        weight[pixel] = good[start + pixel] / model[start + pixel]
        off[pixel] = weight[pixel] * counts[start + pixel] - good[start + pixel]
    return 0


@Native
def _misfit(
    core: Float64s,
    one: int,
    counts: Float32s,
    ground: Float32s,
    model: Float32s,
    good: UInt8s,
    width: int,
    emitters: Float64s,
    at: int,
    sigmas: Float64s,
) -> int:
    """Pearson's sum over the core against what counting allows."""
    excess = 0.0
    variance = 0.0
    own = 0.0
    for row in range(width):
        far_y = (row - width // 2 - emitters[at]) / sigmas[0]
        for column in range(width):
            far_x = (column - width // 2 - emitters[at + 1]) / sigmas[1]
            pixel = (one * width + row) * width + column
            if (far_y * far_y + far_x * far_x < CORE_SIGMAS * CORE_SIGMAS) & (good[pixel] == 1):
                light = 1.0 * model[pixel]
                off = counts[pixel] - light
                excess += off * off / light - 1
                variance += 2 + 1 / light
                part = 0.01 * (light - ground[pixel])
                own += part * part / light
    sd = math.sqrt(max(variance, 1.0))
    core[2 * one] = excess / sd
    core[2 * one + 1] = own / sd
    return 0
