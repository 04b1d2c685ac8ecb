"""Our boot code onto a board that has MicroPython and nothing of ours yet, through its console.

What MicroPython calls its raw REPL (its reference, "The REPL", "Raw mode"): code and 0x04 in;
OK, what it printed, 0x04, what went wrong, 0x04 and > out.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import cast

from optics.board_line import DEVICE
from optics.faults import DeviceLost, DeviceRefused
from optics.transports import Opener

INTERRUPT, RAW, RUN = b"\r\x03\x03", b"\r\x01", b"\x04"
READY = b"raw REPL; CTRL-B to exit\r\n>"
BLOCK = 256  # bytes of a file in one piece of code
ANSWER_WITHIN_S = 10.0
LAST = "main.py"  # until it is there, the next start ends in the console again


class BoardConsole:
    """One conversation with the interpreter; for a board without our firmware."""

    def __init__(self, opener: Opener) -> None:
        self._opener, self._pipe = opener, _Pipe()

    async def install(self, boot: Mapping[str, bytes]) -> None:
        """Write the boot code, have it hashed, and start anew with it."""
        await self._enter()
        for name in sorted(boot, key=lambda name: name == LAST):
            await self._write(name, boot[name])
        await self._begin("import machine\nmachine.reset()")

    async def aclose(self) -> None:
        self._pipe.hang_up()
        await asyncio.sleep(0)

    async def _enter(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._opener(lambda: self._pipe)
                self._pipe.send(INTERRUPT + RAW)
                await self._pipe.heard(READY)
        except (TimeoutError, OSError) as err:
            raise DeviceLost(DEVICE, "has no MicroPython console, or runs our firmware") from err

    async def _write(self, name: str, content: bytes) -> None:
        """As a whole or not at all: it takes its name when it is complete."""
        await self._run("import os, binascii, hashlib\nfile = open('new', 'wb')")
        for start in range(0, len(content), BLOCK):
            block = content[start : start + BLOCK].hex()
            await self._run(f"file.write(binascii.unhexlify('{block}'))")
        await self._run(f"file.close()\nos.rename('new', '{name}')\nfile = open('{name}', 'rb')")
        told = await self._run("print(binascii.hexlify(hashlib.sha256(file.read()).digest()))")
        if hashlib.sha256(content).hexdigest() not in told:
            raise DeviceRefused(DEVICE, f"its flash gives back another {name}; try again")

    async def _run(self, code: str) -> str:
        await self._begin(code)
        told, wrong, _ = [await self._heard(mark) for mark in (b"\x04", b"\x04", b">")]
        if wrong:
            words = wrong.decode("latin-1").strip().splitlines()
            raise DeviceRefused(DEVICE, f"its console says {words[-1]}")
        return told.decode("latin-1")

    async def _begin(self, code: str) -> None:
        """Hand it over; it is about to be run."""
        self._pipe.send(code.encode() + RUN)
        await self._heard(b"OK")

    async def _heard(self, mark: bytes) -> bytes:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._pipe.heard(mark)
        except TimeoutError as err:
            raise DeviceLost(DEVICE, "its console does not answer") from err


class _Pipe(asyncio.Protocol):
    """Bytes out, and bytes in up to a mark."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._news.set()

    def send(self, data: bytes) -> None:
        if self._transport is None:
            raise DeviceLost(DEVICE, "the wire is gone")
        self._transport.write(data)

    async def heard(self, mark: bytes) -> bytes:
        """What came before the mark."""
        while mark not in self._unread:
            if self._transport is None:
                raise DeviceLost(DEVICE, "the wire is gone")
            self._news.clear()
            await self._news.wait()
        before, _, self._unread = self._unread.partition(mark)
        return bytes(before)

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()
