"""Time tags from a device's words to arrays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORD_BYTES = 8


class BadWords(ValueError):
    """No rising times of a run of that length."""


def merged(
    streams: Sequence[Sequence[bytes]], within_ps: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Rising times of all streams together, and from which each is.

    A stream is the blocks of one channel: little-endian 64-bit picoseconds since the run began.
    """
    times = [_times(b"".join(blocks), within_ps) for blocks in streams]
    channels = np.repeat(np.arange(len(times), dtype=np.uint8), [len(part) for part in times])
    together = np.concatenate(times)
    order = np.argsort(together, kind="stable")  # merges what is sorted already
    return together[order], channels[order]


def _times(words: bytes, within_ps: int) -> NDArray[np.int64]:
    if len(words) % WORD_BYTES:
        raise BadWords(f"{len(words)} bytes are no whole number of tags")
    times = np.frombuffer(words, "<i8").astype(np.int64, copy=False)
    if len(times) and (times[0] < 0 or times[-1] > within_ps or (np.diff(times) < 0).any()):
        raise BadWords("the times do not rise within the run")
    return times
