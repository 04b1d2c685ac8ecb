"""Where emitters may be: ground light, pixels that lie, and peaks of the matched filter."""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mapping.ground import bin_px, binned, coarse, full, refined
from mapping.lines import line_light, lines_among
from mapping.sifting import sharp, summits
from optics.psf import Psf, kernels, sharpest

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

MASKED_SD = 4.0  # brighter pixels of the filtered frame say nothing about the ground
EVEN, LEAST = 1e-3, 1e-12
BAND_PX = 1 << 17
CLEAR_SIGMAS = 2.0  # from those to what does
LEAST_SD = 3.3  # of peaks; lines show as rows of such
REACH_SIGMAS = 2.0  # of what the ground is a mean over
SHARP_SD = 5.0
SUSPECT_SD = 2.5  # of a bin that such a pixel brightens
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
    top: Candidates
    covered: float  # share of the frame where emitters hide the ground
    doubt: Floats | None = None  # how unsure lines make the ground, photons per pixel


def above(peaks: Candidates, least: float) -> Candidates:
    """Those that are at least so significant."""
    some = peaks.significance >= least
    return Candidates._make(what[some] for what in peaks)


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
    step = bin_px(psf.sigma)
    bins, noise_bins = binned(photons, step), binned(noise, step)
    level = coarse(bins)
    sd = np.asarray(np.sqrt(level + noise_bins) / step, np.float32)
    unfit, lying = broken, _sharp(photons, noise, (bins, level, sd), psf, by_lines=by_lines)
    if lying.any():
        lying &= ~broken
        unfit = broken | lying
    if unfit.any():
        bins = binned(np.where(unfit, full(level, photons.shape), photons), step)
    empty = _empty((bins - level) / sd, psf, step)
    reach = REACH_SIGMAS * psf.sigma / step
    ground = full(refined(bins, level, sd, empty, reach), photons.shape)
    seen = _seen(photons, ground, noise, unfit, lying, psf)._replace(covered=1 - empty.mean())
    lines = lines_among(seen.significance, seen.top.row, seen.top.column, psf)
    if lines is None:
        return seen
    light, doubt = line_light(lines, photons - ground, np.sqrt(ground + noise), psf)
    return _seen(photons, ground + light, noise, unfit, lying, psf)._replace(
        covered=seen.covered, doubt=doubt
    )


def _seen(
    photons: Floats, ground: Floats, noise: Floats, unfit: Flags, lying: Flags, psf: Psf
) -> Surveyed:
    significance = filtered(photons, ground, noise, unfit, psf)
    top = _peaks(significance, ground, noise, psf)
    return Surveyed(ground, lying, significance, top, 0.0)


def _empty(excess: Floats, psf: Psf, step: int) -> Flags:
    """Bins far from all that stands out."""
    small = Psf(psf.sigma_x / step, psf.sigma_y / step)
    along_y, along_x = kernels(small, math.ceil(3 * small.sigma))
    height = math.sqrt((along_x**2).sum() * (along_y**2).sum())
    score = _blurred(excess, along_y, along_x / height)
    reach = 2 * max(1, round(CLEAR_SIGMAS * psf.sigma / step)) + 1
    bright = (score > MASKED_SD).view(np.uint8)
    return np.asarray(cv2.dilate(bright, np.ones((reach, reach), np.uint8)) == 0)


def filtered(photons: Floats, ground: Floats, noise: Floats, unfit: Flags, psf: Psf) -> Floats:
    """Score of an emitter in each pixel in sigmas (Neyman and Pearson's test); in bands, which
    stay in the processor's cache."""
    height, width = photons.shape
    along = kernels(psf, math.ceil(3 * psf.sigma))
    way = _even if np.ptp(noise) <= EVEN * noise[0, 0] else _uneven
    score = np.empty((height, width), np.float32)
    halo, step = len(along[0]) // 2, max(32, BAND_PX // width)
    for first in range(0, height, step):
        rows = slice(max(first - halo, 0), min(first + step + halo, height))
        band = way(photons[rows], ground[rows], noise[rows], unfit[rows], *along)
        own = slice(first - rows.start, first - rows.start + step)
        score[first : first + step] = band[own]
    return score


def _even(
    photons: Floats, ground: Floats, noise: Floats, unfit: Flags, along_y: Floats, along_x: Floats
) -> Floats:
    """Where the noise is even the weights are too, and need no filter."""
    height = np.float32(math.sqrt((along_x**2).sum() * (along_y**2).sum()))
    sd = ground + noise
    np.sqrt(sd, out=sd)
    excess = photons - ground
    excess /= sd
    if unfit.any():
        excess[unfit] = 0
    return _blurred(excess, along_y, along_x / height)


def _uneven(
    photons: Floats, ground: Floats, noise: Floats, unfit: Flags, along_y: Floats, along_x: Floats
) -> Floats:
    weight = np.reciprocal(ground + noise)
    excess = photons - ground
    excess *= weight
    if unfit.any():
        excess[unfit] = weight[unfit] = 0
    known = _blurred(weight, along_y**2, along_x**2)
    score = _blurred(excess, along_y, along_x)
    score /= np.sqrt(np.maximum(known, np.float32(LEAST)))
    return score


def _blurred(image: Floats, along_y: Floats, along_x: Floats) -> Floats:
    border = cv2.BORDER_CONSTANT
    return np.asarray(cv2.sepFilter2D(image, -1, along_x, along_y, borderType=border), np.float32)


def _sharp(
    photons: Floats,
    noise: Floats,
    binned_light: tuple[Floats, Floats, Floats],
    psf: Psf,
    *,
    by_lines: bool,
) -> Flags:
    """Pixels whose neighbours are darker than any point image would leave them.

    Along every line of pixels the two neighbours of a pixel have in the mean at least the share
    that they have for an emitter in its middle, wherever the emitter lies. In a scan it may have
    been dark in one of the two rows beside.
    """
    lying = np.zeros(photons.shape, np.uint8)
    height, width = photons.shape
    share_y, share_x = sharpest(psf)
    shares = SHARP_SHARE * np.array([share_y, share_x, share_y * share_x, share_y * share_x])
    steps = np.array([width, 1, width + 1, width - 1])
    down, right = binned_light[1].shape
    kinds, brighter = (2, 1) if by_lines else (4, 0)
    bins, level, sd = binned_light
    bright = np.flatnonzero(bins > level + np.float32(SUSPECT_SD) * sd)
    sharp(
        lying, photons, noise, height, width, bright, len(bright), level,
        down, right, SHARP_SD, steps, shares, kinds, brighter,
    )  # fmt: skip
    return lying.view(np.bool_)


def _peaks(significance: Floats, ground: Floats, noise: Floats, psf: Psf) -> Candidates:
    """Local maxima, a sigma around: noise makes several on a wide spot. Photons are what a fit
    may start from."""
    height, width = significance.shape
    bright = np.flatnonzero(significance >= LEAST_SD)
    found = np.empty(len(bright), np.int64)
    reach = max(1, round(psf.sigma))
    many = summits(found, significance, height, width, bright, len(bright), reach)
    at = row, column = np.divmod(found[:many], width)
    area = 4 * math.pi * psf.sigma**2
    photons = significance[at] * np.sqrt(area * (ground[at] + noise[at]))
    return Candidates(row, column, significance[at], photons)
