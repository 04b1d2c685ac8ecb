"""g2(0) as it is now: tags come in runs, what is older than a while is forgotten."""

from collections import deque
from typing import NamedTuple

import numpy as np

from optics.bearings import FirstLook
from optics.clicks import Separator
from optics.close_pairs import Pairs
from optics.corrections import NothingLeft
from optics.correlator import Binning
from optics.decay_search import Histogram
from optics.native import Int64s
from optics.photon_count import Tally, fitted_binning, level
from optics.photon_statistics import Known, PhotonStatistics, TooFewPhotons, evaluate
from optics.poisson_bounds import Floats
from optics.quantities import TagRun
from optics.same_channel import SameChannel
from optics.tags import Tags

PS = 1e12
BIN_PS = 100
SLOTS = 16  # steps in which old counts are forgotten; each costs one histogram of memory
OWN_PAIRS = 5e6


class Look(NamedTuple):
    """Where pairs are to be counted, and what is known of detectors and light."""

    delay_ps: int = 0
    period_ps: float | None = None  # None under continuous light
    find_centre: bool = False  # where the delay is good to a nanosecond only
    channels: tuple[int, int] = (0, 1)
    known: Known = Known()


class PurityNow(NamedTuple):
    """The newest estimate, of light that was seen between two instants."""

    statistics: PhotonStatistics
    since_s: float
    until_s: float
    counted_s: float
    lost: int  # clicks that the tagger dropped; holes make g2 look larger, never smaller


class _Mark(NamedTuple):
    """Everything counted up to an instant."""

    counts: Int64s
    level: Floats
    clicks: tuple[int, int]
    counted_s: float
    lost: int
    ended_s: float


class LivePurity:
    """Counts run after run, each by itself, so that gaps between them do no harm.

    A run is held against its own mean rates: what drifts from one to the next is no bunching.
    """

    def __init__(self, look: Look, over_s: float = 60.0) -> None:
        self._look, self._over_s = look, over_s
        self._binning = fitted_binning(Binning(BIN_PS, BIN_PS), look.period_ps)
        self._pairs = Pairs(self._binning, look.delay_ps)
        self._own = SameChannel(look.delay_ps, OWN_PAIRS)
        self._marks: deque[_Mark] = deque()

    def add(self, run: TagRun, ended_s: float) -> None:
        """One more run, and when it ended; BadTags where its tags are out of order."""
        separator = Separator(*self._look.channels, None, sync_counts=True)
        clicks = separator.take(Tags(run.time_ps, run.channel))
        self._pairs.add(clicks)
        self._own.add(clicks)
        self._own.pause()
        if not self._marks:
            none = np.zeros(self._binning.bins)
            began_s = ended_s - run.counted_s
            self._marks.append(_Mark(none.astype(np.int64), none, (0, 0), 0.0, 0, began_s))
        self._mark(run, (separator.clicks[0], separator.clicks[1]), ended_s)

    def _mark(self, run: TagRun, clicks: tuple[int, int], ended_s: float) -> None:
        before = self._marks[-1]
        one = level(self._binning, clicks, max(round(run.counted_s * PS), 1))
        crowded = len(self._marks) > 1 and (
            before.ended_s - self._marks[-2].ended_s < self._over_s / SLOTS
        )
        if crowded:
            self._marks.pop()
        self._marks.append(
            _Mark(
                self._pairs.finish().copy(),
                before.level + one,
                (before.clicks[0] + clicks[0], before.clicks[1] + clicks[1]),
                before.counted_s + run.counted_s,
                before.lost + run.lost,
                ended_s,
            )
        )
        while len(self._marks) > 2 and self._marks[1].ended_s <= ended_s - self._over_s:
            self._marks.popleft()

    @property
    def expected_pairs(self) -> float:
        """At zero delay, if g2 were 1: within a pulse, or within a dip of two nanoseconds."""
        if not self._marks:
            return 0.0
        middle = self._marks[-1].level[self._binning.reach]
        middle -= self._marks[0].level[self._binning.reach]
        return float(middle) * (self._look.period_ps or 4e3) / self._binning.bin_ps

    def purity(self) -> PurityNow | None:
        """What the runs of the last while say; None when they say nothing yet."""
        if len(self._marks) < 2:
            return None
        first, last = self._marks[0], self._marks[-1]
        try:
            found = evaluate(self._tally(), self._look.known, find_centre=self._look.find_centre)
        except (TooFewPhotons, NothingLeft):
            return None
        counted_s = last.counted_s - first.counted_s
        return PurityNow(found, first.ended_s, last.ended_s, counted_s, last.lost - first.lost)

    def _tally(self) -> Tally:
        first, last = self._marks[0], self._marks[-1]
        counts = (last.counts - first.counts).astype(np.float64)
        return Tally(
            (last.clicks[0] - first.clicks[0], last.clicks[1] - first.clicks[1]),
            round((last.counted_s - first.counted_s) * PS),
            Histogram(counts, last.level - first.level, self._binning.edges_ps),
            self._look.period_ps,
            self._own.detectors(self._look.period_ps),
        )


def look_around(run: TagRun, known: Known = Known(), *, pulsed: bool | None = None) -> Look:  # noqa: B008
    """Where zero delay and the pulses are, as far as a run of tags can tell."""
    look = FirstLook(Separator(0, 1, None, sync_counts=True), None, pulsed=pulsed)
    found = look.through([Tags(run.time_ps, run.channel)])
    delay = found.delay
    return Look(delay.delay_ps, found.period_ps, find_centre=delay.found, known=known)
