"""Maps of counted photons as a scan makes them, line by line; shares nothing with the fitter."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.accept.spot_optics import Floats, gaussian

Flags = NDArray[np.bool_]

SIGMA_PX, SIDE_PX, GAP_PX, RIM_PX = 2.0, 144, 22, 20
PHOTONS, GROUND = 3000.0, 1.0
BACK_ON = 0.5  # of a dark emitter, per line


class Manners(NamedTuple):
    """What happens between the lines."""

    jitter_px: float = 0.0
    blinkers: float = 0.0  # share of the emitters
    dark: float = 0.3  # chance of a blinker to go dark, per line
    flashes: int = 0


class Scan(NamedTuple):
    """A map and the truth behind it."""

    counts: Floats
    x: Floats
    y: Floats
    blinks: Flags


def scan(manners: Manners, rng: np.random.Generator) -> Scan:
    """Emitters on a wide grid, no two on all the same lines."""
    grid = np.arange(RIM_PX, SIDE_PX - 30, GAP_PX)
    jitter = rng.uniform(-1, 1, (2, grid.size**2))
    x, y = (place.ravel() + off for place, off in zip(np.meshgrid(grid, grid), jitter, strict=True))
    y += 4 * np.round((x - RIM_PX) / GAP_PX)
    blinks = rng.random(len(x)) < manners.blinkers
    rows, columns = np.arange(SIDE_PX)[:, None], np.arange(SIDE_PX)
    moved = manners.jitter_px * rng.standard_normal((SIDE_PX, 1))
    light, image = np.full((SIDE_PX, SIDE_PX), GROUND), gaussian(SIGMA_PX, SIGMA_PX)
    for at_x, at_y, unsteady in zip(x, y, blinks, strict=True):
        share = PHOTONS * image.at(rows - at_y + 0 * columns, columns - at_x - moved)
        light += share * (_lit(manners.dark, rng) if unsteady else 1.0)
    for _ in range(manners.flashes):
        length = int(rng.integers(1, 8))
        row, column = rng.integers(SIDE_PX), rng.integers(SIDE_PX - length)
        light[row, column : column + length] += rng.uniform(100, 800)
    return Scan(rng.poisson(light).astype(float), x, y, blinks)


def _lit(dark: float, rng: np.random.Generator) -> Floats:
    """1 in the lines in which a blinker shines, else 0."""
    lit = np.ones((SIDE_PX, 1))
    for row in range(1, SIDE_PX):
        turns = rng.random() < (dark if lit[row - 1] else BACK_ON)
        lit[row] = 1 - lit[row - 1] if turns else lit[row - 1]
    return lit
