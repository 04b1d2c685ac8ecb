"""The clicks of two detectors, taken out of a stream of tags: their order checked, all counted."""

from typing import NamedTuple

import numpy as np

from optics.native import Int64s, Native, UInt8s
from optics.tags import BadTags, Tags

LONGEST_PS = 1 << 62
DAY_PS = 86_400 * 10**12
NO_CHANNEL = -1


class Clicks(NamedTuple):
    """Sorted times since the first tag; no later chunk holds any before `until_ps`."""

    a_ps: Int64s
    b_ps: Int64s
    until_ps: int


class Separator:
    """Takes the clicks of two channels out of chunk after chunk."""

    def __init__(self, a: int, b: int, sync: int | None, *, sync_counts: bool) -> None:
        self.clicks = [0, 0]
        self.others = 0  # neither of the two, nor sync
        self._a, self._b, self._sync = a, b, NO_CHANNEL if sync is None else sync
        self._sync_counts = sync_counts  # as a tag, by which the duration is measured
        self._seen = 0
        self._origin_ps = 0
        self._first_ps: int | None = None
        self._last_ps = 0
        self._until_ps = 0

    @property
    def duration_ps(self) -> int:
        """From the first tag to the last."""
        return 0 if self._first_ps is None else self._last_ps - self._first_ps

    def take(self, tags: Tags) -> Clicks:
        """The clicks in the next chunk; BadTags where time runs backwards or too far."""
        n = len(tags.time_ps)
        if n and not self._seen:
            self._origin_ps = int(tags.time_ps[0])
        if n and int(tags.time_ps[-1]) - self._origin_ps > LONGEST_PS:
            days = LONGEST_PS // DAY_PS
            raise BadTags(f"tag {self._seen + n - 1} is {days} days after the first; cut the file")
        a, b, sizes = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64), np.empty(3, np.int64)
        ordered = separate(
            tags.time_ps, tags.channel, n, self._a, self._b, self._sync,
            self._origin_ps, self._until_ps, a, b, sizes,
        )  # fmt: skip
        if ordered < n:
            raise BadTags(
                f"tag {self._seen + ordered} is earlier than the one before it; sort them"
            )
        self._measure(tags)
        for arm in (0, 1):
            self.clicks[arm] += int(sizes[arm])
        self._seen += n
        self.others += n - int(sizes.sum())
        return Clicks(a[: sizes[0]], b[: sizes[1]], self._until_ps)

    def _measure(self, tags: Tags) -> None:
        times, channels = tags.time_ps, tags.channel
        if not len(times):
            return
        self._until_ps = int(times[-1]) - self._origin_ps
        if not self._sync_counts and self._sync in (channels[0], channels[-1]):
            times = times[channels != self._sync]
        if len(times):
            if self._first_ps is None:
                self._first_ps = int(times[0])
            self._last_ps = int(times[-1])


@Native
def separate(
    times: Int64s, channels: UInt8s, n: int, a: int, b: int, sync: int,
    origin: int, previous: int, a_out: Int64s, b_out: Int64s, sizes: Int64s,
) -> int:  # fmt: skip
    """Write both channels' times since the origin; returns how many tags are in order."""
    found_a = 0
    found_b = 0
    found_sync = 0
    ordered = n
    for i in range(n):
        time = times[i] - origin
        a_out[found_a] = time
        b_out[found_b] = time
        found_a += channels[i] == a
        found_b += channels[i] == b
        found_sync += channels[i] == sync
        if (time < previous) & (ordered == n):
            ordered = i
        previous = time
    sizes[0] = found_a
    sizes[1] = found_b
    sizes[2] = found_sync
    return ordered
