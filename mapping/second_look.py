"""What crowded frames hold beside the emitters that were found: their ground, and more emitters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.crowd import Field, Part, Places, fit_all, half_width, joined, picked, without
from mapping.drawing import painted
from mapping.find import above, surveyed
from mapping.fit import optics
from mapping.near import pairs
from optics.psf import Psf

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

APART_SIGMAS = 1.2


def looked_again(
    field: Field,
    psf: Psf,
    places: Places,
    parts: list[Part],
    frames: Ints,
    least: float,
    share: float,
) -> tuple[Field, Places, list[Part]]:
    """Those frames with their emitters' light taken away, their ground sought anew, and all of
    their emitters fitted again with whoever has come to light.

    `share` of its own light is how far an image may differ from the model.
    """
    ground = field.ground.copy()
    for number in frames:
        light = _drawn(field, psf, picked(places, np.flatnonzero(places.frame == number)))
        rest = field.photons[number] - light
        noise = field.noise + light + np.float32(share**2) * light * light
        seen = surveyed(rest, noise, field.bad[number], psf)
        ground[number] = seen.ground
        row, column, _, photons = above(seen.top, least)
        frame = np.full(len(row), number)
        places = _joined(places, frame, row, column, photons, psf)
    field = field._replace(ground=ground)
    which = np.flatnonzero(np.isin(places.frame, frames))
    places, fresh = fit_all(field, psf, places, which)
    return field, places, [*without(parts, which), *fresh]


def _drawn(field: Field, psf: Psf, places: Places) -> NDArray[np.float32]:
    height, breadth = field.noise.shape
    light = np.zeros((height, breadth), np.float32)
    sigmas, shape, size = optics(psf)
    width = 2 * half_width(psf) + 1
    there = np.column_stack([places.y, places.x, places.photons]).astype(np.float64)
    painted(
        light, height, breadth, there, len(there), width, sigmas, shape, size,
        np.empty(2 * size * (width + 1)), np.empty(width * width),
    )  # fmt: skip
    return light


def _joined(
    places: Places, frame: Ints, row: Ints, column: Ints, photons: Floats, psf: Psf
) -> Places:
    more = Places(frame, row.astype(float), column.astype(float), photons.astype(float), 0.0 * row)
    known = len(places.y)
    one, other = pairs(*joined(places, more)[:3], APART_SIGMAS * psf.sigma).T
    free = np.ones(len(row), bool)
    free[other[(one < known) & (other >= known)] - known] = False
    return joined(places, picked(more, np.flatnonzero(free)))
