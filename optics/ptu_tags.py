"""Time tags in PicoQuant's .ptu: T2 and T3 records of all their counters."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from optics.native import UInt32s
from optics.ptu_decoders import (
    LATEST_PS,
    PICOSECONDS,
    T2,
    T3,
    Decoded,
    Decoder,
    T2Decoder,
    T3Decoder,
    Unit,
)
from optics.ptu_header import read_header
from optics.tags import SYNC_RECORD, BadTags, Tags

CHUNK_RECORDS = 1 << 16
DAY_S = 86400


class PtuTags:
    """A .ptu file; never more of it in memory than a chunk and what a T3 decay time reaches."""

    def __init__(self, path: Path) -> None:
        self._path, self._header = path, read_header(path)
        self._kind = self._header.record_type
        if self._kind not in {*T2, *T3}:
            raise BadTags(f"record type {self._kind:#x} is unknown; save it as T2 or T3")
        self._tick = self._unit("MeasDesc_GlobalResolution", self._header.global_resolution_s)
        self.sync_record = None if self._kind in T3 else SYNC_RECORD
        self.sync_period_ps: float | None = None
        self.since_sync_step_ps = 1.0
        if self._kind in T3:
            self._step = self._unit("MeasDesc_Resolution", self._header.resolution_s)
            self.sync_period_ps, self.since_sync_step_ps = sum(self._tick), sum(self._step)
        self.warnings: list[str] = []
        self.tags_promised = self._to_read()

    def chunks(self) -> Iterator[Tags]:
        """All clicks, sorted; in T2 the sync records too, as channel SYNC_RECORD."""
        if self._kind in T3:
            return in_order(self._decoded(T3Decoder(self._kind, self._tick, self._step)))
        return (found.tags for found in self._decoded(T2Decoder(self._kind, self._tick)))

    def _unit(self, name: str, seconds: float) -> Unit:
        if not 1e-16 < seconds < 1e3:  # nor NaN
            raise BadTags(f"{name} is {seconds} s; export the file again")
        return Unit.of(seconds)

    def _to_read(self) -> int:
        """How many records; what the header promises is compared with what there is."""
        promised = self._header.records
        held, rest = divmod(self._path.stat().st_size - self._header.offset, 4)
        if promised > held:
            where = " inside a record" if rest else ""
            self.warnings.append(f"cut off{where}: {held} of {promised} records are there and used")
        elif promised <= 0:
            self.warnings.append(f"header promises no records; all {held} are used")
            return held
        elif promised < held:
            self.warnings.append(f"holds {held} records but promises {promised}; those are used")
        return min(promised, held)

    def _decoded(self, decoder: Decoder) -> Iterator[Decoded]:
        for records in self._blocks():
            found = decoder.decode(records)
            if decoder.overrun:
                days = LATEST_PS / PICOSECONDS / DAY_S
                raise BadTags(f"clock runs past {days:.0f} days; copy the file again")
            yield found

    def _blocks(self) -> Iterator[UInt32s]:
        block = np.empty(CHUNK_RECORDS, np.uint32)  # as the file, on a little-endian machine
        with self._path.open("rb", buffering=0) as stream:
            stream.seek(self._header.offset)
            for start in range(0, self.tags_promised, CHUNK_RECORDS):
                part = block[: min(CHUNK_RECORDS, self.tags_promised - start)]
                if stream.readinto(part.view(np.uint8).data) < part.nbytes:
                    raise BadTags("shrinks while it is read; wait for its writer")
                yield part


def in_order(found: Iterable[Decoded]) -> Iterator[Tags]:
    """Sorted by time; those that a later block may still precede wait for it."""
    waiting: Tags | None = None
    for tags, horizon_ps in found:
        together = _sorted(_joined(waiting, tags) if waiting else tags)
        ready = int(np.searchsorted(together.time_ps, horizon_ps))
        yield _part(together, slice(ready))
        waiting = _part(together, slice(ready, None))
    if waiting:
        yield waiting


def _part(tags: Tags, part: slice | np.ndarray[tuple[int], np.dtype[np.intp]]) -> Tags:
    since = None if tags.since_sync_ps is None else tags.since_sync_ps[part]
    return Tags(tags.time_ps[part], tags.channel[part], since)


def _joined(first: Tags, then: Tags) -> Tags:
    since = None
    if first.since_sync_ps is not None and then.since_sync_ps is not None:
        since = np.concatenate([first.since_sync_ps, then.since_sync_ps])
    times = np.concatenate([first.time_ps, then.time_ps])
    return Tags(times, np.concatenate([first.channel, then.channel]), since)


def _sorted(tags: Tags) -> Tags:
    if np.all(tags.time_ps[1:] >= tags.time_ps[:-1]):
        return tags
    return _part(tags, np.argsort(tags.time_ps, kind="stable"))
