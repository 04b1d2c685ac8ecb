"""Where a stack of wide-field frames is sharpest."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FINE_PX, COARSE_PX = 1.2, 4.0
LEAST_CONTRAST = 20.0  # how far the sharpest must stand above the frames' own scatter
NEIGHBOURS = 2  # on each side of the sharpest, for the fit


class Focus(NamedTuple):
    """The sharpest height, and whether it lies within the stack or at its end."""

    z_um: float
    inside: bool
    contrast: float


def sharpest(frames: Sequence[NDArray[np.uint16]], heights_um: Sequence[float]) -> Focus | None:
    """None when nothing in the field gets sharp; heights rise in equal steps."""
    bands = np.stack([_band(frame) for frame in frames])
    bands -= np.median(bands, axis=0)  # hot pixels and whatever is the same at every height
    energy = np.array([_strongest(band) for band in bands])
    floor = float(np.median(np.sort(energy)[: max(3, len(energy) // 2)]))
    scatter = float(np.abs(np.sort(energy)[: max(3, len(energy) // 2)] - floor).mean()) + 1e-9
    top = int(np.argmax(energy))
    contrast = (float(energy[top]) - floor) / scatter
    if contrast < LEAST_CONTRAST:
        return None
    z_um, inside = _vertex(energy - floor, heights_um, top)
    return Focus(z_um, inside, contrast)


def _band(frame: NDArray[np.uint16]) -> Floats:
    """Without hits and hot pixels, which a median of nine leaves nothing of."""
    image = cv2.medianBlur(frame, 3).astype(np.float32)
    fine = cv2.GaussianBlur(image, (0, 0), FINE_PX)
    return np.asarray(fine - cv2.GaussianBlur(image, (0, 0), COARSE_PX), np.float32)


def _strongest(band: Floats) -> float:
    """Mean square of the brightest share: few spots fill little of the field."""
    square = np.square(band[band > 0.0])
    kept = max(len(square) // 100, 1)
    return float(np.partition(square, -kept)[-kept:].mean())


def _vertex(energy: Floats, heights_um: Sequence[float], top: int) -> tuple[float, bool]:
    """Of a Gaussian through the sharpest and its neighbours: a parabola of the logarithm."""
    low, high = max(top - NEIGHBOURS, 0), min(top + NEIGHBOURS + 1, len(energy))
    inside = 0 < top < len(energy) - 1
    near = energy[low:high] > 0.15 * energy[top]
    z_um = np.array(heights_um[low:high])[near]
    if near.sum() < 3:
        return heights_um[top], inside
    level = np.log(energy[low:high][near])
    bent, sloped, _ = np.polyfit(
        z_um - heights_um[top], level, 2, w=np.sqrt(energy[low:high][near])
    )
    if bent >= 0.0:
        return heights_um[top], inside
    step_um = abs(heights_um[1] - heights_um[0])
    return heights_um[top] + float(np.clip(-sloped / (2 * bent), -step_um, step_um)), inside
