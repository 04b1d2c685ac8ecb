"""A serial line: its end is told to its protocol, as asyncio's own transports do, and to no log.

pyserial-asyncio reports a line that went while bytes were being sent to the event loop as well,
which writes a trace where the link already says in a line that the wire is gone.
"""

import asyncio
from collections.abc import Callable

import serial
import serial_asyncio


class SerialLine(serial_asyncio.SerialTransport):  # type: ignore[misc] # it has no types
    """Bytes both ways."""

    def _fatal_error(self, exc: Exception, _message: str = "") -> None:
        self._abort(exc)


async def open_line(protocol: Callable[[], asyncio.Protocol], path: str, baud: int) -> None:
    """SerialException, an OSError, when there is none or another has it."""
    line = serial.serial_for_url(path, baudrate=baud, exclusive=True)
    SerialLine(asyncio.get_running_loop(), protocol(), line)
    await asyncio.sleep(0)  # it tells the protocol of its transport a turn later
