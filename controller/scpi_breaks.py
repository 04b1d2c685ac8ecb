"""A break on a serial line is a device clear: found where the driver marks it among the bytes."""

import termios
from collections.abc import Callable
from typing import Protocol

MARK, BREAK = b"\xff", b"\xff\x00\x00"  # with PARMRK: a break; a 0xff of the data comes doubled


class SerialPort(Protocol):
    """What has a terminal's descriptor."""

    def fileno(self) -> int:
        """Its number."""


def mark_breaks(port: SerialPort) -> bool:
    """Have breaks marked among the bytes; False where the port is no terminal."""
    try:
        settings = termios.tcgetattr(port.fileno())
        settings[0] = (settings[0] & ~(termios.IGNBRK | termios.BRKINT)) | termios.PARMRK
        settings[0] &= ~termios.ISTRIP  # or a 0xff of the data would not come doubled
        termios.tcsetattr(port.fileno(), termios.TCSANOW, settings)
    except termios.error:
        return False
    return True


class BreakFinder:
    """Takes bytes as the driver marks them, gives the data and the breaks among them in order."""

    def __init__(self, take: Callable[[bytes], None], clear: Callable[[], None]) -> None:
        self._take, self._clear = take, clear
        self._rest = b""

    def read(self, data: bytes) -> None:
        """Bytes, however they were cut."""
        if not self._rest and MARK not in data:
            self._take(data)
            return
        data, self._rest, plain = self._rest + data, b"", bytearray()
        at = 0
        while (mark := data.find(MARK, at)) >= 0:
            plain += data[at:mark]
            if data[mark : mark + 3] == BREAK:
                plain.clear()  # it would be cleared at once
                self._clear()
                at = mark + 3
            elif data[mark + 1 : mark + 2] == MARK:
                plain += MARK
                at = mark + 2
            elif len(data) - mark < 3:
                self._rest, at = data[mark:], len(data)
            else:  # a byte with a framing error, which stands for itself
                plain += data[mark + 2 : mark + 3]
                at = mark + 3
        plain += data[at:]
        if plain:
            self._take(bytes(plain))
