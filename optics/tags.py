"""Time tags as they come from any source: a recording or the tagger itself."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from optics.native import Int64s, UInt8s

SYNC_RECORD = 64  # stands for the sync records of a T2 file, whose inputs are numbered 0 to 63


class Tags(NamedTuple):
    """A run of tags, sorted by time unless the recording itself is not."""

    time_ps: Int64s
    channel: UInt8s
    since_sync_ps: Int64s | None = None


class TagSource(Protocol):
    """Where tags come from; what is odd about it is told in `warnings` once it was read."""

    warnings: list[str]
    tags_promised: int  # 0 until known
    sync_record: int | None  # the channel that stands for sync records, which are no clicks
    sync_period_ps: float | None
    since_sync_step_ps: float

    def chunks(self) -> Iterator[Tags]:
        """All tags from the first on, in chunks that fit a processor's cache."""


class BadTags(Exception):
    """These tags cannot be used: what, where in the file, and what to do, in one line."""
