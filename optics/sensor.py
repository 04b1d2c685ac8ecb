"""From a camera's counts to photons: gain, offset and read noise, one number or a map each."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.uint16]


class Calibration(NamedTuple):
    """What is known of a camera and the optics before it."""

    gain_e_per_adu: float | Floats = 1.0
    offset_adu: float | Floats = 0.0
    read_noise_e: float | Floats = 0.0
    psf_sigma_px: float | None = None
    saturation_adu: float = 65535.0
    hot_px: tuple[tuple[int, int], ...] = ()  # x, y


class Exposed(NamedTuple):
    """Frames in photons (n, h, w); a pixel with mean m has the variance m + `noise`."""

    photons: Floats
    noise: Floats  # (h, w)
    broken: NDArray[np.bool_]  # (h, w): pixels that tell nothing
    saturated: NDArray[np.bool_]  # (n, h, w)


def exposed(pixels: NDArray[Any], camera: Calibration) -> Exposed:
    """Of one frame or a stack. Rounding to whole counts is noise too."""
    stack = pixels[None] if pixels.ndim == 2 else pixels
    photons = (stack - camera.offset_adu) * camera.gain_e_per_adu
    variance = np.square(camera.read_noise_e) + np.square(camera.gain_e_per_adu) / 12
    shape = stack.shape[1:]
    broken = np.zeros(shape, bool)
    for x, y in camera.hot_px:
        broken[y, x] = True
    noise = np.broadcast_to(np.asarray(variance, float), shape)
    return Exposed(photons, noise, broken, stack >= camera.saturation_adu)
