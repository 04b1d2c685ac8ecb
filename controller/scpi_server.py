"""Where hosts connect: TCP, TLS, HiSLIP and a serial line; each connection is its own session."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from controller.config import NO_PORT, ScpiConfig
from controller.scpi_access import Access
from controller.scpi_commands import Instrument
from controller.scpi_hislip_server import Channel, Hall
from controller.scpi_line import Line
from controller.scpi_tls import server_context
from optics.transports import Opener, ProtocolFactory, opener_for

log = logging.getLogger(__name__)

REOPEN_S = 1.0


class CannotListen(Exception):
    """The TCP address is taken, or is not ours."""


class Doors(NamedTuple):
    """The addresses where hosts are let in; empty for a door that is shut."""

    tcp: str = ""
    tls: str = ""
    hislip: str = ""


class ScpiServer:
    """The instrument's sockets, and its serial line."""

    def __init__(self, config: ScpiConfig, instrument: Instrument, serial: Opener | None) -> None:
        self.doors = Doors()
        self._config, self._instrument, self._serial = config, instrument, serial
        self._access = Access(config.access)
        self._lines: set[Line] = set()
        self._hall = Hall(instrument, self._access)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, config: ScpiConfig, instrument: Instrument, in_memory: Mapping[str, Opener]
    ) -> AsyncIterator["ScpiServer"]:
        """Listen for as long as the block lasts."""
        opener = opener_for(config.serial, in_memory) if config.serial else None
        server = cls(config, instrument, opener)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(server._hang_up)
            server.doors = Doors(
                await server._listen(stack, config.port, server._line),
                await server._listen(stack, config.tls_port, server._line, await _tls(config)),
                await server._listen(stack, config.hislip_port, lambda: Channel(server._hall)),
            )
            yield server

    async def serve_serial(self) -> None:
        """Keep the serial line open, for ever, however often its device comes and goes."""
        complained = False
        while self._serial is not None:
            line = self._line()
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

    def _line(self) -> Line:
        return Line(self._instrument, self._access, self._lines)

    async def _listen(
        self,
        stack: AsyncExitStack,
        port: int,
        guest: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None = None,
    ) -> str:
        """The address where it listens from now on, or nothing."""
        if port == NO_PORT:
            return ""
        loop, host = asyncio.get_running_loop(), self._config.host
        try:
            listening = await loop.create_server(self._admitting(guest), host, port, ssl=tls)
        except OSError as err:
            raise CannotListen(
                f"SCPI cannot listen at {host}:{port} ({err.strerror}); "
                "choose another with --port, or host and ports in [scpi]"
            ) from err
        stack.callback(listening.close)
        name = listening.sockets[0].getsockname()
        return f"{name[0]}:{name[1]}"

    def _admitting(self, guest: ProtocolFactory) -> ProtocolFactory:
        """Lets as many in as are configured; the serial line has its place beside them."""

        def admit() -> asyncio.Protocol:
            connected = len(self._lines) + len(self._hall.channels) // 2
            if connected < self._config.most_sessions:
                return guest()
            log.warning("SCPI: %d sessions are open, one more was refused", connected)
            return _Refused()

        return admit

    async def _hang_up(self) -> None:
        for line in tuple(self._lines):
            line.hang_up()
        for channel in tuple(self._hall.channels):
            channel.hang_up()
        await asyncio.sleep(0)  # lets the transports tell their protocols


class _Refused(asyncio.Protocol):
    """One too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


async def _tls(config: ScpiConfig) -> ssl.SSLContext | None:
    """Read in a thread, since files are slow; none where the port is shut."""
    if config.tls_port == NO_PORT:
        return None
    files = (config.tls_certificate, config.tls_key, config.tls_clients)
    return await asyncio.to_thread(server_context, *map(Path, files))
