"""ZeroMQ's wire protocol, as much of it as a client of instruments needs.

ZMTP 3.0 with the NULL mechanism (RFC 23/ZMTP); a REQ socket puts an empty part before what it
asks and takes one off the answer (RFC 28/REQREP).
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import cast

from optics.transports import Opener, ProtocolFactory

SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
GREETING = SIGNATURE + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
MORE, LONG, COMMAND = 1, 2, 4
MOST_BYTES = 1 << 26
"""What one part may have; a length beyond it is noise."""

RETRY_S = 0.05


class NotZmtp(ConnectionError):
    """What arrives is of another protocol, or garbled."""


class ZmtpPeer(asyncio.Protocol):
    """One connection of one socket; whole messages in and out."""

    def __init__(
        self,
        socket_type: bytes,
        heard: Callable[[bytes], None],
        lost: Callable[[Exception | None], None],
    ) -> None:
        self.over = False
        self._ready_command = _command(b"READY", b"Socket-Type", socket_type)
        self._heard, self._lost = heard, lost
        self._transport: asyncio.Transport | None = None
        self._unread, self._greeted, self._ready = bytearray(), False, False
        self._held = bytearray()

    def send(self, *parts: bytes) -> None:
        """One message, as soon as the far end is ready for it."""
        self._held += b"".join(_frame(MORE, part) for part in parts[:-1]) + _frame(0, parts[-1])
        self._flush()

    def hang_up(self) -> None:
        self.over = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.over:
            self._transport.abort()
        else:
            self._transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        try:
            self._read()
        except NotZmtp as err:
            self.hang_up()
            self._lost(err)

    def connection_lost(self, exc: Exception | None) -> None:
        self.over, self._transport = True, None
        self._lost(exc)

    def _read(self) -> None:
        if not self._greeted:
            self._read_greeting()
        if self._greeted:
            for flags, body in self._frames():
                if flags & COMMAND:
                    self._ready = self._ready or body.startswith(b"\x05READY")
                    self._flush()
                elif not flags & MORE:  # all parts before the last are but envelopes
                    self._heard(body)

    def _read_greeting(self) -> None:
        if bytes(self._unread[:10:9]) not in (
            b"\xff",
            b"\xff\x7f",
        ):  # first and last of the signature
            raise NotZmtp(f"no greeting of ZMTP: {bytes(self._unread[:16])!r}")
        if len(self._unread) >= len(GREETING) and self._transport is not None:
            del self._unread[: len(GREETING)]
            self._greeted = True
            self._transport.write(self._ready_command)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        while len(self._unread) >= 2:
            flags = self._unread[0]
            head = 9 if flags & LONG else 2
            size = int.from_bytes(self._unread[1:head], "big")
            if flags > COMMAND + LONG + MORE or size > MOST_BYTES:
                raise NotZmtp(f"no frame of ZMTP: {bytes(self._unread[:16])!r}")
            if len(self._unread) < head + size:
                return
            with memoryview(self._unread) as unread:
                body = bytes(unread[head : head + size])
            del self._unread[: head + size]
            yield flags, body

    def _flush(self) -> None:
        if self._ready and self._held and self._transport is not None:
            held, self._held = self._held, bytearray()
            self._transport.write(bytes(held))


def lines_over_zmtp(opener: Opener) -> Opener:
    """A REQ socket that looks like a line: what is written is asked, answers end in line feeds."""

    async def open_zmtp(factory: ProtocolFactory) -> None:
        upper = factory()
        line = _Line(upper)
        await opener(lambda: line.peer)
        upper.connection_made(line)

    return open_zmtp


class _Line(asyncio.Transport):
    """What the protocol above takes for its transport; the messages are text."""

    def __init__(self, upper: asyncio.Protocol) -> None:
        super().__init__()
        self._upper = upper
        self.peer = ZmtpPeer(b"REQ", self._heard, upper.connection_lost)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.peer.send(b"", bytes(data).rstrip(b"\n"))

    def is_closing(self) -> bool:
        return self.peer.over

    def abort(self) -> None:
        self.peer.hang_up()

    close = abort

    def _heard(self, message: bytes) -> None:
        self._upper.data_received(message.replace(b"\n", b" ") + b"\n")


class Inflow:
    """A PAIR socket that only listens, until a message comes that is empty."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._peer = ZmtpPeer(b"PAIR", self._heard, self._lost)

    async def open(self, opener: Opener, within_s: float = 1.0) -> None:
        """As ZeroMQ does, try again while nobody is there; OSError when that lasts."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not await self._opened(opener, last=loop.time() >= until_s):
            await asyncio.sleep(RETRY_S)

    async def _opened(self, opener: Opener, *, last: bool) -> bool:
        try:
            await opener(lambda: self._peer)
        except OSError:
            if last:
                raise
            return False
        return True

    def hang_up(self) -> None:
        if self.ended.done() and not self.ended.cancelled():
            self.ended.exception()  # looked at, whoever else did not care
        self.ended.cancel()
        self._peer.hang_up()

    def _heard(self, message: bytes) -> None:
        if message:
            self.messages.append(message)
        elif not self.ended.done():
            self.ended.set_result(None)

    def _lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionResetError("the stream was cut"))


def _frame(flags: int, body: bytes) -> bytes:
    if len(body) < 256:
        return bytes((flags, len(body))) + body
    return bytes((flags | LONG,)) + len(body).to_bytes(8, "big") + body


def _command(name: bytes, key: bytes, value: bytes) -> bytes:
    body = bytes((len(name),)) + name + bytes((len(key),)) + key
    return _frame(COMMAND, body + len(value).to_bytes(4, "big") + value)
