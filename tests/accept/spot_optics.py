"""How a point emitter looks on pixels, by wave optics, and how well it could be located."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter

Floats = NDArray[np.float64]

FINE = 10  # points per pixel
HALF_PX = 18
GRID = 1024


class Image:
    """One kind of point image, integrated over pixels: the light in a pixel by its distance."""

    def __init__(self, table: Floats) -> None:
        kernel = np.ones(FINE + 1) / FINE
        kernel[[0, -1]] /= 2  # a whole pixel, about its centre
        for axis in (0, 1):
            table = np.apply_along_axis(np.convolve, axis, table, kernel, "same")
        self._table = spline_filter(table)  # light per pixel area, sampled FINE times a pixel

    def at(self, y: Floats, x: Floats) -> Floats:
        """Share of the light in pixels whose centres are so far from the emitter."""
        middle = (len(self._table) - 1) / 2
        where = np.array([y * FINE + middle, x * FINE + middle])
        return np.asarray(
            map_coordinates(self._table, where, order=3, mode="constant", prefilter=False)
        )


def _axis() -> Floats:
    return np.arange(-HALF_PX * FINE, HALF_PX * FINE + 1) / FINE


def gaussian(sigma_x: float, sigma_y: float, turn_rad: float = 0.0) -> Image:
    y, x = np.meshgrid(_axis(), _axis(), indexing="ij")
    u = x * math.cos(turn_rad) + y * math.sin(turn_rad)
    v = y * math.cos(turn_rad) - x * math.sin(turn_rad)
    shape = np.exp(-0.5 * ((u / sigma_x) ** 2 + (v / sigma_y) ** 2))
    return Image(shape / (2 * math.pi * sigma_x * sigma_y))


@lru_cache(maxsize=64)
def diffracted(sigma_px: float, defocus_rad: float = 0.0, astigmatism_rad: float = 0.0) -> Image:
    """From a pupil whose focused image has a core of that sigma (0.21 wavelengths per NA)."""
    cutoff = 0.21 / sigma_px  # NA / wavelength, cycles per pixel
    frequency = np.fft.fftfreq(GRID, 1 / FINE)
    fy, fx = np.meshgrid(frequency, frequency, indexing="ij")
    rho = np.hypot(fy, fx) / cutoff
    phase = defocus_rad * (2 * rho**2 - 1)
    phase = phase + astigmatism_rad * (fx**2 - fy**2) / cutoff**2
    edge = np.clip((1 - rho) * cutoff * GRID / FINE + 0.5, 0, 1)
    field = np.fft.fftshift(np.fft.ifft2(edge * np.exp(1j * phase)))
    power = np.abs(field) ** 2
    power *= FINE**2 / power.sum()
    middle, half = GRID // 2, HALF_PX * FINE
    return Image(power[middle - half : middle + half + 1, middle - half : middle + half + 1])


def rendered(shape: tuple[int, int], image: Image, x: Floats, y: Floats, photons: Floats) -> Floats:
    """All emitters' light on one frame."""
    light = np.zeros(shape)
    for at_x, at_y, bright in zip(x, y, photons, strict=True):
        rows, columns = _window(shape, at_y, at_x, HALF_PX - 1)
        far_y, far_x = np.meshgrid(rows - at_y, columns - at_x, indexing="ij")
        light[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += bright * image.at(
            far_y, far_x
        )
    return light


def _window(shape: tuple[int, int], y: float, x: float, half: int) -> tuple[NDArray[np.int64], ...]:
    row, column = round(y), round(x)
    rows = np.arange(max(row - half, 0), min(row + half + 1, shape[0]))
    return rows, np.arange(max(column - half, 0), min(column + half + 1, shape[1]))


def limits(
    ideal: Floats, image: Image, x: Floats, y: Floats, photons: Floats, reach_px: float
) -> tuple[Floats, Floats]:
    """Cramér-Rao bounds in x and y (n, 2), with neighbours and background unknown, and d'.

    `ideal` is the variance of every pixel in photons squared.
    """
    bounds, strength = np.full((len(x), 2), np.inf), np.zeros(len(x))
    half = math.ceil(2 * reach_px)
    for one in range(len(x)):
        rows, columns = _window(ideal.shape, y[one], x[one], half)
        around = np.flatnonzero(np.hypot(x - x[one], y - y[one]) < reach_px)
        around = around[np.argsort(np.hypot(x - x[one], y - y[one])[around])]
        slopes: list[Floats] = []
        for other in around:
            slopes += _slopes(image, rows - y[other], columns - x[other], photons[other])
        slopes.append(np.ones(len(rows) * len(columns)))
        noise = ideal[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].ravel()
        own = slopes[2] * photons[one]
        strength[one] = math.sqrt(np.sum(own**2 / (noise - own).clip(0.02)))
        matrix = np.array(slopes)
        information = matrix / noise @ matrix.T
        scale = np.sqrt(np.diag(information)).clip(1e-12)
        inverse = np.linalg.pinv(information / np.outer(scale, scale))
        bounds[one] = np.sqrt(np.diag(inverse)[:2].clip(0)) / scale[:2]
    return bounds, strength


def _slopes(image: Image, rows: Floats, columns: Floats, photons: float) -> list[Floats]:
    y, x = np.meshgrid(rows, columns, indexing="ij")
    step = 0.02
    along_x = (image.at(y, x - step) - image.at(y, x + step)) / (2 * step)
    along_y = (image.at(y - step, x) - image.at(y + step, x)) / (2 * step)
    return [photons * along_x.ravel(), photons * along_y.ravel(), image.at(y, x).ravel()]
