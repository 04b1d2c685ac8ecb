"""A customer's program at the far end of a SCPI line: TCP, a serial line, or memory."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from hil.ports import MemoryPort


class Host(Protocol):
    """A customer's program on one connection."""

    async def tell(self, message: str) -> None:
        """Send a message that has no answer."""

    async def ask(self, message: str) -> str:
        """Send a message and return its answer."""


class StreamHost:
    """A host over TCP or a serial line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def tell(self, message: str) -> None:
        self._writer.write(message.encode() + b"\n")
        await self._writer.drain()

    async def ask(self, message: str) -> str:
        await self.tell(message)
        async with asyncio.timeout(60):
            return (await self._reader.readuntil(b"\n")).decode().removesuffix("\n")

    async def aclose(self) -> None:
        self._writer.transport.abort()
        await asyncio.sleep(0)


class _Listener:
    """Collects answers, and can forget those that came too late for whoever asked."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send, self._answers = send, asyncio.Queue[bytes]()
        self._partial = b""

    async def tell(self, message: str) -> None:
        self._send(message.encode() + b"\n")

    async def ask(self, message: str) -> str:
        await self.tell(message)
        return (await self._answers.get()).decode()

    def forget(self) -> None:
        """What was not waited for is nobody's."""
        self._partial = b""
        while not self._answers.empty():
            self._answers.get_nowait()

    def _hear(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._answers.put_nowait(line)


class MemoryHost(_Listener):
    """A host on the memory wire, for the jumping clock."""

    def __init__(self, port: MemoryPort) -> None:
        super().__init__(port.send)
        port.heard = self._hear


class SerialHost(_Listener, asyncio.Protocol):
    """A host on a serial line, which outlives the controller at its other end."""

    def __init__(self) -> None:
        super().__init__(self._write)
        self._transport: asyncio.WriteTransport

    @classmethod
    async def opened(cls, path: str) -> "SerialHost":
        import serial_asyncio  # costs 30 ms that a rig without a host need not pay

        loop, host = asyncio.get_running_loop(), cls()
        host._transport, _ = await serial_asyncio.create_serial_connection(
            loop, lambda: host, path, baudrate=115_200
        )
        return host

    def _write(self, data: bytes) -> None:
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._hear(data)

    async def aclose(self) -> None:
        self._transport.abort()
        await asyncio.sleep(0)
