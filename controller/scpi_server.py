"""Where hosts connect: raw TCP and a serial line; each connection is a session of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

from controller.config import ScpiConfig
from controller.scpi_commands import Instrument
from controller.scpi_session import Session
from optics.transports import Opener, opener_for

log = logging.getLogger(__name__)

REOPEN_S = 1.0
NO_PORT = -1


class CannotListen(Exception):
    """The TCP address is taken, or is not ours."""


class ScpiServer:
    """The instrument's sockets."""

    def __init__(self, instrument: Instrument, serial: Opener | None) -> None:
        self.tcp_address = ""
        self._instrument, self._serial = instrument, serial
        self._lines: set[_Line] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, config: ScpiConfig, instrument: Instrument, in_memory: Mapping[str, Opener]
    ) -> AsyncIterator["ScpiServer"]:
        """Listen for as long as the block lasts."""
        opener = opener_for(config.serial, in_memory) if config.serial else None
        server = cls(instrument, opener)
        listening = await server._listen(config.host, config.port)
        try:
            yield server
        finally:
            if listening is not None:
                listening.close()
            for line in tuple(server._lines):
                line.hang_up()
            await asyncio.sleep(0)  # lets the transports tell their protocols

    async def serve_serial(self) -> None:
        """Keep the serial line open, for ever, however often its device comes and goes."""
        complained = False
        while self._serial is not None:
            line = _Line(self._instrument, self._lines)
            try:
                await self._serial(lambda: line)  # noqa: B023 - called before the next round
                log.info("SCPI serial line open")
                complained = False
                await line.gone.wait()
            except OSError as err:
                if not complained:
                    log.warning("SCPI serial line: %s; trying again every %g s", err, REOPEN_S)
                complained = True
            await asyncio.sleep(REOPEN_S)

    async def _listen(self, host: str, port: int) -> asyncio.Server | None:
        if port == NO_PORT:
            return None
        loop = asyncio.get_running_loop()
        try:
            listening = await loop.create_server(
                lambda: _Line(self._instrument, self._lines), host, port
            )
        except OSError as err:
            raise CannotListen(
                f"SCPI cannot listen at {host}:{port} ({err.strerror}); "
                "choose another with --port, or host in [scpi]"
            ) from err
        name = listening.sockets[0].getsockname()
        self.tcp_address = f"{name[0]}:{name[1]}"
        return listening


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, instrument: Instrument, lines: "set[_Line]") -> None:
        self.gone = asyncio.Event()
        self._instrument, self._lines = instrument, lines
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._session = Session(self._instrument, self._transport.write, self._listen)
        self._lines.add(self)

    def data_received(self, data: bytes) -> None:
        self._session.feed(data)

    def pause_writing(self) -> None:
        self._session.hold()

    def resume_writing(self) -> None:
        self._session.release()

    def _listen(self, wanted: bool) -> None:
        if self._transport is None:
            return
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._lines.discard(self)
        self._session.close()
        self.gone.set()

    def hang_up(self) -> None:
        """Close, without waiting for a host that does not read."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()
