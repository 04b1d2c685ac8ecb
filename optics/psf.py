"""The image of a point on pixels: a Gaussian and its derivatives, so any image near one.

light(y, x) = sum over i, j of shape[i, j] * D_i(y) * D_j(x), where D_k is the k-th derivative of a
Gaussian integrated over the pixel, in units of its sigma. Slopes cost one order more of the same.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

ROUND = np.ones((1, 1))
ERF = np.vectorize(math.erf, otypes=[float])  # SciPy's takes a quarter of a second to load


class Psf(NamedTuple):
    """How the optics draw a point."""

    sigma_x: float
    sigma_y: float
    shape: Floats = ROUND

    @property
    def sigma(self) -> float:
        """Of the round Gaussian that is as wide."""
        return math.sqrt(self.sigma_x * self.sigma_y)


def derivatives(away: Floats, sigma: float, orders: int) -> Floats:
    """D_0 to D_(orders-1) in pixels so far from the emitters: (n, w) gives (n, w, orders)."""
    edges = np.concatenate([away - 0.5, away[:, -1:] + 0.5], axis=1) / sigma
    steps = np.empty((*away.shape, orders), np.float32)
    steps[:, :, 0] = np.diff(0.5 * ERF(edges * math.sqrt(0.5)), axis=1)
    before, now = np.zeros_like(edges), np.exp(-0.5 * edges * edges) / math.sqrt(2 * math.pi)
    for order in range(1, orders):
        steps[:, :, order] = np.diff(now, axis=1)
        before, now = now, -edges * now - (order - 1) * before
    return steps


def images(shape: Floats, along_y: Floats, along_x: Floats) -> Floats:
    """Light of unit emitters (n, h, w) from the derivatives along both axes."""
    if shape.size == 1:
        return np.asarray(along_y[:, :, :1] * along_x[:, None, :, 0])
    return np.asarray((along_y @ shape) @ along_x.swapaxes(1, 2))


def rim(order: int) -> Floats:
    """The Laplacian taken order / 2 times: light moved between core and rim."""
    half = order // 2
    shape = np.zeros((order + 1, order + 1))
    for i in range(half + 1):
        shape[2 * i, order - 2 * i] = math.comb(half, i)
    return shape


def kernels(psf: Psf, half: int) -> tuple[Floats, Floats]:
    """The Gaussian part along y and x on whole pixels, for filters."""
    away = np.arange(-half, half + 1, dtype=float)[None]
    return derivatives(away, psf.sigma_y, 1)[0, :, 0], derivatives(away, psf.sigma_x, 1)[0, :, 0]


def sharpest(psf: Psf) -> tuple[float, float]:
    """Least share of a pixel's light that its two neighbours along y and x have in the mean."""
    y, x = kernels(psf, 1)
    return float(y[0] / y[1]), float(x[0] / x[1])
