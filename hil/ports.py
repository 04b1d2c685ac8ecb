"""Where the controller's cables end: a pseudo-terminal, a TCP port, or memory."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path
from typing import cast

BACKLOG_BYTES = 1 << 20
"""What a port keeps for a reader that is slow; beyond it bytes are lost, as on a real UART."""


def _nobody(_data: bytes) -> None:
    """Listens until a wire is attached."""


class PtyPort:
    """Looks like a USB serial device under a stable name; unplugged, its node is gone."""

    def __init__(self, link: Path) -> None:
        self.link, self.address = link, f"serial://{link}"
        self.heard: Callable[[bytes], None] = _nobody
        self._master = self._slave = -1
        self._backlog = bytearray()

    async def open(self) -> None:
        self.replug()

    def replug(self) -> None:
        self._master, self._slave = os.openpty()  # our own slave keeps EIO away between clients
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._readable)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))

    def send(self, data: bytes) -> None:
        if self._master < 0 or len(self._backlog) + len(data) > BACKLOG_BYTES:
            return
        self._backlog += data
        self._writable()

    def unplug(self) -> None:
        if self._master < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1
        self._backlog.clear()
        self.link.unlink(missing_ok=True)

    def close(self) -> None:
        self.unplug()

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.heard(os.read(self._master, 65_536))

    def _writable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._backlog[: os.write(self._master, self._backlog)]
        loop = asyncio.get_running_loop()
        if self._backlog:
            loop.add_writer(self._master, self._writable)
        else:
            loop.remove_writer(self._master)


class TcpPort:
    """A device server on loopback that, like most, serves one client at a time."""

    def __init__(self) -> None:
        self.address = ""
        self.heard: Callable[[bytes], None] = _nobody
        self._plugged = True
        self._server: asyncio.Server | None = None
        self._client: _Client | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", 0)
        self.address = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def send(self, data: bytes) -> None:
        if self._client is not None and self._client.transport is not None:
            self._client.transport.write(data)

    def unplug(self) -> None:
        """Reset the client and everyone who calls; the number stays ours for the replug."""
        self._plugged = False
        if self._client is not None:
            self._client.hang_up()

    def replug(self) -> None:
        self._plugged = True

    def close(self) -> None:
        self.unplug()
        if self._server is not None:
            self._server.close()

    def admit(self, client: "_Client") -> bool:
        if self._client is not None or not self._plugged:
            return False
        self._client = client
        return True

    def dismiss(self, client: "_Client") -> None:
        if self._client is client:
            self._client = None


class _Client(asyncio.Protocol):
    def __init__(self, port: TcpPort) -> None:
        self.transport: asyncio.Transport | None = None
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if not self._port.admit(self):
            self.hang_up()

    def data_received(self, data: bytes) -> None:
        self._port.heard(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.transport = None
        self._port.dismiss(self)

    def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class MemoryPort:
    """A wire in memory: no descriptor, so that the jumping clock may use it."""

    def __init__(self, name: str) -> None:
        self.address = f"memory://{name}"
        self.heard: Callable[[bytes], None] = _nobody
        self._plugged = False
        self._host: MemoryFarEnd | None = None

    async def open(self) -> None:
        self.replug()

    @property
    def connected(self) -> bool:
        return self._host is not None

    def connect(self, arrived: Callable[[bytes], None], cut: Callable[[], None]) -> "MemoryFarEnd":
        """The controller plugs in; it is told of arrivals and of a cut."""
        if not self._plugged or self._host is not None:
            raise ConnectionRefusedError(f"nothing answers at {self.address}")
        self._host = MemoryFarEnd(self, arrived, cut)
        return self._host

    def send(self, data: bytes) -> None:
        if self._host is not None:
            self._host.arrived(data)

    def unplug(self) -> None:
        self._plugged = False
        host, self._host = self._host, None
        if host is not None:
            host.cut()

    def replug(self) -> None:
        self._plugged = True

    def close(self) -> None:
        self.unplug()

    def dismiss(self, host: "MemoryFarEnd") -> None:
        if self._host is host:
            self._host = None


class MemoryFarEnd:
    """What the controller holds of a wire in memory."""

    def __init__(
        self, port: MemoryPort, arrived: Callable[[bytes], None], cut: Callable[[], None]
    ) -> None:
        self.arrived, self.cut, self._port = arrived, cut, port

    def write(self, data: bytes) -> None:
        self._port.heard(data)

    def close(self) -> None:
        self._port.dismiss(self)
