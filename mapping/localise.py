"""Every emitter in a frame: where, how bright, how sure, and what only looks like one."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.companions import companions, confirmed
from mapping.crowd import Field, Part, Places, fit_all, picked, refit
from mapping.flags import flags, lying_spots, saturated
from mapping.measure import Measured, measured
from mapping.scan_lines import blurred_x, jitter_variance, lit
from mapping.second_look import looked_again
from mapping.seek import Sought, sought
from mapping.verdict import UNCERTAIN, reasons
from optics.psf import Psf
from optics.quantities import PixelPoint
from optics.sensor import Calibration, Exposed, counted, exposed

Floats = NDArray[np.floating[Any]]

COMPANION_ROUNDS = 3
TOGETHER_PX = 1 << 22  # pixels of frames that are fitted at once; bounds the memory


class Spot(NamedTuple):
    """One emitter in one frame; photons are detected ones, errors one standard deviation."""

    at: PixelPoint
    photons: float
    background: float
    x_err: float
    y_err: float
    xy_cov: float
    photons_err: float
    snr: float
    flags: tuple[str, ...]


class Rejected(NamedTuple):
    """Light that is no single emitter's, and what it is."""

    at: PixelPoint
    why: str


class Look(NamedTuple):
    """What one frame holds."""

    spots: list[Spot]
    rejected: list[Rejected]


def looks(pixels: NDArray[Any], camera: Calibration) -> list[Look]:
    """Of one camera frame (h, w) or a stack of the same camera's (n, h, w)."""
    return [
        look
        for stack in _portions(pixels)
        for look in _looked(exposed(stack, camera), camera.psf_sigma_px)
    ]


def scan_looks(counts: NDArray[Any], psf_sigma_px: float | None = None) -> list[Look]:
    """Of one map of counted photons (h, w), scanned line by line, or a stack of them (n, h, w)."""
    return [look for stack in _portions(counts) for look in _looked(counted(stack), psf_sigma_px)]


def _portions(pixels: NDArray[Any]) -> list[NDArray[Any]]:
    stack = pixels[None] if pixels.ndim == 2 else pixels
    step = max(1, TOGETHER_PX // max(stack[0].size, 1)) if len(stack) else 1
    return [stack[first : first + step] for first in range(0, len(stack), step)]


def _looked(light: Exposed, sigma_px: float | None) -> list[Look]:
    start = sought(light, sigma_px)
    answer = [Look([], lying_spots(lying)) for lying in start.lying]
    if not len(start.places.y):
        return answer
    jitter_px2 = 0.0
    if light.by_lines:
        field, places, parts, _ = lit(start.field, start.psf, start.places)
        start = start._replace(field=field)
        jitter_px2 = jitter_variance(parts)
    else:
        places, parts = fit_all(
            start.field, start.psf, start.places, np.arange(len(start.places.y))
        )
    share = math.hypot(UNCERTAIN, math.sqrt(jitter_px2) / start.psf.sigma_x)
    places, parts = _with_companions(start.field, start.psf, places, parts, share)
    if len(start.crowded) and not light.by_lines:
        _, places, parts = looked_again(
            start.field, start.psf, places, parts, start.crowded, start.bar, share
        )
    seen = measured(places, parts, start.psf, _beneath(light.noise, places))
    seen.covariance[:, 1, 1] += blurred_x(jitter_px2, start.psf)
    _tell(answer, seen, start, light, share)
    return answer


def _with_companions(
    field: Field, psf: Psf, places: Places, parts: list[Part], share: float
) -> tuple[Places, list[Part]]:
    fresh = parts
    for _ in range(COMPANION_ROUNDS):
        more = companions(places, fresh, psf, share)
        if not len(more.y):
            break
        tried = refit(field, psf, places, parts, more)
        true = confirmed(*tried[:2], more, psf)
        if not true.any():
            break
        if not true.all():
            tried = refit(field, psf, places, parts, picked(more, np.flatnonzero(true)))
        places, parts, fresh = tried
    return places, parts


def _beneath(noise: Floats, places: Places) -> Floats:
    height, width = noise.shape
    row = np.clip(np.rint(places.y), 0, height - 1).astype(np.int64)
    return np.asarray(noise[row, np.clip(np.rint(places.x), 0, width - 1).astype(np.int64)])


def _tell(answer: list[Look], seen: Measured, start: Sought, light: Exposed, share: float) -> None:
    """Every spot above the bar, as an emitter or with what it is instead."""
    height, width = light.noise.shape
    full = saturated(light.saturated, seen.places, start.psf)
    notes = flags(seen, start.psf, (height, width))
    snr = _with_doubt(seen, start)
    size = len(answer), height, width
    why = reasons(seen, snr >= start.bar, start.psf, start.unsure, share, size)
    places, sd = seen.places, np.sqrt(np.einsum("nii->ni", seen.covariance))
    inside = (np.abs(places.x - width / 2 + 0.5) <= width / 2) & (
        np.abs(places.y - height / 2 + 0.5) <= height / 2
    )
    which = np.flatnonzero((snr >= start.bar) & inside)
    known = [
        places.photons,
        seen.ground,
        sd[:, 1],
        sd[:, 0],
        seen.covariance[:, 0, 1],
        sd[:, 2],
        snr,
    ]
    rows = np.column_stack([places.x, places.y, *known])[which].tolist()
    for i, (x, y, *figures) in zip(which.tolist(), rows, strict=True):
        at, reason = PixelPoint(x, y), "saturated" if full[i] else why[i]
        if reason:
            answer[places.frame[i]].rejected.append(Rejected(at, reason))
        else:
            answer[places.frame[i]].spots.append(Spot._make([at, *figures, notes[i]]))


def _with_doubt(seen: Measured, start: Sought) -> Floats:
    """Significance where the ground itself is unsure: a spot must outshine that too."""
    snr, places = seen.snr.copy(), seen.places
    for number, doubt in enumerate(start.doubt):
        if doubt is None:
            continue
        here = np.flatnonzero(places.frame == number)
        mine = picked(places, here)
        unsure = _beneath(doubt, mine) * 4 * math.pi * start.psf.sigma**2
        snr[here] /= np.hypot(1, snr[here] * unsure / np.maximum(mine.photons, 1))
    return snr
