"""How much likelier a field is under a pose than by chance, all that is unknown integrated out.

By chance, every spot lies where spots of this field lie. Under a pose, each stored site in view
shows a spot with one unknown probability, and the other spots are there by chance.
"""

import math
from typing import NamedTuple

import numpy as np

from mapping.field import Field
from mapping.grid import Floats, Grid, Ints, nearest
from mapping.pose_fit import (
    ANY_BEND,
    HYSTERESIS,
    SHIFT_AND_TURN,
    Fit,
    Ground,
    fitted,
    ground_of,
)

SHAPES = (HYSTERESIS, ANY_BEND)
BEFORE = (0.9, 0.1)  # their probabilities: piezo axes bend each by itself
FARTHEST_CHI2 = 20.0  # of a pair; a true one lies beyond once in 20,000
ROUNDS = 14
CROWDS = (0.06, 0.25, 0.8)  # strays expected as near as a pair: the safe ones first
VAGUE = 2.0  # of a crowd; who is less well foretold neither pairs nor competes
MARGINS = (20.0, 3.0)  # of chi2, by which a rival pair must be worse
SURE_OF_PAIR = 3.0
RIVAL_CHI2 = 7.0  # by which any other partner must be worse
CONVINCING_NATS = 15.0
HOPELESS_NATS = -7.0
SHIFT_PAIRS = 3

Pairs = tuple[Ints, Ints]


class Stored(NamedTuple):
    """The stored sites, and the area in which the field may lie."""

    at_um: Floats
    sigma_um: Floats
    log_area: float
    grid: Grid


class Verdict(NamedTuple):
    """A pose, which site is which spot, and its log Bayes factor against chance."""

    fit: Fit
    sites: Ints
    spots: Ints
    log_factor: float
    worst: float  # misfit beyond its expectation, in standard deviations
    in_view: int


def grown(stored: Stored, field: Field, fit: Fit, blur_um: float = 0.0) -> Verdict | None:
    """The better of a wary and a bold way of pairing all that a first fit explains."""
    wary, bold = MARGINS
    verdict = _grown(stored, field, fit, blur_um, wary)
    if not verdict or verdict.log_factor > CONVINCING_NATS:
        return verdict
    other = _grown(stored, field, fit, blur_um, bold)
    return max((one for one in (verdict, other) if one), key=lambda one: one.log_factor)


def _grown(stored: Stored, field: Field, fit: Fit, blur_um: float, margin: float) -> Verdict | None:
    """Pair what is clear, fit again, and so on until nothing changes."""
    reach_um = 1.6 * field.half_um
    _, nearby = stored.grid.near(fit.frame.origin_um[None], np.array([reach_um]))
    if len(nearby) < SHIFT_PAIRS:
        return None
    ground = ground_of(fit.frame, stored.at_um[nearby])
    variance = stored.sigma_um[nearby] ** 2 + blur_um**2
    sites, spots = known = np.empty(0, np.intp), np.empty(0, np.intp)
    crowds = iter(CROWDS)
    crowd = next(crowds)
    for _ in range(ROUNDS):
        sites, spots = _paired(fit, ground, variance, field, crowd, margin)
        if len(spots) < SHIFT_PAIRS:
            return None
        if np.array_equal(known[0], sites) and np.array_equal(known[1], spots):
            crowd = next(crowds, 0.0)
            if not crowd:
                break
        known = sites, spots
        sd = np.sqrt(variance[sites] + field.sigma_um[spots] ** 2)
        fit = fitted(ground.of(sites), field.at_um[spots], sd, HYSTERESIS)
    return _judged(stored, field, fit, (nearby, sites, spots), ground, variance)


def _paired(
    fit: Fit, ground: Ground, variance: Floats, field: Field, crowd: float, margin: float
) -> Pairs:
    """Each the other's nearest, where nothing else could be meant and few strays get so near."""
    predicted, covariance = fit.predicted(ground)
    strays = np.exp(field.log_chance) * len(field.at_um) * math.pi * 9
    least, most = field.sigma_um.min() ** 2, field.sigma_um.max() ** 2
    size = np.sqrt(np.linalg.det(covariance + (variance + least)[:, None, None] * np.eye(2)))
    told = (strays.min() * size < VAGUE * crowd) | (size < 2 * (variance + most))
    reach = np.sqrt((FARTHEST_CHI2 + margin) * (_widest(covariance) + variance + most))
    rows = np.flatnonzero(told)
    at, spot = field.grid.near(predicted[rows], reach[rows])
    site = rows[at]
    noise = variance[site] + field.sigma_um[spot] ** 2
    xx, yy = covariance[site, 0, 0] + noise, covariance[site, 1, 1] + noise
    xy = covariance[site, 0, 1]
    det = xx * yy - xy**2
    dx, dy = (field.at_um[spot] - predicted[site]).T
    chi2 = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / det
    of_site, next_of_site = nearest(site, chi2, len(predicted))
    of_spot, next_of_spot = nearest(spot, chi2, len(field.at_um))
    row = of_spot[of_spot >= 0]
    row = row[(of_site[site[row]] == row) & (chi2[row] < FARTHEST_CHI2)]
    rivals = np.minimum(next_of_spot[spot[row]], next_of_site[site[row]])
    by_noise = np.sqrt(det[row]) < 2 * noise[row]
    few = strays[spot[row]] * np.sqrt(det[row]) < crowd
    row = row[((rivals > margin + chi2[row]) & few) | by_noise]
    return site[row], spot[row]


def _widest(covariance: Floats) -> Floats:
    """The greater of the two variances of each."""
    half = (covariance[:, 0, 0] + covariance[:, 1, 1]) / 2
    skew = (covariance[:, 0, 0] - covariance[:, 1, 1]) / 2
    widest: Floats = half + np.hypot(skew, covariance[:, 0, 1])
    return widest


def _foretold(ground: Ground, own_sd: Floats, field: Field, pairs: Pairs) -> Pairs:
    """The pairs that the others foretell better than chance does; the worst goes first."""
    sites, spots = pairs
    while len(sites) >= SHIFT_PAIRS:
        sd, seen = np.hypot(own_sd[sites], field.sigma_um[spots]), field.at_um[spots]
        fit = fitted(ground.of(sites), seen, sd, HYSTERESIS)
        off, precision = _left_out(fit, ground.of(sites), sd, seen)
        chi2 = _squared(off[:, None], precision)[:, 0]
        log_foretold = 0.5 * np.log(np.linalg.det(precision)) - 0.5 * chi2 - math.log(2 * math.pi)
        sure = log_foretold - field.log_chance[spots] - SURE_OF_PAIR
        sure[chi2 > FARTHEST_CHI2] = -chi2[chi2 > FARTHEST_CHI2]
        predicted = fit.predicted(ground)[0]
        for apart, own in (
            (predicted[sites][:, None] - predicted, sites),
            (field.at_um - seen[:, None], spots),
        ):
            rival = _squared(off[:, None] + apart, precision)
            rival[np.arange(len(own)), own] = np.inf
            sure = np.minimum(sure, rival.min(axis=1) - chi2 - RIVAL_CHI2)
        if sure.min() > 0:
            break
        sites, spots = np.delete(sites, sure.argmin()), np.delete(spots, sure.argmin())
    return sites, spots


def _left_out(fit: Fit, ground: Ground, sd: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """How far each pair lies off what all the others foretell, and with which precision."""
    predicted, covariance = fit.predicted(ground)
    left = (1 + 1e-9) * np.eye(2) - covariance / sd[:, None, None] ** 2
    off = np.linalg.solve(left, (seen - predicted)[:, :, None])[:, :, 0].astype(np.float64)
    return off, left / sd[:, None, None] ** 2


def _squared(off: Floats, precision: Floats) -> Floats:
    """The chi2 of (n, m) displacements, each row by its own precision."""
    xx, xy, yy = precision[:, 0, 0], precision[:, 0, 1], precision[:, 1, 1]
    x, y = off[..., 0], off[..., 1]
    squared: Floats = xx[:, None] * x * x + 2 * xy[:, None] * x * y + yy[:, None] * y * y
    return squared


def _judged(
    stored: Stored,
    field: Field,
    fit: Fit,
    pairs: tuple[Ints, Ints, Ints],
    ground: Ground,
    variance: Floats,
) -> Verdict | None:
    """The evidence of a grown pose, unless it is so little that no pair left out would mend it."""
    nearby, sites, spots = pairs
    predicted = fit.predicted(ground)[0]
    inside = ((predicted > field.low_um) & (predicted < field.high_um)).all(axis=1)
    inside |= np.isin(np.arange(len(predicted)), sites)
    in_view = int(inside.sum())
    noise = variance[sites] + field.sigma_um[spots] ** 2
    rest = field.at_um[spots] - predicted[sites]
    chi2 = (rest**2).sum(axis=1) / noise
    gain = -0.5 * chi2 - np.log(2 * np.pi * noise) - field.log_chance[spots]
    worth = (gain > 0) & (chi2 < FARTHEST_CHI2)
    kept = sites[worth], spots[worth]
    first = _weighed(stored, field, ground, variance, kept, in_view)
    if not first or first.log_factor < HOPELESS_NATS:
        return None
    kept = _foretold(ground, np.sqrt(variance), field, kept)
    final = _weighed(stored, field, ground, variance, kept, in_view) or first
    # Pairs that are not sure enough to measure with are evidence all the same.
    log_factor = max(first.log_factor, final.log_factor)
    return final._replace(sites=nearby[final.sites], log_factor=log_factor)


def _weighed(
    stored: Stored, field: Field, ground: Ground, variance: Floats, pairs: Pairs, in_view: int
) -> Verdict | None:
    """The evidence of pairs, over the shapes of bend that the pose may have."""
    sites, spots = pairs
    if len(sites) < SHIFT_PAIRS:
        return None
    noise, met = variance[sites] + field.sigma_um[spots] ** 2, ground.of(sites)
    fits = [fitted(met, field.at_um[spots], np.sqrt(noise), bends) for bends in SHAPES]
    weights = np.array([shape.log_integral for shape in fits]) + np.log(BEFORE)
    log_factor = float(np.logaddexp.reduce(weights))
    log_factor -= float(np.log(2 * np.pi * noise).sum()) + field.log_by_chance(spots)
    log_factor += _log_counting(len(sites), in_view, len(field.at_um))
    log_factor -= stored.log_area + math.log(2 * math.pi)
    best = fits[int(weights.argmax())]
    free = 2 * len(sites) - SHIFT_AND_TURN
    worst = (best.misfit - free) / math.sqrt(2 * free)
    return Verdict(best, sites, spots, log_factor, worst, in_view)


def _log_counting(matched: int, in_view: int, seen: int) -> float:
    """Of who shows and who does not, the share that shows and the rate of strays integrated."""
    missed, strays = max(in_view - matched, 0), seen - matched
    shows = math.lgamma(matched + 1) + math.lgamma(missed + 1) - math.lgamma(matched + missed + 2)
    chosen = math.lgamma(strays + 1) - math.lgamma(seen + 1)
    return shows + chosen + matched * math.log1p(1 / seen)
