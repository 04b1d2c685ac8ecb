"""From a camera's counts to photons: gain, offset and read noise, one number or a map each."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Light = NDArray[np.float32]
Flags = NDArray[np.bool_]


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

    photons: Light
    noise: Light  # (h, w)
    broken: Flags  # (h, w): pixels that tell nothing
    saturated: Flags  # (n, h, w)
    by_lines: bool = False  # scanned, so the light may change from row to row


def exposed(stack: NDArray[Any], camera: Calibration) -> Exposed:
    """Frames of a camera. Rounding to whole counts is noise too."""
    photons = np.subtract(stack, np.asarray(camera.offset_adu, np.float32), dtype=np.float32)
    photons *= np.asarray(camera.gain_e_per_adu, np.float32)
    variance = np.square(camera.read_noise_e) + np.square(camera.gain_e_per_adu) / 12
    shape = stack.shape[1:]
    broken = np.zeros(shape, bool)
    for x, y in camera.hot_px:
        broken[y, x] = True
    noise = np.full(shape, variance, np.float32)
    return Exposed(photons, noise, broken, _full(stack, camera.saturation_adu))


def _full(stack: NDArray[Any], saturation_adu: float) -> Flags:
    """Whole numbers are compared as such, which is quicker by far."""
    least = math.ceil(saturation_adu)
    if stack.dtype.kind == "u" and least > np.iinfo(stack.dtype).max:
        return np.zeros(stack.shape, bool)
    return np.asarray(stack >= least)


def counted(stack: NDArray[Any]) -> Exposed:
    """Maps of counted photons, which have no noise but their own."""
    shape = stack.shape[1:]
    nowhere = np.zeros(stack.shape, bool)
    noise, broken = np.zeros(shape, np.float32), np.zeros(shape, bool)
    return Exposed(stack.astype(np.float32), noise, broken, nowhere, by_lines=True)


def uncalibrated(stack: NDArray[Any]) -> Calibration:
    """For a camera nobody has measured: one photon a count, and the offset that makes the noise
    between neighbours that of their own light."""
    wide = stack[:, :, ::2].astype(float)
    steps = np.diff(wide[:, :, : wide.shape[2] // 2 * 2], axis=2)
    variance = (np.median(np.abs(steps)) / 0.6745) ** 2 / 2
    return Calibration(offset_adu=float(np.median(stack) - variance))
