"""Where emitters may be: ground light, pixels that lie, and peaks of the matched filter."""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mapping.ground import coarse, refined
from mapping.lines import with_lines
from optics.psf import Psf, kernels, sharpest

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

MASKED_SD = 4.0  # brighter pixels of the filtered frame say nothing about the ground
EVEN = 1e-3
LINE_PEAK_SD = 3.3  # lines show as rows of such peaks
SHARP_SD = 5.0
SHARP_SHARE = 0.8  # of what the narrowest image would leave in the neighbours


class Candidates(NamedTuple):
    """Peaks of one frame."""

    row: Ints
    column: Ints
    significance: Floats
    photons: Floats


class Surveyed(NamedTuple):
    """One frame, understood as far as filters can."""

    ground: Floats
    lying: Flags  # pixels too sharp for any light
    significance: Floats  # of an emitter centred in each pixel
    scale: Floats  # photons that are as significant as one
    doubt: Floats | None = None  # of the ground, what lines that cross others put there


def threshold(area_px: float, sigma: float, false_alarms: float) -> float:
    """Significance that noise alone passes so often per frame.

    Peaks of a Gaussian field whose correlation is the filter's own, of sigma sqrt(2) times the
    image's (Adler, The Geometry of Random Fields, 1981, chapter 6: expected maxima above a level).
    """
    looks = area_px / (2 * sigma**2 * (2 * math.pi) ** 1.5)
    level = 5.0
    for _ in range(20):
        level = math.sqrt(2 * math.log(max(looks * level / false_alarms, 2.0)))
    return level


def surveyed(
    photons: Floats, noise: Floats, broken: Flags, psf: Psf, *, by_lines: bool = False
) -> Surveyed:
    """Ground first from a running median, then from all that shows no emitter, then lines."""
    ground = coarse(photons, psf.sigma)
    lying = _sharp(photons, ground, noise, psf, by_lines=by_lines) & ~broken
    unfit = broken | lying
    first, _ = filtered(photons, ground, noise, unfit, psf)
    ground = refined(photons, ground, noise, _empty(first, unfit, psf), psf.sigma)
    seen = Surveyed(ground, lying, *filtered(photons, ground, noise, unfit, psf))
    top = peaks(seen, LINE_PEAK_SD, psf)
    lifted = with_lines(ground, photons, noise, seen.significance, top.row, top.column, psf)
    if lifted is None:
        return seen
    ground, doubt = lifted
    return Surveyed(ground, lying, *filtered(photons, ground, noise, unfit, psf), doubt)


def _empty(significance: Floats, unfit: Flags, psf: Psf) -> Flags:
    bright = (significance > MASKED_SD).view(np.uint8)
    reach = 2 * math.ceil(2 * psf.sigma) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return np.asarray(~(cv2.dilate(bright, disc).view(np.bool_) | unfit))


def filtered(
    photons: Floats, ground: Floats, noise: Floats, unfit: Flags, psf: Psf
) -> tuple[Floats, Floats]:
    """Score of an emitter in each pixel in sigmas (Neyman and Pearson's test), and the photons
    of one sigma. Where the noise is even the weights are too, and need no filter."""
    along_y, along_x = kernels(psf, math.ceil(3 * psf.sigma))
    weight = 1 / (ground + noise)
    excess = photons - ground
    excess *= weight
    uneven = np.ptp(noise) > EVEN * noise[0, 0]
    if unfit.any():
        excess[unfit] = 0
        if uneven:
            weight[unfit] = 0
    border = cv2.BORDER_CONSTANT
    score = cv2.sepFilter2D(excess, -1, along_x, along_y, borderType=border)
    if uneven:
        known = cv2.sepFilter2D(weight, -1, along_x**2, along_y**2, borderType=border)
        weight = np.asarray(np.maximum(known, 1e-12), np.float32)
    else:
        weight *= np.float32((along_x**2).sum() * (along_y**2).sum())
    scale = np.asarray(1 / np.sqrt(weight), np.float32)
    return np.asarray(score * scale, np.float32), scale


def _sharp(photons: Floats, ground: Floats, noise: Floats, psf: Psf, *, by_lines: bool) -> Flags:
    """Pixels whose neighbours are darker than any point image would leave them.

    Along every line of pixels the two neighbours of a pixel have in the mean at least the share
    that they have for an emitter in its middle, wherever the emitter lies. In a scan it may have
    been dark in one of the two rows beside.
    """
    height, width = photons.shape
    lying = np.zeros((height, width), bool)
    above, spread = photons - ground, ground + noise
    bright = above * np.abs(above) > SHARP_SD**2 * spread
    bright[[0, -1]] = bright[:, [0, -1]] = False
    row, column = np.nonzero(bright)
    light = above[row, column]
    share_y, share_x = sharpest(psf)
    across = [(1, 1, share_y * share_x), (1, -1, share_y * share_x)]
    for down, right, share in [(1, 0, share_y), (0, 1, share_x), *([] if by_lines else across)]:
        expected = SHARP_SHARE * share
        one, other = (row + down, column + right), (row - down, column - right)
        beside = (above[one] + above[other]) / 2
        if by_lines and down:
            beside = np.maximum(above[one], above[other])
        left = beside - expected * light
        variance = (spread[one] + spread[other] + 2 * expected * light) / 4
        variance += expected**2 * (light + spread[row, column])
        lying[row, column] |= left < -SHARP_SD * np.sqrt(variance)
    return lying


def peaks(seen: Surveyed, least: float, psf: Psf) -> Candidates:
    """Local maxima above a significance, a sigma around: noise makes several on a wide spot."""
    reach = 2 * max(1, round(psf.sigma)) + 1
    highest = cv2.dilate(seen.significance, np.ones((reach, reach), np.uint8))
    width = seen.significance.shape[1]
    bright = np.flatnonzero(seen.significance >= least)
    top = seen.significance.ravel()[bright] == highest.ravel()[bright]
    at = row, column = bright[top] // width, bright[top] % width
    significance = seen.significance[at]
    return Candidates(row, column, significance, significance * seen.scale[at])
