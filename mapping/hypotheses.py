"""First guesses of a pose: triangles of spots looked up among triangles of stored sites.

A short side finds the stored pairs of its length, its third corner must be there too, and so must
some of the spots around it; what passes is ranked by how unlikely that was.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mapping.evidence import Field, Stored
from mapping.grid import Floats, Grid, Ints, counting

STRETCH = 0.07  # scale, shear and the slope of a bend together
BENT = 0.06  # how far a third point may lie off, per distance
TELLING = 25.0  # sides shorter than this many sigmas of their ends give no direction
NEIGHBOURS = 7
AROUND = 8
BATCH = 48
KEPT = 24
TRIANGLES_AT_MOST = 1500


class Guesses(NamedTuple):
    """Rows of three sites and three spots each, the most telling first."""

    sites: Ints
    spots: Ints
    score: Floats


class Sides(NamedTuple):
    """Stored pairs sorted by their distance, each both ways round."""

    first: Ints
    second: Ints
    length_um: Floats


def guesses(stored: Stored, field: Field) -> Iterator[Guesses]:
    """Batch after batch, until the triangles of the field are used up."""
    triangles = _triangles(field)
    if not len(triangles):
        return
    side = np.linalg.norm(field.at_um[triangles[:, 0]] - field.at_um[triangles[:, 1]], axis=1)
    noise = 4 * float(np.median(field.sigma_um)) + 4 * float(np.median(stored.sigma_um))
    sides = _sides(stored, float(side.max()) * (1 + STRETCH) + noise)
    for start in range(0, min(len(triangles), TRIANGLES_AT_MOST), BATCH):
        yield _looked_up(stored, field, sides, triangles[start : start + BATCH], noise)


def _triangles(field: Field) -> Ints:
    """Of near neighbours, the shortest side first; every spot has its turn before any has two."""
    n = len(field.at_um)
    apart = np.linalg.norm(field.at_um[:, None] - field.at_um, axis=2)
    blurred = np.minimum(TELLING * (field.sigma_um[:, None] + field.sigma_um), field.half_um / 8)
    resolved = apart + 1e9 * (apart < blurred)
    near = np.argsort(resolved, axis=1)[:, : min(NEIGHBOURS, n - 1)]
    found: dict[tuple[int, ...], tuple[int, int, int]] = {}
    a, b = np.triu_indices(near.shape[1], 1)
    for one in np.argsort(a + b, kind="stable"):
        for spot in range(n):
            corners = (spot, int(near[spot, a[one]]), int(near[spot, b[one]]))
            found.setdefault(tuple(sorted(corners)), corners)
    rows = np.array(list(found.values()), np.intp).reshape(-1, 3)
    legs = np.stack([resolved[rows[:, i], rows[:, (i + 1) % 3]] for i in range(3)], axis=1)
    shortest = legs.argmin(axis=1)
    turned = np.stack([rows[np.arange(len(rows)), (shortest + i) % 3] for i in range(3)], axis=1)
    complete: Ints = turned[legs.max(axis=1) < 1e8]
    return complete


def _sides(stored: Stored, longest_um: float) -> Sides:
    grid = Grid(stored.at_um, longest_um)
    first, second = grid.near(stored.at_um, np.full(len(stored.at_um), longest_um))
    different = first != second
    first, second = first[different], second[different]
    length = np.linalg.norm(stored.at_um[first] - stored.at_um[second], axis=1)
    order = np.argsort(length)
    return Sides(first[order], second[order], length[order])


def _looked_up(
    stored: Stored, field: Field, sides: Sides, triangles: Ints, noise_um: float
) -> Guesses:
    """Sides of the right length whose third corner is there, judged by the spots around."""
    spot = field.at_um[:, 0] + 1j * field.at_um[:, 1]
    site = stored.at_um[:, 0] + 1j * stored.at_um[:, 1]
    base = np.abs(spot[triangles[:, 1]] - spot[triangles[:, 0]])
    low = np.searchsorted(sides.length_um, base * (1 - STRETCH) - noise_um)
    counts = np.searchsorted(sides.length_um, base * (1 + STRETCH) + noise_um) - low
    which = np.repeat(np.arange(len(triangles)), counts)
    at = np.repeat(low, counts) + counting(counts)
    i, j = sides.first[at], sides.second[at]
    a, b, c = triangles[which].T
    turn = (site[j] - site[i]) / (spot[b] - spot[a])  # field to map: a turn and a stretch
    third = site[i] + turn * (spot[c] - spot[a])
    reach = np.abs(spot[c] - spot[a])
    radius = BENT * reach + noise_um * (1 + reach / np.abs(spot[b] - spot[a]))
    hit, found = stored.grid.near(np.stack([third.real, third.imag], axis=1), radius)
    proper = (found != i[hit]) & (found != j[hit])
    hit, found = hit[proper], found[proper]
    sites = np.stack([i[hit], j[hit], found], axis=1)
    spots = np.stack([a[hit], b[hit], c[hit]], axis=1)
    if not len(hit):
        return Guesses(sites, spots, np.empty(0))
    return _ranked(stored, field, sites, spots, noise_um)


def _ranked(stored: Stored, field: Field, sites: Ints, spots: Ints, noise_um: float) -> Guesses:
    """How surprising it is that the spots around a triangle have sites where they should."""
    spot = field.at_um[:, 0] + 1j * field.at_um[:, 1]
    site = stored.at_um[:, 0] + 1j * stored.at_um[:, 1]
    p, q = site[sites], spot[spots]
    p0, q0 = p.mean(axis=1), q.mean(axis=1)
    p, q = p - p0[:, None], q - q0[:, None]
    spread = (np.abs(q) ** 2).sum(axis=1)
    turn = (p * q.conj()).sum(axis=1) / spread
    around = np.argsort(np.abs(spot[spots[:, 0]][:, None] - spot), axis=1)[:, 1 : AROUND + 3]
    away = spot[around] - q0[:, None]
    where = (p0[:, None] + turn[:, None] * away).ravel()
    radius = BENT * np.abs(away) + 0.5 * noise_um * (1 + np.abs(away) / np.sqrt(spread)[:, None])
    hit, _ = stored.grid.near(np.stack([where.real, where.imag], axis=1), radius.ravel())
    many = np.bincount(hit, minlength=around.size).reshape(around.shape)
    density = len(site) / np.exp(stored.log_area)
    surprise = -np.log(-np.expm1(-np.clip(density * np.pi * radius**2, 1e-6, 3.0)))
    own = (around[:, :, None] == spots[:, None, :]).any(axis=2)
    score = np.where((many > 0) & ~own, np.maximum(surprise - np.log(np.maximum(many, 1)), 0), 0)
    total = score.sum(axis=1)
    best = np.argsort(-total, kind="stable")[:KEPT]
    return Guesses(sites[best], spots[best], total[best])
