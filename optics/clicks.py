"""The clicks of two detectors, taken out of a stream of tags: their order checked, all counted."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optics.native import Int64s, Native, UInt8s
from optics.tags import BadTags, Tags

LONGEST_PS = 1 << 62
DAY_PS = 86_400 * 10**12
NO_CHANNEL = -1


@dataclass(frozen=True)
class Clicks:
    """Sorted times since the first tag; no later chunk holds any before `until_ps`."""

    time_ps: Int64s
    second: UInt8s  # 1 where it is the second detector's
    until_ps: int

    @property
    def a_ps(self) -> Int64s:
        """Those of the first detector."""
        return self._arms[0]

    @property
    def b_ps(self) -> Int64s:
        """Those of the second."""
        return self._arms[1]

    @cached_property
    def _arms(self) -> tuple[Int64s, Int64s]:
        n = len(self.time_ps)
        a, b = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
        found = separate(self.time_ps, self.second, n, a, b)
        return a[: n - found], b[:found]


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
        times, second = np.empty(n + 1, np.int64), np.empty(n + 1, np.uint8)
        sizes = np.empty(3, np.int64)
        backwards = pick(
            tags.time_ps, tags.channel, n, self._a, self._b, self._sync,
            self._origin_ps, self._until_ps, times, second, sizes,
        )  # fmt: skip
        if backwards:
            raise BadTags(
                f"tag {self._seen + self._first_backwards(tags)} is earlier than the one before it;"
                " sort them"
            )
        self._measure(tags)
        for arm in (0, 1):
            self.clicks[arm] += int(sizes[arm])
        self._seen += n
        self.others += n - int(sizes.sum())
        found = int(sizes[0] + sizes[1])
        return Clicks(times[:found], second[:found], self._until_ps)

    def _first_backwards(self, tags: Tags) -> int:
        times = tags.time_ps - self._origin_ps
        return int(np.argmax(np.diff(times, prepend=self._until_ps) < 0))

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
def pick(
    times: Int64s, channels: UInt8s, n: int, a: int, b: int, sync: int,
    origin: int, previous: int, picked: Int64s, second: UInt8s, sizes: Int64s,
) -> int:  # fmt: skip
    """Write the times of both channels since the origin; returns how many tags are out of order."""
    found = 0
    found_b = 0
    found_sync = 0
    backwards = 0
    for i in range(n):
        time = times[i] - origin
        channel = channels[i]
        is_b = channel == b
        picked[found] = time
        second[found] = is_b
        found += is_b | (channel == a)
        found_b += is_b
        found_sync += channel == sync
        backwards += time < previous
        previous = time
    sizes[0] = found - found_b
    sizes[1] = found_b
    sizes[2] = found_sync
    return backwards


@Native
def separate(times: Int64s, second: UInt8s, n: int, a: Int64s, b: Int64s) -> int:
    """Write each detector's times by themselves; returns how many are the second's."""
    found_b = 0
    for i in range(n):
        a[i - found_b] = times[i]
        b[found_b] = times[i]
        found_b += second[i]
    return found_b
