"""The first look at a recording: which channels click, where zero delay lies, pulses or not."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from optics.clicks import Separator
from optics.correlator import PairCounter
from optics.decay_search import Histogram
from optics.delay_search import WIDE, Evidence, dip, missing_peak, pulse_period
from optics.g2_fit import coarser_away, fit_dip, unknown_spread
from optics.native import Int64s
from optics.tags import Tags

PAIRS_TO_LOOK = 500_000  # before the first judgement; each further one has twice as many
PAIRS_ENOUGH = 8_000_000  # to see a dip of a twentieth; more would cost more than it tells
CLEAR_SIGMAS = 25.0  # from which on zero delay is known to a fraction of a dip or peak
SYNCS_ENOUGH = 1000
DIVIDED = 1e-3  # how well a divided sync's period must agree with that of the pulses


class Bearings(NamedTuple):
    """Where pairs are to be counted."""

    period_ps: float | None
    delay: Evidence


class FirstLook:
    """Counts pairs far around zero until it knows, or until more would not help."""

    def __init__(
        self, separator: Separator, sync_period_ps: float | None, *, pulsed: bool | None
    ) -> None:
        self._separator, self._pulsed = separator, pulsed
        self._sync_period_ps = None if pulsed is False else sync_period_ps
        self._pairs = PairCounter(WIDE)
        self._look_at = PAIRS_TO_LOOK

    def through(self, chunks: Iterable[Tags]) -> Bearings:
        """As many chunks as it takes."""
        for tags in chunks:
            clicks = self._separator.take(tags)
            self._pairs.add(clicks.a_ps, clicks.b_ps, clicks.until_ps)
            seen = int(self._pairs.counts.sum())
            if seen >= PAIRS_ENOUGH:
                break
            if seen >= self._look_at:
                self._look_at = 2 * seen
                bearings = self._judged()
                if bearings.delay.sigmas > CLEAR_SIGMAS:
                    return bearings
        else:
            self._pairs.finish()
        return self._judged()

    def _judged(self) -> Bearings:
        counts = self._pairs.counts
        period_ps = pulse_period(counts) if self._pulsed is not False else None
        if self._sync_period_ps is not None:
            period_ps = _whole_part(self._sync_period_ps, period_ps)
        if period_ps is not None:
            return Bearings(period_ps, missing_peak(counts, period_ps))
        return Bearings(None, _centred(dip(counts), counts))


def _centred(found: Evidence, counts: Int64s) -> Evidence:
    """Zero delay moved to the middle of the dip."""
    if not found.found:
        return found
    level = np.full(WIDE.bins, counts.mean())
    around = Histogram(counts.astype(np.float64), level, WIDE.edges_ps).moved(found.delay_ps)
    fit = fit_dip(coarser_away(around), unknown_spread(), find_centre=True)
    return found._replace(delay_ps=found.delay_ps + round(fit.centre_ps))


def _whole_part(sync_ps: float, seen_ps: float | None) -> float:
    """The sync's period, or what it holds several of if every so many pulses made a sync."""
    pulses = round(sync_ps / seen_ps) if seen_ps else 1
    if seen_ps is None or pulses < 2 or abs(sync_ps / pulses / seen_ps - 1) > DIVIDED:
        return sync_ps
    return sync_ps / pulses


def two_channels(chunks: Iterable[Tags], apart: int | None) -> list[int]:
    """The channels that click, `apart` from one; ends as soon as there are two."""
    found = np.zeros(256, bool)
    for tags in chunks:
        found[tags.channel] = True
        if apart is not None:
            found[apart] = False
        if found.sum() >= 2:
            break
    return [int(channel) for channel in np.flatnonzero(found)]


def census(chunks: Iterable[Tags]) -> dict[int, int]:
    """How many tags each channel has."""
    counts = np.zeros(256, np.int64)
    for tags in chunks:
        counts += np.bincount(tags.channel, minlength=256)
    return {int(channel): int(counts[channel]) for channel in np.flatnonzero(counts)}


def sync_period(chunks: Iterable[Tags], sync: int) -> float | None:
    """Mean distance of a sync channel's tags in ps; missing ones do not count."""
    times = np.empty(0, np.int64)
    for tags in chunks:
        times = np.concatenate([times, tags.time_ps[tags.channel == sync]])
        if len(times) > SYNCS_ENOUGH:
            break
    if len(times) < 2:
        return None
    steps = np.diff(times)
    typical = float(np.median(steps))
    if typical <= 0:
        return None
    return float((times[-1] - times[0]) / np.rint((times[-1] - times[0]) / typical))
