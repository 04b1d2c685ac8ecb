"""g2(0) of a light source from counted pairs, with error, bounds and what was taken out."""

import math
from typing import NamedTuple

from optics.corrections import (
    Correction,
    Lights,
    without_afterpulses,
    without_background,
    without_dead_time,
)
from optics.decay_fit import Decay
from optics.decay_search import Smears
from optics.decay_shapes import Smear
from optics.g2_fit import DipFit, coarser_away, fit_dip, unknown_spread
from optics.photon_count import Tally
from optics.pulsed_peaks import PeakFit, PeakTrain, fit_peaks
from optics.same_channel import Detector
from optics.shape_average import Estimate

FEWEST_PAIRS = 10.0  # uncorrelated ones expected in the window that is fitted
CLEAR_DIP = 3.0  # standard deviations, from which a dip has a time constant
CLEAR_DECAY = 0.5  # largest relative error of one
FIT_BIN_PS = 100
# Shares of slow clicks in a pair of detectors, and how many cores long their tails are: each alike,
# as is a detector without.
TAILS = ((0.0, 1.0), *((share, ratio) for share in (0.15, 0.35) for ratio in (1.0, 2.0, 4.0)))


class Known(NamedTuple):
    """What the user knows of the detectors and the light, and wants taken out."""

    jitter_ps: float | None = None
    lights: Lights | None = None

    @property
    def anything(self) -> bool:
        return self != Known()


class TooFewPhotons(Exception):
    """Nothing can be said from so few pairs."""


class Lifetime(NamedTuple):
    """A decay time and its standard deviation."""

    value_ps: float
    error_ps: float

    @classmethod
    def of(cls, log_decay: Estimate) -> "Lifetime | None":
        """From its logarithm; none where the counts do not tell it."""
        if not 0 < log_decay.error < CLEAR_DECAY:
            return None
        value = math.exp(log_decay.value)
        return cls(value, value * log_decay.error)


class Measured(NamedTuple):
    """What a fit says: as measured, without the detectors' spread, and g2 a little beside."""

    raw: Estimate
    unsmeared: Estimate
    beside: float
    neighbours: float | None
    lifetime: Lifetime | None
    fit: DipFit | PeakFit
    decay: Decay | None


class PhotonStatistics(NamedTuple):
    """The answer."""

    g2_zero: Estimate
    measured: Measured
    corrections: list[Correction]


def evaluate(tally: Tally, known: Known, *, find_centre: bool) -> PhotonStatistics:
    """g2(0) with all that is known taken out; `find_centre` where zero delay itself was found."""
    if tally.duration_ps <= tally.histogram.edges[-1]:
        raise TooFewPhotons("shorter than what g2 is fitted over; record longer")
    if tally.histogram.level.sum() < FEWEST_PAIRS:
        raise TooFewPhotons("fewer than ten pairs to be expected; record longer")
    if tally.period_ps:
        measured = _pulsed(tally, known, tally.period_ps)
    else:
        measured = _continuous(tally, known, find_centre=find_centre)
    value, corrections = measured.raw, list[Correction]()
    if known.jitter_ps is not None:
        value = measured.unsmeared
        size = value.value - measured.raw.value
        corrections.append(Correction("jitter", size, True, {"sigma_ps": known.jitter_ps}))
    if tally.detectors:
        value, more = _without_detectors(value, measured.beside, tally.detectors, known)
        corrections += more
    if known.lights:
        rates = [clicks / tally.duration_ps * 1e12 for clicks in tally.clicks]
        value, more = without_background(value, known.lights, rates, tally.detectors)
        corrections += more
    return PhotonStatistics(value, measured, corrections)


def _without_detectors(
    value: Estimate, beside: float, detectors: list[Detector], known: Known
) -> tuple[Estimate, list[Correction]]:
    """Dead time and afterpulses: their sizes are always told, and taken out if anything is."""
    rested, dead_time = without_dead_time(value, beside, detectors)
    clean, afterpulses = without_afterpulses(rested, beside, detectors)
    if known.anything:
        return clean, [dead_time, afterpulses]
    return value, [part._replace(applied=False) for part in (dead_time, afterpulses)]


def _continuous(tally: Tally, known: Known, *, find_centre: bool) -> Measured:
    histogram = tally.histogram
    joined = max(1, int(FIT_BIN_PS / (histogram.edges[1] - histogram.edges[0])))
    near = coarser_away(histogram.part(0, len(histogram.counts), joined))
    raw = fit_dip(near, unknown_spread(), find_centre=find_centre)
    true = raw
    if known.jitter_ps is not None:
        centred = near.moved(raw.centre_ps)
        true = fit_dip(centred, _spreads(known.jitter_ps), find_centre=False)
    clear = true.depth.value > CLEAR_DIP * true.depth.error
    return Measured(
        raw=raw.at_zero,
        unsmeared=true.unsmeared,
        beside=true.beside,
        neighbours=None,
        lifetime=Lifetime.of(true.log_decay) if clear else None,
        fit=true,
        decay=None,
    )


def _spreads(jitter_ps: float) -> Smears:
    """Of the difference of two detectors: Gaussian, or the same width with slow clicks in it."""
    pair_ps = math.sqrt(2) * jitter_ps
    choices = [Smear.of(pair_ps, share, ratio) for share, ratio in TAILS]
    return Smears(choices, [1 / len(choices)] * len(choices))


def _pulsed(tally: Tally, known: Known, period_ps: float) -> Measured:
    train = PeakTrain(tally.histogram, period_ps)
    spread = unknown_spread() if known.jitter_ps is None else _spreads(known.jitter_ps)
    found = fit_peaks(train, spread)
    lifetime = Lifetime.of(found.log_decay)
    if tally.decay is not None:
        lifetime = Lifetime.of(tally.decay.log_decay)
    return Measured(
        raw=found.at_zero,
        unsmeared=found.at_zero,
        beside=found.neighbours,
        neighbours=found.at_zero.value / found.neighbours if found.neighbours > 0 else None,
        lifetime=lifetime,
        fit=found,
        decay=tally.decay,
    )
