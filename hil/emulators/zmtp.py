"""The server's side of ZeroMQ's wire protocol: ZMTP 3.0, NULL mechanism (RFC 23/ZMTP).

A port does not tell when somebody connects, so a greeting in the stream begins anew: no client
of ours sends ten such bytes in a message.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator

SIGNATURE = re.compile(rb"\xff.{8}\x7f", re.DOTALL)  # the bytes between are for older peers
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
HIGH_WATER_MARK = 1000
"""Messages kept for a client that is not there yet; ZeroMQ's own default."""
SIGNATURE_BYTES = 10
LONGEST_REQUEST = 1 << 16


def _deaf(_data: bytes) -> None:
    """Hears what is said before a wire is attached."""


def _silent(_message: bytes) -> None:
    return None


class ZmtpServer:
    """One bound socket, REP or PAIR; `answer` gives the reply to a request, or None."""

    def __init__(
        self,
        socket_type: bytes,
        answer: Callable[[bytes], bytes | None] = _silent,
        awake: Callable[[], bool] = lambda: True,
    ) -> None:
        self.say: Callable[[bytes], None] = _deaf
        self._answer, self._awake, self._type = answer, awake, socket_type
        self._unread, self._greets, self._ready = b"", False, False
        self._greeting_left = len(GREETING)
        self._waiting: deque[bytes] = deque(maxlen=HIGH_WATER_MARK)

    def receive(self, data: bytes) -> bytes:
        if not self._awake():
            return b""
        self._unread += data
        for signature in SIGNATURE.finditer(self._unread):
            if self._greets:
                self.hang_up(self._unread[signature.start() :])
        return b"".join(self._replies())

    def push(self, message: bytes) -> None:
        """Send it, or keep it for whoever comes."""
        self._waiting.append(message)
        if self._ready and self._awake():
            for raw in self._pushed():
                self.say(raw)

    def clear(self) -> None:
        """Forget what was kept for a client that did not come."""
        self._waiting.clear()

    def hang_up(self, unread: bytes = b"") -> None:
        """Forget the connection; `unread` begins the next."""
        self._unread, self._greets, self._ready = unread, False, False
        self._greeting_left = len(GREETING)

    def _replies(self) -> Iterator[bytes]:
        if not self._greets and self._unread:
            self._greets = True
            yield GREETING
        skipped = min(self._greeting_left, len(self._unread))
        self._unread, self._greeting_left = self._unread[skipped:], self._greeting_left - skipped
        while not self._greeting_left and (frame := self._frame()):
            flags, body = frame
            if flags & 4:
                yield from self._met(body)
            elif not flags & 1 and (reply := self._answer(body)) is not None:
                yield b"\1\0" + framed(reply)

    def _met(self, command: bytes) -> Iterator[bytes]:
        if command.startswith(b"\x05READY"):
            yield b"\x04" + _sized(b"\x05READY\x0bSocket-Type" + _value(self._type))
            self._ready = True
            yield from self._pushed()

    def _pushed(self) -> Iterator[bytes]:
        while self._waiting:
            yield framed(self._waiting.popleft())

    def _frame(self) -> tuple[int, bytes] | None:
        if self._unread[:1] > b"\7":  # noise, or the beginning of a greeting
            if len(self._unread) >= SIGNATURE_BYTES:
                self.hang_up()
            return None
        head = 9 if self._unread[:1] and self._unread[0] & 2 else 2
        size = int.from_bytes(self._unread[1:head], "big")
        if size > LONGEST_REQUEST:
            self.hang_up()  # noise: nobody asks as much
            return None
        if len(self._unread) < head + size:
            return None
        flags, body = self._unread[0], self._unread[head : head + size]
        self._unread = self._unread[head + size :]
        return flags, body


def framed(body: bytes) -> bytes:
    """One message of one part."""
    if len(body) < 256:
        return b"\0" + _sized(body)
    return b"\2" + len(body).to_bytes(8, "big") + body


def _sized(body: bytes) -> bytes:
    return bytes((len(body),)) + body


def _value(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text
