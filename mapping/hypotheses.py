"""First guesses of a pose: triangles of spots looked up among triangles of stored sites.

A short side finds the stored pairs of its length, its third corner must be there too, and so must
some of the spots around it; what passes is fitted to more of them and ranked by what it explains.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mapping.evidence import Stored
from mapping.field import Field
from mapping.grid import Cover, Floats, Grid, Ints, counting
from mapping.sift import worth

STRETCH = 0.055  # scale, shear and the slope of a bend together; few sides are longer by more
BENT = 0.045  # how far a third point may lie off, per distance
TELLING = 25.0  # sides shorter than this many sigmas of their ends give no direction
NEIGHBOURS = 7  # of each spot, from whom its triangles are made; more where spots are few
AROUND = 8
SIFTED = 150  # of a batch, by a first glance at the spots around
LEAST_WORTH = 4.0  # nats
SIDES_AT_MOST = 200_000
LOOKUPS = 30_000  # of the first batch; each of the others takes twice those of the one before
BATCH = 16
LOOKUPS_AT_MOST = 500_000
TRIANGLES_AT_MOST = 700


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
    """Batch after batch, each greater than the last, until triangles or patience are used up."""
    noise = 4 * float(np.median(field.sigma_um)) + 4 * float(np.median(stored.sigma_um))
    triangles, base = _triangles(field)
    density = len(stored.at_um) / float(np.exp(stored.log_area))
    longest = np.sqrt(SIDES_AT_MOST / (len(stored.at_um) * density * np.pi))
    short = base < max(float(longest), float(np.sort(base)[:BATCH].max(initial=0.0)))
    triangles, base = triangles[short], base[short]
    if not len(triangles):
        return
    sides = _sides(stored, float(base.max()) * (1 + STRETCH) + noise)
    low = np.searchsorted(sides.length_um, base * (1 - STRETCH) - noise)
    counts = np.searchsorted(sides.length_um, base * (1 + STRETCH) + noise) - low
    for part in _batches(counts):
        found = Rows(triangles[part], low[part], counts[part])
        yield _looked_up(stored, field, sides, found, noise)


def _batches(counts: Ints) -> Iterator[slice]:
    """Of triangles with so many sides each."""
    looked_up = np.cumsum(counts)
    start, most = 0, LOOKUPS
    while start < min(len(counts), TRIANGLES_AT_MOST):
        before = looked_up[start] - counts[start]
        if before > LOOKUPS_AT_MOST:
            return
        end = max(int(np.searchsorted(looked_up, before + most)), start + 1)
        yield slice(start, min(end, start + BATCH * most // LOOKUPS))
        start, most = min(end, start + BATCH * most // LOOKUPS), 2 * most


class Rows(NamedTuple):
    """Triangles of spots, and which stored sides are as long as the first of each."""

    triangles: Ints
    low: Ints
    counts: Ints


def _triangles(field: Field) -> tuple[Ints, Floats]:
    """Of near neighbours, the shortest side first; every spot has its turn before any has two."""
    n = len(field.at_um)
    apart = np.linalg.norm(field.at_um[:, None] - field.at_um, axis=2)
    blurred = np.minimum(TELLING * (field.sigma_um[:, None] + field.sigma_um), field.half_um / 8)
    resolved = apart + 1e9 * (apart < blurred)
    many = max(NEIGHBOURS, round(math.sqrt(3 * TRIANGLES_AT_MOST / n)))
    near = np.argsort(resolved, axis=1)[:, : min(many, n - 1)]
    a, b = np.triu_indices(near.shape[1], 1)
    order = np.argsort(a + b, kind="stable")
    a, b = near[:, a[order]].T, near[:, b[order]].T
    rows = np.stack([np.broadcast_to(np.arange(n), a.shape), a, b], axis=2).reshape(-1, 3)
    _, first = np.unique(np.sort(rows, axis=1), axis=0, return_index=True)
    turns = np.sort(first)
    rows = rows[turns]
    legs = np.stack([resolved[rows[:, i], rows[:, (i + 1) % 3]] for i in range(3)], axis=1)
    shortest, size = legs.argmin(axis=1), legs.min(axis=1) * legs.max(axis=1)
    rows = np.stack([rows[np.arange(len(rows)), (shortest + i) % 3] for i in range(3)], axis=1)
    order = np.lexsort((size, turns // n))
    order = order[legs.max(axis=1)[order] < 1e8]
    return rows[order], legs.min(axis=1)[order]


def _sides(stored: Stored, longest_um: float) -> Sides:
    grid = Grid(stored.at_um, longest_um)
    first, second = grid.near(stored.at_um, np.full(len(stored.at_um), longest_um))
    different = first != second
    first, second = first[different], second[different]
    length = np.linalg.norm(stored.at_um[first] - stored.at_um[second], axis=1)
    order = np.argsort(length)
    return Sides(first[order], second[order], length[order])


def _looked_up(stored: Stored, field: Field, sides: Sides, rows: Rows, noise_um: float) -> Guesses:
    """Sides of the right length whose third corner is there, judged by the spots around."""
    spot = field.at_um[:, 0] + 1j * field.at_um[:, 1]
    site = stored.at_um[:, 0] + 1j * stored.at_um[:, 1]
    base, leg = (spot[rows.triangles[:, i]] - spot[rows.triangles[:, 0]] for i in (1, 2))
    radius = BENT * np.abs(leg) + noise_um * (1 + np.abs(leg / base))
    which = np.repeat(np.arange(len(rows.counts)), rows.counts)
    at = np.repeat(rows.low, rows.counts) + counting(rows.counts)
    i, j = sides.first[at], sides.second[at]
    third = site[i] + (site[j] - site[i]) * (leg / base)[which]
    third = np.stack([third.real, third.imag], axis=1)
    some = np.flatnonzero(Cover(stored.at_um, float(radius.max())).over(third))
    hit, found = stored.grid.near(third[some], radius[which[some]])
    hit = some[hit]
    proper = (found != i[hit]) & (found != j[hit])
    hit, found = hit[proper], found[proper]
    sites, spots = np.stack([i[hit], j[hit], found], axis=1), rows.triangles[which[hit]]
    if not len(hit):
        return Guesses(sites, spots, np.empty(0))
    first = _ranked(stored, field, sites, spots, noise_um)
    value = worth(stored, field, sites[first], spots[first])
    best = np.argsort(-value, kind="stable")
    best = best[value[best] > LEAST_WORTH]
    return Guesses(sites[first[best]], spots[first[best]], value[best])


def _ranked(stored: Stored, field: Field, sites: Ints, spots: Ints, noise_um: float) -> Ints:
    """Those around whose triangle it is most surprising that spots have sites where they should."""
    spot = field.at_um[:, 0] + 1j * field.at_um[:, 1]
    site = stored.at_um[:, 0] + 1j * stored.at_um[:, 1]
    p, q = site[sites], spot[spots]
    p0, q0 = p.mean(axis=1), q.mean(axis=1)
    p, q = p - p0[:, None], q - q0[:, None]
    spread = (np.abs(q) ** 2).sum(axis=1)
    turn = (p * q.conj()).sum(axis=1) / spread
    by_distance = np.argsort(np.abs(spot[:, None] - spot), axis=1)
    around = by_distance[spots[:, 0], 1 : AROUND + 3]
    away = spot[around] - q0[:, None]
    where = (p0[:, None] + turn[:, None] * away).ravel()
    radius = BENT * np.abs(away) + 0.5 * noise_um * (1 + np.abs(away) / np.sqrt(spread)[:, None])
    many = _many(stored, np.stack([where.real, where.imag], axis=1), radius.ravel())
    many = many.reshape(around.shape)
    density = len(site) / np.exp(stored.log_area)
    surprise = -np.log(-np.expm1(-np.clip(density * np.pi * radius**2, 1e-6, 3.0)))
    own = (around[:, :, None] == spots[:, None, :]).any(axis=2)
    score = np.where((many > 0) & ~own, np.maximum(surprise - np.log(np.maximum(many, 1)), 0), 0)
    best: Ints = np.argsort(-score.sum(axis=1), kind="stable")[:SIFTED]
    return best


def _many(stored: Stored, at: Floats, radius_um: Floats) -> Ints:
    """How many sites lie near each place; the narrow half of the radii has a picture of its own."""
    many = np.zeros(len(at), np.intp)
    middle = float(np.median(radius_um))
    for half in (radius_um <= middle, radius_um > middle):
        if half.any():
            cover = Cover(stored.at_um, float(radius_um[half].max()))
            some = np.flatnonzero(half)[cover.over(at[half])]
            hit, _ = stored.grid.near(at[some], radius_um[some])
            many[some] = np.bincount(hit, minlength=len(some))
    return many
