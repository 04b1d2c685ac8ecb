"""Scan maps: emitters on lines that jitter are still placed within their errors."""

import numpy as np
import pytest

from mapping.localise import scan_looks
from tests.accept.spot_optics import Floats, gaussian

SIDE, SIGMA = 144, 2.0


def scanned(dice: np.random.Generator, x: Floats, y: Floats, jitter: float) -> Floats:
    image = gaussian(SIGMA, SIGMA)
    columns = np.arange(SIDE)
    light = np.full((SIDE, SIDE), 1.0)
    rows, moved = np.arange(SIDE)[:, None], jitter * dice.standard_normal((SIDE, 1))
    for at_x, at_y in zip(x, y, strict=True):
        share = image.at(rows - at_y + 0 * columns, columns - at_x - moved)
        light += 3000.0 * share
    return dice.poisson(light).astype(float)


@pytest.mark.parametrize("jitter", [0.0, 0.3])
def test_placed_within_errors(seed: int, jitter: float) -> None:
    dice = np.random.default_rng(seed)
    grid = np.arange(20, SIDE - 30, 22)
    x, y = (place.ravel() + dice.uniform(-1, 1, grid.size**2) for place in np.meshgrid(grid, grid))
    y += 4 * np.round((x - 20) / 22)  # no two share all their lines
    [look] = scan_looks(scanned(dice, x, y, jitter), SIGMA)
    found = np.array([(*spot.at, spot.x_err, spot.y_err) for spot in look.spots])
    apart = np.hypot(found[:, :1] - x, found[:, 1:2] - y)
    hit = apart.min(axis=0) < 1.5
    assert hit.mean() >= 0.8
    nearest = apart.argmin(axis=0)[hit]
    chi = (found[nearest, 0] - x[hit]) / found[nearest, 2]
    assert 0.6 < np.sqrt(np.mean(chi**2)) < 1.6
