"""What a host has sent and is not yet done: kept as bytes, read no faster than executed."""

from collections import deque

from controller.scpi_reader import Reader
from controller.scpi_status import ScpiError

SLICE = 4096
"""Bytes read at once, so that a flood is not even read when it is not its turn."""
MOST_UNREAD = 1 << 16
"""Bytes kept for a host that sends on while it is being held up; then it must wait too."""


class Input:
    """The input buffer of one session, IEEE 488.2 6.1.5."""

    def __init__(self, *, end_marked: bool) -> None:
        self._reader = Reader(end_marked=end_marked)
        self._unread: deque[bytes | None] = deque()  # None is the transport's END
        self._unread_bytes = 0
        self._messages: deque[bytes | ScpiError] = deque()

    @property
    def is_empty(self) -> bool:
        """But for the beginning of a message."""
        return not self._messages and not self._unread

    @property
    def is_full(self) -> bool:
        """The host should wait."""
        return self._unread_bytes > MOST_UNREAD

    def feed(self, data: bytes, *, end: bool) -> None:
        """Bytes, however they were cut up; `end` where the transport marks it."""
        self._unread.append(data)
        self._unread_bytes += len(data)
        if end:
            self._unread.append(None)

    def clear(self) -> None:
        """Device clear."""
        self._reader.clear()
        self._unread.clear()
        self._unread_bytes = 0
        self._messages.clear()

    def next(self) -> bytes | ScpiError | None:
        """The next whole message, or the error it is; None when there is none yet."""
        while not self._messages:
            if not self._unread:
                return None
            self._read_on()
        return self._messages.popleft()

    def _read_on(self) -> None:
        chunk = self._unread.popleft()
        if chunk is None:
            self._messages.extend(self._reader.end())
            return
        if len(chunk) > SLICE:
            self._unread.appendleft(chunk[SLICE:])
            chunk = chunk[:SLICE]
        self._unread_bytes -= len(chunk)
        self._messages.extend(self._reader.feed(chunk))
