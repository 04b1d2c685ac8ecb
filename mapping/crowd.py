"""All emitters of all frames fitted together: each in its window, its neighbours beside it."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.cutting import cuts
from mapping.fit import Fit, Windows, fitted, lighted
from mapping.near import pairs
from optics.psf import Psf

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

JOINT_SIGMAS = 3.5  # nearer neighbours are fitted too, up to
SHINES_SIGMAS = 3.5  # how far the light of a neighbour counts
JOINT_MOST = 3  # of them; the others' light is taken as known
ALONE, JOINTLY, ROUNDS = 10, 10, 3  # iterations at most; times that neighbours hear of each other


class Field(NamedTuple):
    """Frames, as the fits see them; variance is expected light + noise."""

    photons: NDArray[np.float32]  # (f, h, w)
    ground: NDArray[np.float32]  # (f, h, w): expected light without emitters
    noise: NDArray[np.float32]  # (h, w)
    bad: Flags  # (f, h, w)


class Places(NamedTuple):
    """Emitters so far."""

    frame: Ints
    y: Floats
    x: Floats
    photons: Floats
    extra: Floats


class Part(NamedTuple):
    """Those fitted with equally many neighbours."""

    which: Ints
    cut: Windows
    fit: Fit
    row: Ints
    column: Ints


def half_width(psf: Psf) -> int:
    """Of a window, in pixels."""
    return math.ceil(3 * max(psf.sigma_x, psf.sigma_y)) + 1


def cut_out(field: Field, frame: Ints, row: Ints, column: Ints, half: int) -> Windows:
    """Windows around pixels; beyond the border nothing is good."""
    size = (len(row), 2 * half + 1, 2 * half + 1)
    cut = Windows(np.empty(size, np.float32), np.empty(size, np.float32), np.zeros(size, np.bool_))
    good, bad = cut.good.view(np.uint8), field.bad.view(np.uint8)
    at = np.ascontiguousarray(frame), np.ascontiguousarray(row), np.ascontiguousarray(column)
    height, width = field.noise.shape
    cuts(
        cut.counts, cut.ground, good, field.photons, field.ground, field.noise, bad,
        height, width, *at, len(row), half,
    )  # fmt: skip
    return cut


def fit_all(
    field: Field, psf: Psf, start: Places, which: Ints, alone: int = ALONE
) -> tuple[Places, list[Part]]:
    """The chosen ones fitted, the rest left as they are; those with neighbours hear of them."""
    places = start
    parts: list[Part] = []
    for turn in range(ROUNDS):
        ties = _ties(places, psf, which)
        near = marked(ties.of, len(places.y))[which]
        crowd, lonely = which[near], which[~near]
        chosen = [crowd[ties.members[crowd] == count] for count in np.unique(ties.members[crowd])]
        if turn == 0:
            chosen.append(lonely)
        fresh = [
            _part(field, psf, places, some, ties, int(ties.members[some[0]]), alone)
            for some in chosen
            if len(some)
        ]
        places = _updated(places, fresh)
        parts = [*without(parts, crowd), *fresh]
        which = crowd
        if not len(crowd):
            break
    return places, parts


def refit(
    field: Field, psf: Psf, places: Places, parts: list[Part], more: Places
) -> tuple[Places, list[Part], list[Part]]:
    """With more emitters: these, and whoever they reach; the last are the parts that are new."""
    known = len(places.y)
    places = joined(places, more)
    reach = 2 * half_width(psf)
    reached = np.arange(len(places.y)) >= known
    one, other = pairs(*places[:3], reach).T
    reached[one[other >= known]] = True
    which = np.flatnonzero(reached)
    places, fresh = fit_all(field, psf, places, which)
    return places, [*without(parts, which), *fresh], fresh


def marked(which: Ints, count: int) -> Flags:
    """True where named, of so many; what lies beyond is left out."""
    marks = np.zeros(count, bool)
    marks[which[which < count]] = True
    return marks


def without(parts: list[Part], which: Ints) -> list[Part]:
    """The parts, with some places taken out."""
    left = []
    gone = marked(which, max([int(part.which.max()) for part in parts], default=0) + 1)
    for part in parts:
        keep = np.flatnonzero(~gone[part.which])
        if len(keep) == len(part.which):
            left.append(part)
        elif len(keep):
            cut = Windows._make(what[keep] for what in part.cut)
            fit = Fit._make(what[keep] for what in part.fit)
            left.append(Part(part.which[keep], cut, fit, part.row[keep], part.column[keep]))
    return left


class Ties(NamedTuple):
    """Who lies near whom; rows sorted by whom they concern, then by distance."""

    of: Ints
    other: Ints
    joint: Flags  # fitted together
    members: Ints  # how many are fitted together with each place


def _ties(places: Places, psf: Psf, which: Ints) -> Ties:
    reach = half_width(psf) + SHINES_SIGMAS * psf.sigma
    near = pairs(*places[:3], reach)
    of, other = np.concatenate([near, near[:, ::-1]]).T
    wanted = marked(which, len(places.y))
    of, other = of[wanted[of]], other[wanted[of]]
    apart = np.hypot(places.y[of] - places.y[other], places.x[of] - places.x[other])
    order = np.lexsort((apart, of))
    of, other, apart = of[order], other[order], apart[order]
    first = np.searchsorted(of, of)
    joint = (np.arange(len(of)) - first < JOINT_MOST) & (apart < JOINT_SIGMAS * psf.sigma)
    return Ties(of, other, joint, np.bincount(of[joint], minlength=len(places.y)))


def _part(
    field: Field, psf: Psf, places: Places, chosen: Ints, ties: Ties, members: int, alone: int
) -> Part:
    height, width = field.noise.shape
    row, column = _pixel(places.y[chosen], height), _pixel(places.x[chosen], width)
    half = half_width(psf)
    cut = cut_out(field, places.frame[chosen], row, column, half)
    slot = np.full(len(places.y), -1)
    slot[chosen] = np.arange(len(chosen))
    known = ground_sd(cut)
    cut = _with_others(cut, psf, places, ties, slot, row, column)
    mine = ties.joint & (slot[ties.of] >= 0)
    group = np.column_stack([chosen, ties.other[mine].reshape(len(chosen), members)])
    start = np.stack(
        [places.y[group] - row[:, None], places.x[group] - column[:, None], places.photons[group]],
        axis=2,
    )
    turns = JOINTLY if members else alone
    return Part(
        chosen, cut, fitted(cut, psf, start, known, turns, places.extra[chosen]), row, column
    )


def ground_sd(cut: Windows) -> Floats:
    """How well the ground is known before the fit: the noise of its own estimate, and a share."""
    middle = cut.ground.shape[1] // 2
    level = cut.ground[:, middle, middle]
    return np.sqrt(level / 60 + (0.05 * level) ** 2)


def _with_others(
    cut: Windows, psf: Psf, places: Places, ties: Ties, slot: Ints, row: Ints, column: Ints
) -> Windows:
    """The ground with the light of those neighbours that are not fitted."""
    known = ~ties.joint & (slot[ties.of] >= 0)
    if not known.any():
        return cut
    into, other = slot[ties.of[known]], ties.other[known]
    y, x = places.y[other] - row[into], places.x[other] - column[into]
    there = np.column_stack([y, x, places.photons[other]])
    return cut._replace(ground=lighted(cut.ground, into, psf, there))


def _pixel(at: Floats, size: int) -> Ints:
    return np.clip(np.rint(at), 0, size - 1).astype(np.int64)


def _updated(places: Places, parts: list[Part]) -> Places:
    y, x, photons, extra = (column.copy() for column in places[1:])
    for which, _, fit, row, column in parts:
        y[which] = fit.emitters[:, 0, 0] + row
        x[which] = fit.emitters[:, 0, 1] + column
        photons[which] = fit.emitters[:, 0, 2]
        extra[which] = fit.extra
    return Places(places.frame, y, x, photons, extra)


def joined(one: Places, other: Places) -> Places:
    """Both, in that order."""
    frame = np.concatenate([one.frame, other.frame])
    floats = zip(one[1:], other[1:], strict=True)
    return Places(frame, *(np.concatenate(both) for both in floats))


def picked(places: Places, which: Ints) -> Places:
    """Some of them."""
    return Places(places.frame[which], *(column[which] for column in places[1:]))
