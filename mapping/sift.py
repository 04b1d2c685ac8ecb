"""Many guesses of a pose at once: each is fitted to the spots around it, and rated.

What a guess is worth is the log likelihood ratio of those spots under a straight local fit, against
chance; the bend counts as noise that grows with the square of the distance.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.evidence import Stored
from mapping.field import Field
from mapping.grid import Floats, Ints, nearest

SLOPE_SD = 0.025  # of scale, shear and the slope of a bend together
CURVE_SD = 0.012  # of a bend: of half the field, at that distance
ROUNDS = (8, 16, 32)  # so many spots around the triangle are asked
REACH_SD = 4.0
CORNERS = 3

Planar = NDArray[np.complex128]


class Around(NamedTuple):
    """The spots about each triangle, itself first: where a turn and a stretch lays them."""

    spot: Ints  # (k, m)
    laid: Planar  # on the map
    basis: Floats  # (k, m, 3): what a shift and a slope move each by
    variance: Floats  # of the spot, and of what a bend may do to it


def worth(stored: Stored, field: Field, sites: Ints, spots: Ints) -> Floats:
    """The nats of each guess beyond its own three pairs."""
    around = _around(stored, field, sites, spots)
    met, gain = np.full_like(around.spot, -1), np.zeros(around.spot.shape)
    met[:, :CORNERS] = sites
    for count in ROUNDS:
        asked = min(CORNERS + count, around.spot.shape[1])
        met[:, :asked], gain[:, :asked] = _met(stored, field, around, met, asked)
    total: Floats = gain[:, CORNERS:].sum(axis=1)
    return total


def _around(stored: Stored, field: Field, sites: Ints, spots: Ints) -> Around:
    spot, site = _planar(field.at_um), _planar(stored.at_um)
    middle, home = spot[spots].mean(axis=1), site[sites].mean(axis=1)
    off, own = spot[spots] - middle[:, None], site[sites] - home[:, None]
    turn = (own * off.conj()).sum(axis=1) / (np.abs(off) ** 2).sum(axis=1)
    away = spot - middle[:, None]
    far = np.abs(away)
    far[np.arange(len(spots))[:, None], spots] = -np.arange(CORNERS, 0, -1)
    near = np.argsort(far, axis=1)[:, : CORNERS + ROUNDS[-1]]
    away = np.take_along_axis(away, near, axis=1)
    offset = turn[:, None] * away
    basis = np.stack([np.ones(away.shape), offset.real, offset.imag], axis=2)
    bent = CURVE_SD * np.abs(away) ** 2 / field.half_um
    return Around(near, home[:, None] + offset, basis, field.sigma_um[near] ** 2 + bent**2)


def _planar(at_um: Floats) -> Planar:
    return at_um[:, 0] + 1j * at_um[:, 1]


def _met(
    stored: Stored, field: Field, around: Around, met: Ints, asked: int
) -> tuple[Ints, Floats]:
    """The nearest site of each spot asked after a fit to those met before, and its gain."""
    moved, spread = _fitted(stored, around, met)
    place = (around.laid + moved)[:, :asked].ravel()
    variance = (around.variance + spread)[:, :asked].ravel() + np.median(stored.sigma_um) ** 2
    at = np.stack([place.real, place.imag], axis=1)
    which, found = stored.grid.near(at, REACH_SD * np.sqrt(variance))
    chi2 = ((stored.at_um[found] - at[which]) ** 2).sum(axis=1) / variance[which]
    row, _ = nearest(which, chi2, len(place))
    hit = row >= 0
    density = np.maximum(
        np.exp(field.log_chance) * len(field.at_um),
        len(stored.at_um) / np.exp(stored.log_area),
    )[around.spot[:, :asked].ravel()[hit]]
    gain, sites = np.zeros(len(place)), np.full(len(place), -1)
    gain[hit] = -0.5 * chi2[row[hit]] - np.log(2 * np.pi * variance[hit] * density)
    sites[hit] = found[row[hit]]
    sites[gain <= 0] = -1
    shape = (len(met), asked)
    return sites.reshape(shape), np.maximum(gain, 0.0).reshape(shape)


def _fitted(stored: Stored, around: Around, met: Ints) -> tuple[Planar, Floats]:
    """By what each spot's place moves after a fit to those met, and the variance of that."""
    known = met >= 0
    weight = known / (around.variance + np.where(known, stored.sigma_um[met] ** 2, 0.0))
    rest = np.where(known, _planar(stored.at_um)[met] - around.laid, 0.0)
    weighted = (weight[:, :, None] * around.basis).transpose(0, 2, 1)
    normal = weighted @ around.basis + np.diag([1e-9, SLOPE_SD**-2, SLOPE_SD**-2])
    covariance = np.linalg.inv(normal)
    values = covariance @ (weighted @ rest[:, :, None])
    moved = (around.basis @ values)[:, :, 0].astype(np.complex128)
    spread: Floats = ((around.basis @ covariance) * around.basis).sum(axis=2)
    return moved, spread
