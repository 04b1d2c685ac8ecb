"""Guesses of a pose on a periodic map: which of its equal places has these small displacements.

The field is first laid on an ideal lattice, which says nothing of the place and is the rival of
every place: another chip of the same make would fit it as well.
"""

import math

import numpy as np

from mapping.evidence import FARTHEST_CHI2, Stored, Verdict, grown
from mapping.field import Field
from mapping.grid import Floats, Grid, Ints
from mapping.lattice import Lattice
from mapping.pose_fit import HYSTERESIS, fitted, frame_of, ground_of

SEEDS = 12
SIDE_TOLERANCE = 0.09
KEPT = 8
REFITTED = 200  # places, whose own fit is made
WORTH_A_FIT = 0.3  # of the best first rating
MET = 6.0  # of the agreement that rates a pair, within which it is tried in a fit
CORNERS = 3
OUT_OF_STEP_SD = 6.0
AGREEMENT = 4.5  # nats that a spot adds at best when it lies where its site does
SLACK = 1.5
TAKEN = 3.0  # pairs' displacements that a fit to ideal nodes takes with it


def ideal_fit(lattice: Lattice, field: Field) -> tuple[Verdict, Ints] | None:
    """The field laid on ideal nodes, and the index of each node used; None where it is not so."""
    index = lattice.nodes(3.2 * field.half_um)
    nodes = index @ lattice.basis_um
    spread = np.full(len(nodes), max(lattice.spread_um, 1e-3))
    cell = abs(float(np.linalg.det(lattice.basis_um)))
    free = math.log(cell / len(lattice.symmetries()))
    patch = Stored(nodes, spread, free, Grid(nodes, lattice.pitch_um))
    found: list[Verdict] = []
    for sites, spots in _corners(lattice, field, index)[:SEEDS]:
        seen = field.at_um[spots]
        frame = frame_of(nodes[sites], seen, field.centre_um, field.half_um)
        sd = np.sqrt(spread[sites] ** 2 + field.sigma_um[spots] ** 2)
        first = fitted(ground_of(frame, nodes[sites]), seen, sd, HYSTERESIS)
        verdict = grown(patch, field, first)
        if not verdict:
            continue
        again = any(abs(verdict.log_factor - one.log_factor) < 1 for one in found)
        found.append(verdict)
        if again:
            break
    best = max(found, key=lambda one: one.log_factor, default=None)
    return (best, index[best.sites]) if best else None


def _corners(lattice: Lattice, field: Field, index: Ints) -> list[tuple[Ints, Ints]]:
    """Spots with a neighbour at each of the two vectors, in one handedness; the middle first."""
    first, second = lattice.basis_um[:, 0] + 1j * lattice.basis_um[:, 1]
    node = {tuple(row): at for at, row in enumerate(index.tolist())}
    sites = np.array([node[0, 0], node[1, 0], node[0, 1]])
    spot = field.at_um[:, 0] + 1j * field.at_um[:, 1]
    apart = spot - spot[:, None]
    found = []
    for here in np.argsort(np.abs(spot - complex(*field.centre_um))):
        turn = apart[here] / first
        for one in np.flatnonzero(np.abs(np.abs(turn) - 1) < SIDE_TOLERANCE):
            miss = np.abs(apart[here] / turn[one] - second) / abs(second)
            two = int(miss.argmin())
            if miss[two] < SIDE_TOLERANCE:
                found.append((sites, np.array([here, one, two])))
                break
    return found


def places(
    lattice: Lattice, stored: Stored, field: Field, ideal: Verdict, index: Ints
) -> list[tuple[float, Ints, Ints]]:
    """Nats and pairs of the likeliest places, over all turns and steps that lay it on itself."""
    low = lattice.cells.min(axis=0)
    shape = lattice.cells.max(axis=0) - low + 1
    site = np.full(tuple(shape), -1)
    site[tuple((lattice.cells - low).T)] = np.arange(len(stored.at_um))
    rest = stored.at_um - lattice.origin_um - lattice.cells @ lattice.basis_um
    rest = rest - _shared(lattice, rest, stored, field)
    own = ideal.fit.predicted(ground_of(ideal.fit.frame, index @ lattice.basis_um))[0]
    turned = ideal.fit.frame.turn_rad
    shown = _turned(field.at_um[ideal.spots] - own, -turned)
    noise = np.median(stored.sigma_um) ** 2 + np.median(field.sigma_um) ** 2
    taken = TAKEN / len(ideal.spots)
    scale = 2 * SLACK**2 * float(noise) + taken * lattice.spread_um**2
    rated: list[tuple[float, Ints, Ints]] = []
    for angle, change in lattice.symmetries():
        moved, aim = index @ change, _turned(shown, angle)
        rated += _steps(site, rest, moved, aim, scale, ideal.spots)
    rated.sort(key=lambda row: -row[0])
    likely = [row for row in rated[:REFITTED] if row[0] > WORTH_A_FIT * rated[0][0]]
    judged = [_refitted(lattice, stored, field, sites, spots) for _, sites, spots in likely]
    judged = [row for row in judged if len(row[1]) >= CORNERS]
    return sorted(judged, key=lambda row: -row[0])[:KEPT]


def _refitted(
    lattice: Lattice, stored: Stored, field: Field, sites: Ints, spots: Ints
) -> tuple[float, Ints, Ints]:
    """Nats above the lattice of a place whose pose is fitted to it alone; the worst pairs left out.

    A pose fitted to ideal nodes has taken part of the displacements with it.
    """
    if len(sites) < CORNERS:
        return 0.0, sites, spots
    at, seen = stored.at_um[sites], field.at_um[spots]
    variance = stored.sigma_um[sites] ** 2 + field.sigma_um[spots] ** 2
    ground = ground_of(frame_of(at, seen, field.centre_um, field.half_um), at)
    fit = fitted(ground, seen, np.sqrt(variance), HYSTERESIS)
    rest = seen - fit.predicted(ground)[0]
    near = (rest**2).sum(axis=1) < FARTHEST_CHI2 * variance
    if not near.all():
        return _refitted(lattice, stored, field, sites[near], spots[near])
    gain = float(np.log(1 + lattice.spread_um**2 / variance).sum()) + len(sites)
    return fit.log_integral + gain, sites, spots


def _shared(lattice: Lattice, rest: Floats, stored: Stored, field: Field) -> Floats:
    """What the displacements of each field's width have in common: a patch beside the lattice."""
    cells = np.floor(stored.at_um / (2 * field.half_um)).astype(np.intp)
    _, of, count = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    common = np.stack([np.bincount(of.ravel(), rest[:, i]) for i in (0, 1)], axis=1)
    out_of_step = np.hypot(*common.T) > OUT_OF_STEP_SD * lattice.spread_um * np.sqrt(count)
    shared: Floats = np.where(out_of_step, common.T / count, 0.0).T[of.ravel()]
    return shared


def _turned(vectors: Floats, angle: float) -> Floats:
    cos, sin = math.cos(angle), math.sin(angle)
    turned: Floats = vectors @ np.array([[cos, sin], [-sin, cos]])
    return turned


def _steps(
    site: Ints, rest: Floats, moved: Ints, aim: Floats, scale: float, spots: Ints
) -> list[tuple[float, Ints, Ints]]:
    """The best steps of one turn: how well displacements agree, and which site each spot meets."""
    low, high = moved.min(axis=0), moved.max(axis=0)
    pad = [(int(extent), int(extent)) for extent in high - low]
    padded = np.pad(site, pad, constant_values=-1)
    rows, columns = (np.array(padded.shape) - (high - low)).tolist()
    x = np.where(padded >= 0, rest[padded, 0], 1e3)
    y = np.where(padded >= 0, rest[padded, 1], 1e3)
    score = np.zeros((rows, columns))
    for (i, j), (u, v) in zip(moved - low, aim, strict=True):
        off = (x[i : i + rows, j : j + columns] - u) ** 2
        off += (y[i : i + rows, j : j + columns] - v) ** 2
        score += np.maximum(AGREEMENT - off / scale, 0.0)
    best = np.argsort(-score, axis=None)[:REFITTED]
    found = []
    for row, column in np.stack(np.unravel_index(best, score.shape), axis=1):
        met = padded[tuple((moved - low + [row, column]).T)]
        off = ((rest[met] - aim) ** 2).sum(axis=1)
        agree = (met >= 0) & (off < MET * AGREEMENT * scale)
        found.append((float(score[row, column]), met[agree], spots[agree]))
    return found
