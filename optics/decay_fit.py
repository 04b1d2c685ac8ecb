"""Lifetime from the time between sync and click."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optics.decay_search import Goodness, Histogram, Model, Smears, goodness, search
from optics.decay_shapes import Smear
from optics.native import Int64s, Native, UInt8s
from optics.poisson_bounds import Floats
from optics.shape_average import Estimate
from optics.tags import Tags

BINS = 256
PERIODS_KEPT = 4
MOST_BINS = 1 << 17
RISE = 0.2  # of the peak, where its flank begins
AFTER_PEAK = 2.0  # flanks, after which only a tail of the response may be left
TAILS_PS = (150.0, 250.0, 400.0, 600.0, 900.0)
RESPONSES = Smears(
    [Smear(0.0), *(Smear(0.0, 1.0, tail) for tail in TAILS_PS)], [1.0] + [0.2] * len(TAILS_PS)
)
CLOSEST = 0.8  # of the decay time: a tail nearer to it cannot be told from it
FEWEST_CLICKS, FEWEST_IN_TAIL = 1000, 100
EVIDENCE = 5.0


class Decay(NamedTuple):
    """Exponential decay after the pulse, both arms together."""

    log_decay: Estimate
    goodness: Goodness


class DecayHistogram:
    """Times since the last sync, for both arms."""

    def __init__(self, channels: tuple[int, int], period_ps: float, step_ps: float) -> None:
        self._channels, self._period_ps = channels, period_ps
        whole = step_ps >= 1 and step_ps == int(step_ps)
        self._width = int(step_ps) if whole and step_ps > 1 else 1
        bins = min(MOST_BINS, int(PERIODS_KEPT * period_ps / self._width) + 1)
        self._counts = np.zeros((2, bins), np.int64)

    def add(self, tags: Tags) -> None:
        """More tags, which know their time since the sync."""
        if tags.since_sync_ps is None:
            return
        for arm, channel in enumerate(self._channels):
            count_delays(
                tags.since_sync_ps, tags.channel, len(tags.channel), channel,
                self._width, self._counts.shape[1], self._counts[arm],
            )  # fmt: skip

    def folded(self, arm: int) -> Floats:
        """Laid into one period."""
        edges = np.arange(self._counts.shape[1] + 1) * float(self._width)
        below = np.concatenate([[0.0], np.cumsum(self._counts[arm])])
        at = np.arange(PERIODS_KEPT * BINS + 1) * (self._period_ps / BINS)
        counts: Floats = np.diff(np.interp(at, edges, below)).reshape(-1, BINS).sum(0)
        return counts

    def decay(self) -> Decay | None:
        """The lifetime, if there is one to be seen."""
        arms = [self.folded(arm) for arm in (0, 1)]
        if min(arm.sum() for arm in arms) < FEWEST_CLICKS:
            return None
        return _fitted([_tail(arm) for arm in arms], self._period_ps / BINS)


class SyncClock:
    """Tells each tag how long ago the last sync was; the tags themselves hold the syncs."""

    def __init__(self, sync: int) -> None:
        self._sync = sync
        self._last = np.zeros(2, np.int64)

    def timed(self, tags: Tags) -> Tags:
        """The same tags with that time; below zero before the first sync."""
        since = np.empty(len(tags.time_ps), np.int64)
        times, channels = np.ascontiguousarray(tags.time_ps), np.ascontiguousarray(tags.channel)
        time_since(times, channels, len(since), self._sync, self._last, since)
        return tags._replace(since_sync_ps=since)


def _tail(counts: Floats) -> Floats:
    """From where the core of the response has passed up to the next flank."""
    smooth = (np.roll(counts, 1) + counts + np.roll(counts, -1)) / 3
    peak = int(np.argmax(smooth))
    turned = np.roll(smooth, -peak)  # the peak first, its flank at the end
    base = float(np.median(np.sort(turned)[: BINS // 10]))
    high = np.flatnonzero(turned[::-1] < base + RISE * (turned[0] - base))
    flank = max(1, int(high[0]) + 1) if len(high) else BINS
    tail: Floats = np.roll(counts, -peak)[math.ceil(AFTER_PEAK * flank) : BINS - 2 * flank]
    return tail


def _fitted(tails: list[Floats], width_ps: float) -> Decay | None:
    """One decay time for both arms; each has its own height and level, and tail of its response."""
    if min(tail.sum() for tail in tails) < FEWEST_IN_TAIL:
        return None
    counts = np.concatenate(tails)
    place = np.concatenate([np.arange(len(tail)) for tail in tails]) * width_ps
    first = np.repeat([1.0, 0.0], [len(tail) for tail in tails])

    def columns(_: Floats, decay_ps: float, responses: Sequence[Smear]) -> list[Floats]:
        tails_ps = [response.tail_ps for response in responses]
        told = [0 < tail_ps < CLOSEST * decay_ps for tail_ps in tails_ps]
        late = [
            np.exp(-place / tail_ps) if apart else np.zeros(len(place))
            for tail_ps, apart in zip(tails_ps, told, strict=True)
        ]
        falls = (np.exp(-place / decay_ps), np.array(late), np.ones(len(place)))
        return [arm * fall for fall in falls for arm in (first, 1 - first)]

    histogram = Histogram(counts, np.full(len(counts), counts.mean()), place)
    found = search(histogram, Model(columns), RESPONSES, (width_ps, 2 * width_ps * BINS))
    reading = np.tile([1.0, 1.0, 0.0, 0.0, 0.0, 0.0], (len(found.average.share), 1))
    height = found.average.of_coefficients(reading)
    if height.value < EVIDENCE * height.error:
        return None
    return Decay(found.log_decay, goodness(histogram, found.average.fitted, 7))


@Native
def count_delays(
    since: Int64s, channels: UInt8s, n: int, channel: int, width: int, bins: int, counts: Int64s
) -> int:
    """Add one to the bin of each of a channel's delays; those outside are left out."""
    for i in range(n):
        if (channels[i] == channel) & (since[i] >= 0):
            k = since[i] // width
            if k < bins:
                counts[k] += 1
    return n


@Native
def time_since(
    times: Int64s, channels: UInt8s, n: int, sync: int, last: Int64s, since: Int64s
) -> int:
    """Time since the last tag of the channel `sync`; -1 before the first."""
    before = last[0]
    known = last[1]
    for i in range(n):
        if channels[i] == sync:
            before = times[i]
            known = 1
        since[i] = (times[i] - before + 1) * known - 1
    last[0] = before
    last[1] = known
    return n
