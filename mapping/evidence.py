"""How much likelier a field is under a pose than by chance, all that is unknown integrated out.

By chance, every spot lies where spots of this field lie. Under a pose, each stored site in view
shows a spot with one unknown probability, and the other spots are there by chance.
"""

import math
from typing import NamedTuple

import numpy as np

from mapping.grid import Floats, Grid, Ints
from mapping.pose_fit import AFFINE, ALL_TERMS, OWN_BEND, SHIFT_AND_TURN, Fit, Frame, fitted

SHAPES = (AFFINE, OWN_BEND, ALL_TERMS)  # no bend, one along each axis, any
BEFORE = (0.25, 0.65, 0.1)  # their probabilities: piezo axes bend each by itself
FARTHEST_CHI2 = 20.0  # of a pair; a true one lies beyond once in 20,000
ROUNDS = 14
CROWDS = (0.06, 0.25, 0.8)  # strays expected as near as a pair: the safe ones first
MARGINS = (20.0, 3.0)  # of chi2, by which a rival pair must be worse
SURE_OF_PAIR = 3.0
RIVAL_CHI2 = 7.0  # by which any other partner must be worse
CONVINCING_NATS = 15.0
SHIFT_PAIRS = 3

Pairs = tuple[Ints, Ints]


class Field(NamedTuple):
    """What was observed, and how likely a spot is at each place by chance."""

    at_um: Floats
    sigma_um: Floats
    low_um: Floats
    high_um: Floats
    log_chance: Floats  # per square micrometre

    @property
    def centre_um(self) -> Floats:
        middle: Floats = (self.low_um + self.high_um) / 2
        return middle

    @property
    def half_um(self) -> float:
        return max(float((self.high_um - self.low_um).max()) / 2, 1e-3)


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


def field_of(at_um: Floats, sigma_um: Floats) -> Field:
    """The field's window is the box around its spots, widened by half a mean gap."""
    n = len(at_um)
    low, high = at_um.min(axis=0), at_um.max(axis=0)
    margin = np.maximum((high - low) / (2 * max(n - 1, 1)), 0.05)
    low, high = low - margin, high + margin
    size = float((high - low).max())
    uniform = 1.0 / float((high - low).prod())
    density: Floats = np.full(n, 2 * uniform)
    apart2 = ((at_um[:, None] - at_um) ** 2).sum(axis=2)
    np.fill_diagonal(apart2, np.inf)
    for width in (size / 8, size / 50):  # spots gather; what a crowd does is no coincidence
        kernel = np.exp(-apart2 / (2 * width**2)).sum(axis=1) / (2 * math.pi * width**2)
        density += kernel / max(n - 1, 1)
    return Field(at_um, sigma_um, low, high, np.log(np.maximum(density / 4, uniform)))


def grown(stored: Stored, field: Field, fit: Fit, blur_um: float = 0.0) -> Verdict | None:
    """The better of a wary and a bold way of pairing all that a first fit explains."""
    wary, bold = MARGINS
    verdict = _grown(stored, field, fit, blur_um, wary)
    if verdict and verdict.log_factor > CONVINCING_NATS:
        return verdict
    other = _grown(stored, field, fit, blur_um, bold)
    judged = [one for one in (verdict, other) if one]
    return max(judged, key=lambda one: one.log_factor, default=None)


def _grown(stored: Stored, field: Field, fit: Fit, blur_um: float, margin: float) -> Verdict | None:
    """Pair what is clear, fit again, and so on until nothing changes."""
    reach_um = 1.6 * field.half_um
    _, nearby = stored.grid.near(fit.frame.origin_um[None], np.array([reach_um]))
    if len(nearby) < SHIFT_PAIRS:
        return None
    at, variance = stored.at_um[nearby], stored.sigma_um[nearby] ** 2 + blur_um**2
    none = np.empty(0, np.intp)
    sites, spots = known = none, none
    crowds = iter(CROWDS)
    crowd = next(crowds)
    for _ in range(ROUNDS):
        sites, spots = _paired(fit, at, variance, field, crowd, margin)
        if len(spots) < SHIFT_PAIRS:
            return None
        if np.array_equal(known[0], sites) and np.array_equal(known[1], spots):
            crowd = next(crowds, 0.0)
            if not crowd:
                break
        known = sites, spots
        sd = np.sqrt(variance[sites] + field.sigma_um[spots] ** 2)
        fit = fitted(fit.frame, at[sites], field.at_um[spots], sd, ALL_TERMS)
    return _judged(stored, field, fit, (nearby, sites, spots), variance)


def _paired(
    fit: Fit, at: Floats, variance: Floats, field: Field, crowd: float, margin: float
) -> Pairs:
    """Each the other's nearest, where nothing else could be meant and few strays get so near."""
    predicted, covariance = fit.predicted(at)
    apart = field.at_um[:, None] - predicted
    noise = variance + (field.sigma_um**2)[:, None]
    xx = covariance[:, 0, 0] + noise
    yy = covariance[:, 1, 1] + noise
    xy = covariance[:, 0, 1]
    det = xx * yy - xy**2
    dx, dy = apart[..., 0], apart[..., 1]
    chi2 = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / det
    site = chi2.argmin(axis=1)
    spot = np.arange(len(site))
    nearest = chi2[spot, site]
    mutual = (chi2.argmin(axis=0)[site] == spot) & (nearest < FARTHEST_CHI2)
    rivals = np.minimum(_second(chi2, 1), _second(chi2, 0)[site])
    by_noise = np.sqrt(det[spot, site]) < 2 * noise[spot, site]
    alone = (rivals > margin + nearest) | by_noise
    strays = np.exp(field.log_chance) * len(spot) * math.pi * 9 * np.sqrt(det[spot, site])
    clear = mutual & alone & ((strays < crowd) | by_noise)
    return site[clear], spot[clear]


def _second(chi2: Floats, axis: int) -> Floats:
    """The second smallest along an axis."""
    if chi2.shape[axis] < 2:
        return np.full(chi2.shape[1 - axis], np.inf)
    ranked: Floats = np.partition(chi2, 1, axis=axis)
    return ranked[1] if axis == 0 else ranked[:, 1]


def _foretold(frame: Frame, at: Floats, own_sd: Floats, field: Field, pairs: Pairs) -> Pairs:
    """The pairs that the others foretell better than chance does; the worst goes first."""
    sites, spots = pairs
    while len(sites) >= SHIFT_PAIRS:
        sd, seen = np.hypot(own_sd[sites], field.sigma_um[spots]), field.at_um[spots]
        fit = fitted(frame, at[sites], seen, sd, ALL_TERMS)
        off, precision = _left_out(fit, at[sites], sd, seen)
        chi2 = _squared(off[:, None], precision)[:, 0]
        log_foretold = 0.5 * np.log(np.linalg.det(precision)) - 0.5 * chi2 - math.log(2 * math.pi)
        sure = log_foretold - field.log_chance[spots] - SURE_OF_PAIR
        sure[chi2 > FARTHEST_CHI2] = -chi2[chi2 > FARTHEST_CHI2]
        predicted = fit.predicted(at)[0]
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


def _left_out(fit: Fit, at: Floats, sd: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """How far each pair lies off what all the others foretell, and with which precision."""
    laid = fit.frame.laid(at)
    design = fit.frame.design(laid, len(fit.values))
    rest = seen - fit.frame.centre_um - laid - design @ fit.values
    shared = design @ fit.covariance @ design.transpose(0, 2, 1) / sd[:, None, None] ** 2
    left = (1 + 1e-9) * np.eye(2) - shared
    off = np.linalg.solve(left, rest[:, :, None])[:, :, 0].astype(np.float64)
    return off, left / sd[:, None, None] ** 2


def _squared(off: Floats, precision: Floats) -> Floats:
    """The chi2 of (n, m) displacements, each row by its own precision."""
    xx, xy, yy = precision[:, 0, 0], precision[:, 0, 1], precision[:, 1, 1]
    x, y = off[..., 0], off[..., 1]
    squared: Floats = xx[:, None] * x * x + 2 * xy[:, None] * x * y + yy[:, None] * y * y
    return squared


def _judged(
    stored: Stored, field: Field, fit: Fit, pairs: tuple[Ints, Ints, Ints], variance: Floats
) -> Verdict | None:
    """The evidence of a grown pose, over the shapes of bend that it may have."""
    nearby, sites, spots = pairs
    at = stored.at_um[nearby]
    predicted = fit.predicted(at)[0]
    inside = ((predicted > field.low_um) & (predicted < field.high_um)).all(axis=1)
    inside |= np.isin(np.arange(len(at)), sites)
    noise = variance[sites] + field.sigma_um[spots] ** 2
    rest = field.at_um[spots] - predicted[sites]
    chi2 = (rest**2).sum(axis=1) / noise
    gain = -0.5 * chi2 - np.log(2 * np.pi * noise) - field.log_chance[spots]
    worth = (gain > 0) & (chi2 < FARTHEST_CHI2)
    sites, spots = _foretold(fit.frame, at, np.sqrt(variance), field, (sites[worth], spots[worth]))
    noise = variance[sites] + field.sigma_um[spots] ** 2
    k, n, in_view = len(sites), len(field.at_um), int(inside.sum())
    if k < SHIFT_PAIRS:
        return None
    fits = [
        fitted(fit.frame, at[sites], field.at_um[spots], np.sqrt(noise), terms) for terms in SHAPES
    ]
    weights = np.array([shape.log_integral for shape in fits]) + np.log(BEFORE)
    log_factor = float(np.logaddexp.reduce(weights))
    log_factor -= float(np.sum(np.log(2 * np.pi * noise) + field.log_chance[spots]))
    log_factor += _log_counting(k, in_view, n) - stored.log_area - math.log(2 * math.pi)
    best = fits[int(weights.argmax())]
    free = 2 * k - SHIFT_AND_TURN
    worst = (best.misfit - free) / math.sqrt(2 * free)
    return Verdict(best, nearby[sites], spots, log_factor, worst, in_view)


def _log_counting(matched: int, in_view: int, seen: int) -> float:
    """Of who shows and who does not, the share that shows and the rate of strays integrated."""
    missed, strays = max(in_view - matched, 0), seen - matched
    shows = math.lgamma(matched + 1) + math.lgamma(missed + 1) - math.lgamma(matched + missed + 2)
    chosen = math.lgamma(strays + 1) - math.lgamma(seen + 1)
    return shows + chosen + matched * math.log1p(1 / seen)
