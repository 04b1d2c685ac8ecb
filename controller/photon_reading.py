"""Reads a recording of time tags twice: to get its bearings, then to count."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from controller.commands.progress import Progress
from controller.photon_report import Outcome
from optics.bearings import Bearings, FirstLook, census, sync_period, two_channels
from optics.clicks import Separator
from optics.correlator import Binning
from optics.delay_search import Evidence
from optics.photon_count import PhotonCount, Setting
from optics.photon_statistics import Known, TooFewPhotons, evaluate
from optics.tag_files import open_tags
from optics.tags import BadTags, Tags

WINDOW_PS, PERIODS_SHOWN = 100_000, 6.5
FEW_OWN_PAIRS, ALL_OWN_PAIRS = 5e6, 1e12


class Question(NamedTuple):
    """What the command line asks; None is to be found out."""

    tags: Path
    channels: tuple[int, int] | None
    sync: int | None
    bin_ps: int
    window_ps: int | None
    mode: str | None
    delay_ps: int | None
    known: Known


def measure(question: Question) -> Outcome:
    """Everything there is to know; BadTags or TooFewPhotons say why not."""
    recording = _Recording(question)
    bearings = recording.bearings()
    count = PhotonCount(recording.setting(bearings))
    for tags in recording.chunks():
        count.add(tags)
    count.finish()
    recording.check(count)
    found = question.delay_ps is None
    statistics = evaluate(count.tally(), question.known, find_centre=found)
    delay = bearings.delay if found else None
    return Outcome(count, statistics, delay, recording.source.warnings)


class _Recording:
    """A file of tags and what is asked of it."""

    def __init__(self, question: Question) -> None:
        self._asked = question
        self.source = open_tags(question.tags)
        if question.sync is not None and self.source.sync_period_ps is not None:
            raise BadTags("T3 records hold their sync themselves; leave --sync out")

    def chunks(self) -> Iterator[Tags]:
        """All tags, with the progress told."""
        progress, seen = Progress("reading"), 0
        for tags in self.source.chunks():
            yield tags
            seen += len(tags.time_ps)
            progress.at(seen / max(1, self.source.tags_promised))
        progress.done()

    @cached_property
    def _sync(self) -> int | None:
        return self.source.sync_record if self._asked.sync is None else self._asked.sync

    @cached_property
    def _channels(self) -> tuple[int, int]:
        if self._asked.channels is not None:
            return self._asked.channels
        found = two_channels(self.source.chunks(), self._sync)
        if not found:
            raise TooFewPhotons("no clicks")
        if len(found) == 1:
            raise BadTags(f"only channel {found[0]} clicks; g2 needs two detectors in one file")
        return found[0], found[1]

    def _separator(self) -> Separator:
        counts = self._asked.sync is not None
        return Separator(*self._channels, self._sync, sync_counts=counts)

    def bearings(self) -> Bearings:
        """Where zero delay and the pulses are, as asked or as found."""
        asked = self._asked
        period_ps = self.source.sync_period_ps
        if asked.sync is not None:
            period_ps = sync_period(self.source.chunks(), asked.sync)
            if period_ps is None:
                raise BadTags(f"sync channel {asked.sync} does not tick; name another with --sync")
        pulsed = asked.mode == "pulsed" if asked.mode else None
        if asked.delay_ps is not None and (pulsed is False or period_ps is not None):
            return Bearings(None if pulsed is False else period_ps, Evidence(0, 0.0, found=False))
        look = FirstLook(self._separator(), period_ps, pulsed=pulsed)
        found = look.through(self.source.chunks())
        if pulsed and found.period_ps is None:
            raise TooFewPhotons("no pulses to be seen; give the laser's --sync, or --mode cw")
        return found

    def setting(self, bearings: Bearings) -> Setting:
        """What to count."""
        asked, period_ps = self._asked, bearings.period_ps
        window_ps = asked.window_ps or max(WINDOW_PS, round(PERIODS_SHOWN * (period_ps or 0.0)))
        return Setting(
            channels=self._channels,
            delay_ps=bearings.delay.delay_ps if asked.delay_ps is None else asked.delay_ps,
            shown=Binning(asked.bin_ps, window_ps),
            period_ps=period_ps,
            sync=self._sync,
            sync_counts=asked.sync is not None,
            since_sync_step_ps=self.source.since_sync_step_ps,
            own_pairs=ALL_OWN_PAIRS if asked.known.anything else FEW_OWN_PAIRS,
        )

    def check(self, count: PhotonCount) -> None:
        """That the channels counted are those that were meant."""
        if all(count.clicks) and (self._asked.channels or not count.others):
            return
        clicks = census(self.source.chunks())
        there = ", ".join(f"{n} on {channel}" for channel, n in clicks.items())
        if not all(count.clicks):
            silent = self._channels[0 if not count.clicks[0] else 1]
            raise BadTags(f"channel {silent} has no clicks ({there or 'none at all'})")
        raise BadTags(f"more than two channels click ({there}); choose with --channels A,B")
