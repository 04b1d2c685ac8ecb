"""What each spot is: one emitter, or what else."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping import near
from mapping.crowd import Places, picked
from mapping.measure import Measured
from optics.psf import Psf

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

TOLERANCE = np.array([0.03, 0.03, 0.03, 0.008])  # by which forms of true emitters may differ
FORM_BAR = 18.5  # chi squared of four: one single emitter in a thousand
MISFIT_SD = 5.0
UNCERTAIN = 0.03  # share of its own light by which an image may differ from the model
CLOSE_SIGMAS = 2.5  # to the next one: a group and not single emitters
GROUP_SIGMAS = (2.5, 3.2, 4.0)
TOUCHING_SIGMAS, TWO_BAR, SELDOM = 3.0, 17.0, 0.15
FRAGMENT_SIGMAS, SPARSE = 4.5, 0.1
RING, LONG = 0.05, 0.6
BY_CHANCE = 0.05  # groups in a frame


def odd(seen: Measured, unsure: Floats) -> Floats:
    """How far each form lies from a point image, chi squared of four."""
    spread = seen.form_covariance + np.diag(TOLERANCE**2) + unsure
    return np.asarray(
        np.einsum(
            "ni,ni->n",
            seen.form,
            np.linalg.solve(spread, seen.form[:, :, None])[:, :, 0],
        )
    )


def groups(places: Places, psf: Psf, reach_sigmas: float) -> tuple[Ints, Ints]:
    """Which group each spot belongs to, and how many it has."""
    joined = near.pairs(*places[:3], reach_sigmas * psf.sigma)
    group = near.groups(len(places.y), joined)
    return group, np.bincount(group)[group].astype(np.int64)


def packed(places: Places, sure: Flags, psf: Psf, area_px: float, frames: int) -> Flags:
    """Spots in groups such as chance hardly makes in a frame, at the density of the whole field;
    only of those that are surely there, or what a fit leaves over makes a crowd of a pair.

    Points at density d whose circles of radius r hold l = d pi r^2 others: some n k^(k-3) l^(k-1)
    / (k-1)! groups of k among n, by the number of trees on k points (Cayley).
    """
    far, there = np.zeros(len(sure), bool), np.flatnonzero(sure)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, len(there) + 1)))])
    for reach in GROUP_SIGMAS:
        group, size = groups(picked(places, there), psf, reach)
        many = (group.max(initial=0) + 1) / frames
        others = many * math.pi * (reach * psf.sigma) ** 2 / area_px
        log_number = (
            (size - 3) * np.log(size) + (size - 1) * math.log(others) - factorials[size - 1]
        )
        far[there] |= (size > 2) & (log_number + math.log(many) < math.log(BY_CHANCE))
    return far


def _unlikely_two(places: Places, strange: Floats, psf: Psf, crowding: float, many: float) -> Flags:
    """Two that touch and together fit no better than two halves of a streak or a cluster would.

    `crowding` is how many others lie within a sigma by chance: where two seldom meet, what looks
    like two is rather something else, so less speaks against it.
    """
    group, size = groups(places, psf, TOUCHING_SIGMAS)
    together = np.bincount(group, strange)[group]
    expected = max(many / 2 * crowding * TOUCHING_SIGMAS**2, SELDOM)
    return np.asarray((size == 2) & (together > TWO_BAR + 2 * math.log(expected)))


def reasons(
    seen: Measured,
    sure: Flags,
    psf: Psf,
    unsure: Floats,
    share: float,
    shape: tuple[int, int, int],
) -> list[str]:
    """Per spot, why it is no single emitter; empty where it is one.

    `sure` are those that are surely there; `share` of its own light is how far an image may
    differ from the model.
    """
    frames, height, columns = shape
    strange = odd(seen, unsure + np.diag([share**2 - UNCERTAIN**2] * 4))
    suspect = strange > FORM_BAR
    _, size = groups(seen.places, psf, CLOSE_SIGMAS)
    many = float((sure & ~suspect & (size == 1)).sum()) / frames
    crowding = many / (height * columns) * math.pi * psf.sigma**2
    suspect |= _unlikely_two(seen.places, strange, psf, crowding, many)
    suspect |= seen.misfit > MISFIT_SD + (100 * share) ** 2 * seen.light
    near_by = FRAGMENT_SIGMAS if crowding * FRAGMENT_SIGMAS**2 < SPARSE else CLOSE_SIGMAS
    group, size = groups(seen.places, psf, near_by)
    spoiled = np.isin(group, group[suspect])
    words = np.full(len(size), "", dtype="U16")
    width = seen.form[:, 0] + seen.form[:, 1]
    long = np.hypot(seen.form[:, 0] - seen.form[:, 1], seen.form[:, 2])
    words[suspect] = "blob"
    words[suspect & (seen.form[:, 3] < -RING)] = "ring"
    words[suspect & (long > LONG * np.abs(width))] = "streak"
    words[suspect & (width < 0)] = "particle hit"
    words[(size == 2) & spoiled] = "pair"
    crowd = packed(seen.places, sure, psf, height * columns, frames)
    words[((size > 2) & spoiled) | crowd] = "cluster"
    return [str(word) for word in words]
