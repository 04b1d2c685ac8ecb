"""Ways to reach a device: a serial line, a socket, or memory; all give an asyncio transport."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

ProtocolFactory = Callable[[], asyncio.Protocol]
Opener = Callable[[ProtocolFactory], Awaitable[None]]
"""Connects a protocol to its device; raises OSError when there is none."""

BAUD = 115_200
FORMS = f"serial:///dev/ttyX?baud={BAUD} or tcp://host:port"


class BadAddress(ValueError):
    """The configuration names a device in a way that means nothing."""


def opener_for(address: str, in_memory: Mapping[str, Opener]) -> Opener:
    """What opens `serial:///dev/ttyX?baud=115200`, `tcp://`, `unix://` or `memory://name`."""
    with contextlib.suppress(ValueError):  # of a port that is no number
        if opener := _opener_for(urlsplit(address), in_memory):
            return opener
    raise BadAddress(f"{address!r} is no address: write {FORMS}")


def is_address(address: str) -> bool:
    """Whether it could lead anywhere; of memory only its owner knows."""
    try:
        opener_for(address, {})
    except BadAddress:
        return urlsplit(address).scheme == "memory"
    return True


def _opener_for(parts: SplitResult, in_memory: Mapping[str, Opener]) -> Opener | None:
    if parts.scheme == "serial" and parts.path and not parts.netloc:
        if speed := re.fullmatch(r"(?:baud=([1-9]\d*))?", parts.query):
            baud = int(speed[1] or BAUD)
            return lambda protocol: _open_serial(protocol, parts.path, baud)
    elif parts.scheme == "tcp" and parts.hostname and parts.port:
        host, port = parts.hostname, parts.port
        return lambda protocol: _open_tcp(protocol, host, port)
    elif parts.scheme == "unix" and parts.path and not parts.netloc:
        return lambda protocol: _open_unix(protocol, parts.path)
    elif parts.scheme == "memory":
        return in_memory.get(parts.netloc)
    return None


async def _open_serial(protocol: ProtocolFactory, path: str, baud: int) -> None:
    from optics.serial_line import open_line  # costs 30 ms that a TCP-only rack need not pay

    await open_line(protocol, path, baud)


async def _open_tcp(protocol: ProtocolFactory, host: str, port: int) -> None:
    await asyncio.get_running_loop().create_connection(protocol, host, port)


async def _open_unix(protocol: ProtocolFactory, path: str) -> None:
    await asyncio.get_running_loop().create_unix_connection(protocol, path)


class FarEnd(Protocol):
    """The device's side of a wire in memory."""

    def write(self, data: bytes) -> None:
        """Tell the device."""

    def close(self) -> None:
        """Hang up; the device is told nothing more and is not heard any more."""


Connect = Callable[[Callable[[bytes], None], Callable[[], None]], FarEnd]
"""Joins a device in memory to two callbacks: bytes arrived, wire cut; OSError when unplugged."""


def memory_opener(connect: Connect) -> Opener:
    """An opener for a device that lives in this process."""

    async def open_memory(protocol: ProtocolFactory) -> None:
        MemoryTransport(protocol(), connect)

    return open_memory


class MemoryTransport(asyncio.Transport):
    """An asyncio transport whose other end is a pair of callbacks; no descriptor, no thread."""

    def __init__(self, protocol: asyncio.Protocol, connect: Connect) -> None:
        super().__init__()
        self._protocol, self._loop = protocol, asyncio.get_running_loop()
        self._held: list[bytes] | None = None
        self._far_end: FarEnd | None = connect(self._arrived, self._cut)
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._far_end is not None:
            self._far_end.write(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self._held = self._held or []

    def resume_reading(self) -> None:
        held, self._held = self._held or [], None
        for data in held:
            self._arrived(data)

    def is_closing(self) -> bool:
        return self._far_end is None

    def abort(self) -> None:
        if self._far_end is not None:
            self._far_end.close()
            self._lost(None)

    close = abort  # nothing is ever buffered here

    def _arrived(self, data: bytes) -> None:
        if self._held is not None:
            self._held.append(data)
        elif self._far_end is not None:
            self._protocol.data_received(data)

    def _cut(self) -> None:
        if self._far_end is not None:
            self._lost(ConnectionResetError("wire cut"))

    def _lost(self, why: Exception | None) -> None:
        self._far_end = None
        self._loop.call_soon(self._protocol.connection_lost, why)
