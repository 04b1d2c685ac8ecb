"""One pass over tags: everything that photon statistics are made of, in bounded memory."""

from typing import NamedTuple

import numpy as np

from optics.clicks import Separator
from optics.close_pairs import Pairs
from optics.correlator import Binning
from optics.decay_fit import Decay, DecayHistogram, SyncClock
from optics.decay_search import Histogram
from optics.native import Int64s
from optics.poisson_bounds import Floats
from optics.rate_trace import RateTrace
from optics.same_channel import Detector, SameChannel
from optics.tags import Tags

FINE_PS, FINEST_ODD_PART = 200, 2001
DIP_WINDOW_PS = 100_000
PEAK_PERIODS = 6.6
MOST_BINS = 200_000


class Setting(NamedTuple):
    """What to count: channels, zero delay, the histogram to show, the pulses if there are any."""

    channels: tuple[int, int]
    delay_ps: int
    shown: Binning
    period_ps: float | None = None
    sync: int | None = None  # a channel or sync record among the tags
    sync_counts: bool = True  # as a tag
    since_sync_step_ps: float = 1.0
    own_pairs: float = 5e6  # within each channel, after which dead time and the like are known


class Tally(NamedTuple):
    """What was counted, ready to be judged."""

    clicks: tuple[int, int]
    duration_ps: int
    histogram: Histogram
    period_ps: float | None = None
    detectors: list[Detector] | None = None
    decay: Decay | None = None


def level(binning: Binning, clicks: tuple[int, int], duration_ps: int) -> Floats:
    """Pairs in each bin if g2 were 1: N_A N_B bin / T (1 - |tau| / T)."""
    share = np.maximum(1 - np.abs(binning.tau_ps) / duration_ps, 0)
    first, second = map(float, clicks)
    pairs: Floats = first * second * binning.bin_ps / duration_ps * share
    return pairs


def fitted_binning(shown: Binning, period_ps: float | None) -> Binning:
    """Fine and wide enough for a fit; where an odd part of the bins shown can be, that."""
    needed_ps = round(PEAK_PERIODS * period_ps) if period_ps else DIP_WINDOW_PS
    parts = (part for part in range(1, FINEST_ODD_PART, 2) if shown.bin_ps % part == 0)
    fine = next((shown.bin_ps // part for part in parts if shown.bin_ps // part <= FINE_PS), None)
    if fine is None:
        return Binning(FINE_PS // 2, needed_ps)
    wanted_ps = max(needed_ps, shown.reach * shown.bin_ps + shown.bin_ps // 2)
    return Binning(fine, wanted_ps if wanted_ps < MOST_BINS // 2 * fine else needed_ps)


class PhotonCount:
    """Counts while tags come; what it found can be read once `finish` was called."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.trace = RateTrace()
        self.same_channel = SameChannel(setting.delay_ps, setting.own_pairs)
        self.decay: DecayHistogram | None = None
        self._separator = Separator(
            *setting.channels, setting.sync, sync_counts=setting.sync_counts
        )
        fine = fitted_binning(setting.shown, setting.period_ps)
        self._counters = [Pairs(fine, setting.delay_ps)]
        if _summed(self._counters[0], setting.shown) is None:
            self._counters.append(Pairs(setting.shown, setting.delay_ps))
        self._sync_clock = None if setting.sync is None else SyncClock(setting.sync)
        if setting.period_ps:
            self.decay = DecayHistogram(
                setting.channels, setting.period_ps, setting.since_sync_step_ps
            )

    def add(self, tags: Tags) -> None:
        """The next chunk."""
        clicks = self._separator.take(tags)
        for counter in self._counters:
            counter.add(clicks)
        self.same_channel.add(clicks)
        self.trace.add(clicks)
        if self.decay is not None:
            self.decay.add(self._sync_clock.timed(tags) if self._sync_clock else tags)

    def finish(self) -> None:
        """No more tags will come."""
        for counter in self._counters:
            counter.finish()

    @property
    def clicks(self) -> tuple[int, int]:
        first, second = self._separator.clicks
        return first, second

    @property
    def others(self) -> int:
        """Clicks of channels that were not asked for."""
        return self._separator.others

    @property
    def duration_ps(self) -> int:
        return self._separator.duration_ps

    @property
    def norm(self) -> Floats:
        """What the bins that were asked for would hold if g2 were 1."""
        return level(self.setting.shown, self.clicks, self.duration_ps)

    @property
    def shown(self) -> Int64s:
        """Counts in the bins that were asked for."""
        summed = _summed(self._counters[0], self.setting.shown)
        return self._counters[-1].counts if summed is None else summed

    def tally(self) -> Tally:
        """All of it; there is nothing to tell before the second tag."""
        counter, period_ps = self._counters[0], self.setting.period_ps
        one = level(counter.binning, self.clicks, max(self.duration_ps, 1))
        return Tally(
            self.clicks,
            self.duration_ps,
            Histogram(counter.counts.astype(np.float64), one, counter.binning.edges_ps),
            period_ps,
            self.same_channel.detectors(period_ps),
            self.decay.decay() if self.decay else None,
        )


def _summed(counter: Pairs, shown: Binning) -> Int64s | None:
    """The counts in wider bins, if those are made up of whole ones."""
    parts, rest = divmod(shown.bin_ps, counter.binning.bin_ps)
    start = counter.binning.reach - shown.reach * parts - parts // 2
    if rest or parts % 2 == 0 or start < 0:
        return None
    inside = counter.counts[start : start + shown.bins * parts]
    summed: Int64s = inside.reshape(shown.bins, parts).sum(1)
    return summed
