"""Where the wide field is sharpest: how sharp one frame is, and a plan of heights to look at.

A point's image is so wide two micrometres from the focus that nothing of it is left. Sharpness is
therefore told from whatever stands out of a frame's own noise at the size of a point, and a height
is known to be the focus when it is far sharper than most.
"""

import math
from collections.abc import Generator
from itertools import count
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FINE, COARSE = 1.3, 2.6  # in widths of a point's image: a little defocused is still seen
STANDS_OUT_SD = 4.5
COARSE_UM, FINE_UM = 1.2, 0.3
FINE_STEPS = (0, 1, -1, 2, -2)
LEAST_SHARP, TIMES_SHARPER, LOW = 20.0, 2.0, 0.25  # over that quantile of what was seen
NEAR_UM = 1.0  # from the sharpest: heights that take part in the fit
SHARE = 0.1  # of the sharpest, below which a height tells nothing
ROUNDS = 3

Plan = Generator[float, float, float | None]
"""Yields heights to look at, is sent how sharp they are; concludes with the sharpest, or None."""


def sharpness(frame: NDArray[Any], psf_px: float) -> float:
    """What stands out of the noise, in squares of it for each area of a point; 0 is nothing.

    Hits and hot pixels are no light: a median of nine leaves nothing of them.
    """
    image = cv2.medianBlur(frame, 3).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(image, (0, 0), size * psf_px) for size in (FINE, COARSE))
    band = np.asarray(fine - coarse, np.float32)
    noise = 1.4826 * float(np.median(np.abs(band))) + 1e-9
    out = band[band > STANDS_OUT_SD * noise] / noise
    return float(np.square(out).sum()) / (4 * math.pi * (FINE * psf_px) ** 2)


def focusing(near_um: float, reach_um: float, travel_um: tuple[float, float]) -> Plan:
    """From the likeliest height outwards, to either side in turn; closer where it gets sharp."""
    seen: dict[float, float] = {}
    if reach_um <= COARSE_UM:
        return (yield from _refined(seen, near_um, travel_um))
    refuted: set[float] = set()
    for at_um in _outward(near_um, reach_um, travel_um):
        if at_um not in seen:
            seen[at_um] = yield at_um
        top_um = _promising(seen, refuted)
        if top_um is None:
            continue
        for beside_um in _beside(top_um, near_um):
            if beside_um not in seen and travel_um[0] <= beside_um <= travel_um[1]:
                seen[beside_um] = yield beside_um
        top_um = max(seen.keys() - refuted, key=lambda z_um: seen[z_um])
        found_um = yield from _refined(seen, top_um, travel_um)
        if found_um is not None:
            return found_um
        refuted.add(top_um)
    return None


def _outward(
    near_um: float, reach_um: float, travel_um: tuple[float, float]
) -> Generator[float, None, None]:
    for step in count():
        if step * COARSE_UM > reach_um:
            return
        for at_um in {near_um + step * COARSE_UM: None, near_um - step * COARSE_UM: None}:
            if travel_um[0] <= at_um <= travel_um[1]:
                yield at_um


def _beside(top_um: float, near_um: float) -> list[float]:
    """Both neighbours, by the same arithmetic as the others, so that each is looked at once."""
    step = round((top_um - near_um) / COARSE_UM)
    return [near_um + (step + one) * COARSE_UM for one in (1, -1)]


def _promising(seen: dict[float, float], refuted: set[float]) -> float | None:
    """The sharpest height so far, where it is far sharper than most."""
    if len(seen) < 3:
        return None
    top_um = max(seen.keys() - refuted, key=lambda z_um: seen[z_um], default=None)
    usual = float(np.quantile(list(seen.values()), LOW))  # two may lie beside the focus
    if top_um is None or seen[top_um] < TIMES_SHARPER * usual + LEAST_SHARP:
        return None
    return top_um


def _refined(seen: dict[float, float], top_um: float, travel_um: tuple[float, float]) -> Plan:
    """The vertex of a Gaussian through heights on both sides of it; None when there is none."""
    floor = min(seen.values(), default=0.0)
    middle_um = top_um
    for _ in range(ROUNDS):
        for step in FINE_STEPS:
            at_um = middle_um + step * FINE_UM
            if at_um not in seen and travel_um[0] <= at_um <= travel_um[1]:
                seen[at_um] = yield at_um
        near = {z: value for z, value in seen.items() if abs(z - middle_um) <= NEAR_UM}
        best_um = max(near, key=lambda z_um: near[z_um], default=middle_um)
        if near.get(best_um, 0.0) < floor + LEAST_SHARP:
            return None
        if min(near) < best_um < max(near):
            return _vertex(near, floor, best_um)
        middle_um = best_um
    return None


def _vertex(near: dict[float, float], floor: float, best_um: float) -> float:
    """A parabola of the logarithm, heavier where it is sharper."""
    bright = {z: v - floor for z, v in near.items() if v - floor > SHARE * (near[best_um] - floor)}
    if len(bright) < 3:
        return best_um
    z_um, level = np.array(list(bright)) - best_um, np.array(list(bright.values()))
    bent, sloped, _ = np.polyfit(z_um, np.log(level), 2, w=np.sqrt(level))
    if bent >= 0.0:
        return best_um
    return best_um + float(np.clip(-sloped / (2 * bent), -FINE_UM, FINE_UM))
