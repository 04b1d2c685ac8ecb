"""g2(0) under continuous light: a dip, perhaps on a hump, over all the shapes it could have."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optics.decay_search import (
    Columns,
    Goodness,
    Histogram,
    Model,
    Search,
    Smears,
    goodness,
    search,
    stacked,
)
from optics.decay_shapes import Floats, Smear, two_sided, two_sided_at_zero, two_sided_slope
from optics.shape_average import Estimate, ShapeAverage

DIP_PS = (200.0, 20_000.0)
HUMPS = 16
HUMP_EVIDENCE = 8.0  # chi-square that height and width of a hump must earn
CENTRE_STEPS, CENTRE_PRIOR_PS = 4, 500.0
CENTRE_EVIDENCE = 5.0  # standard deviations of the dip, from which its middle can be told
NEAR_PS, MIDDLE_PS, MERGED, FAR_MERGED = 25_000.0, 50_000.0, 5, 20
UNKNOWN_SPREADS_PS = (0.0, 80.0, 160.0, 240.0, 340.0, 460.0, 620.0, 900.0)
SHARP = [Smear(0.0)]


class Hump(NamedTuple):
    """Bunching by a dark state: its height over the level, and its time constant."""

    height: float
    decay_ps: float


class DipFit(NamedTuple):
    """`at_zero` as measured, with all that smears it, and `unsmeared` as the light itself."""

    at_zero: Estimate
    unsmeared: Estimate
    log_decay: Estimate
    depth: Estimate
    level: float
    beside: float  # near the dip, on top of the hump
    hump: Hump | None
    centre_ps: float
    two_level: Goodness
    three_level: Goodness | None
    fitted: Floats
    histogram: Histogram


def unknown_spread() -> Smears:
    """Anything that detectors do, each alike: to favour none would make the dip look deeper."""
    choices = [Smear(spread) for spread in UNKNOWN_SPREADS_PS]
    return Smears(choices, [1 / len(choices)] * len(choices))


def coarser_away(histogram: Histogram) -> Histogram:
    """Wider bins where a dip has no edge: as many as are needed to tell a level from a hump."""
    distance = np.abs(histogram.edges[:-1] + histogram.edges[1:]) / 2
    index = np.arange(len(distance))
    stride = np.where(distance < NEAR_PS, 1, np.where(distance < MIDDLE_PS, MERGED, FAR_MERGED))
    return histogram.merged(np.flatnonzero(index % stride == 0))


def fit_dip(histogram: Histogram, smears: Smears, *, find_centre: bool) -> DipFit:
    """The dip at zero or, with `find_centre`, near it."""
    plain = search(histogram, _model(None), smears, DIP_PS)
    two_level = goodness(histogram, plain.average.fitted, 3)
    centre_ps = 0.0
    if find_centre and _evidence(_depth(plain)) > CENTRE_EVIDENCE:
        centre_ps = _centre(histogram, plain)
        histogram = histogram.moved(centre_ps)
        plain = search(histogram, _model(None), smears, DIP_PS)
    # A hump too low to be seen would still pull the level down, so there always is a slow one.
    hump_ps, fitted_ps = _hump_time(histogram, plain, float(histogram.edges[-1]))
    found = search(histogram, _model(fitted_ps), smears, DIP_PS)
    _, level, height = found.average.coefficients[found.average.best]
    return DipFit(
        at_zero=_reading(found, smeared=True),
        unsmeared=_reading(found, smeared=False),
        log_decay=found.log_decay,
        depth=_depth(found),
        level=float(level),
        beside=float(level + height),
        hump=None if hump_ps is None else Hump(float(height), hump_ps),
        centre_ps=centre_ps,
        two_level=two_level,
        three_level=goodness(histogram, found.average.fitted, 5) if hump_ps else None,
        fitted=found.average.fitted,
        histogram=histogram,
    )


def _model(hump_ps: float | None) -> Model:
    """Dip, level and perhaps a hump; what is left at the bottom of the dip is not below zero."""
    floor = [-1.0, 1.0] if hump_ps is None else [-1.0, 1.0, 1.0]
    return Model(_columns(hump_ps), np.array(floor))


def _columns(hump_ps: float | None) -> Columns:
    def columns(edges: Floats, decay_ps: float, smears: Sequence[Smear]) -> list[Floats]:
        shapes = [-two_sided(edges, decay_ps, smears), np.ones(len(edges) - 1)]
        return shapes if hump_ps is None else [*shapes, two_sided(edges, hump_ps, SHARP)]

    return columns


def _reading(found: Search, *, smeared: bool) -> Estimate:
    """Level and hump less the dip, at zero; what the timing spread leaves open counts as error."""
    size = found.average.coefficients.shape[1]
    reading = np.ones((len(found.average.share), size))
    reading[:, 0] = -1.0
    if smeared:
        heights = [two_sided_at_zero(float(decay), found.smears) for decay in found.decays]
        reading[:, 0] = -np.concatenate(heights)
    estimate = found.average.of_coefficients(reading)
    values = (reading * found.average.coefficients).sum(1)
    return estimate.wider(found.over_smears(values))


def _depth(found: Search) -> Estimate:
    size = found.average.coefficients.shape[1]
    return found.average.of_coefficients(np.eye(1, size).repeat(len(found.average.share), 0))


def _evidence(depth: Estimate) -> float:
    """In standard deviations."""
    return depth.value / math.sqrt(depth.variance) if depth.variance else math.inf


def _centre(histogram: Histogram, found: Search) -> float:
    """Where the best dip fits best, by Gauss and Newton."""
    (decay_ps, smear), (depth, _) = found.best, found.average.coefficients[found.average.best]
    centre_ps = 0.0
    for _ in range(CENTRE_STEPS):
        at = histogram.moved(centre_ps)
        slope = -depth * two_sided_slope(at.edges, decay_ps, [smear])
        columns = stacked([*_columns(None)(at.edges, decay_ps, [smear]), slope])
        fit = ShapeAverage(at.counts, at.level, columns, np.ones(1), found.average.fitted)
        step = fit.of_coefficients(np.array([[0.0, 0.0, 1.0]]))
        towards = (step.value * CENTRE_PRIOR_PS**2 - centre_ps * step.variance) / (
            CENTRE_PRIOR_PS**2 + step.variance
        )
        centre_ps += min(max(towards, -decay_ps), decay_ps)
    return centre_ps


def _hump_time(histogram: Histogram, found: Search, slow_ps: float) -> tuple[float | None, float]:
    """The time constant of a hump that the counts demand, else None; and the one to fit with.

    That is the slow one unless the counts speak clearly against it: a quick one resembles the dip.
    """
    low, high = 4 * found.best[0], 20 * float(histogram.edges[-1])
    times = np.geomspace(low, high, HUMPS)
    best = _humps(histogram, found, times).best
    times = np.geomspace(times[max(best - 1, 0)], times[min(best + 1, HUMPS - 1)], HUMPS)
    fits = _humps(histogram, found, times)
    best, chi_square = fits.best, fits.chi_square[fits.best]
    if fits.coefficients[best, 2] <= 0:
        return None, slow_ps
    slow = _humps(histogram, found, np.array([slow_ps])).chi_square[0]
    plain = found.average.chi_square[found.average.best]
    seen = plain - chi_square > HUMP_EVIDENCE
    quick = slow - chi_square > HUMP_EVIDENCE
    return float(times[best]) if seen else None, float(times[best]) if quick else slow_ps


def _humps(histogram: Histogram, found: Search, times: Floats) -> ShapeAverage:
    counts, level, edges = histogram
    decay_ps, smear = found.best
    columns = [stacked(_columns(float(time))(edges, decay_ps, [smear])) for time in times]
    return ShapeAverage(
        counts, level, np.concatenate(columns), np.ones(len(times)), found.average.fitted
    )
