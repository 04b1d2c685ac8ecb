"""A host on a stream of bytes: TCP, TLS, or a serial line."""

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from controller.scpi_access import Access
from controller.scpi_breaks import BreakFinder, mark_breaks
from controller.scpi_session import Session

if TYPE_CHECKING:
    from controller.scpi_commands import Instrument

SEND_BUFFER = 1 << 18
"""Bytes the system may keep for a host that does not read, so that many such hosts stay cheap."""
KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
"""A peer that vanished without a word is given up after a minute."""


def tend(transport: asyncio.BaseTransport) -> None:
    """Notice a vanished peer and keep little for a slow one; only a socket has need of it."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)


def hang_up(transport: asyncio.Transport | None) -> None:
    """Close, without waiting for a host that does not read."""
    if transport is None or transport.is_closing():
        return
    if transport.get_write_buffer_size():
        transport.abort()
    else:
        transport.close()


class Line(asyncio.Protocol):
    """One connection, which is one session."""

    has_unread = False  # a stream does not tell what its host has read

    def __init__(self, instrument: "Instrument", access: Access, lines: "set[Line]") -> None:
        self.gone = asyncio.Event()
        self._instrument, self._access, self._lines = instrument, access, lines
        self._transport: asyncio.Transport | None = None
        self._responses: list[bytes] = []
        self._read: Callable[[bytes], None] = self._take

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        tend(transport)
        self._session = Session(self._instrument, self, self._access.visitor(transport))
        if (port := transport.get_extra_info("serial")) is not None and mark_breaks(port):
            self._read = BreakFinder(self._take, self._session.clear).read
        self._lines.add(self)

    def data_received(self, data: bytes) -> None:
        self._read(data)

    def _take(self, data: bytes) -> None:
        self._session.feed(data)

    def pause_writing(self) -> None:
        self._session.hold()

    def resume_writing(self) -> None:
        self._session.release()

    def respond(self, response: bytes) -> None:
        self._responses.append(response)

    def flush(self) -> None:
        if self._responses and self._transport is not None:
            responses, self._responses = self._responses, []
            self._transport.write(b"".join(responses))

    def listen(self, *, wanted: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def request_service(self, status_byte: int) -> None:
        """A stream has no way to tell; its host asks *STB?."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._lines.discard(self)
        self._session.close()
        self.gone.set()

    def hang_up(self) -> None:
        """Close, without waiting for a host that does not read."""
        hang_up(self._transport)
