"""Lines on the wire: bounded, LF-ended, and checked. MicroPython and CPython."""

import binascii

LONGEST_LINE = 512
_SEAL = 10  # " *" and eight hexadecimal digits


class Refused(Exception):
    """A line that is not obeyed: a SCPI error number and what is particular about it."""

    def __init__(self, number: int, detail: str = "") -> None:
        super().__init__(number, detail)
        self.number = number
        self.detail = detail


def sealed(body: bytes) -> bytes:
    """The body with its checksum, without a line end."""
    return body + b" *" + _checksum(body)


def opened(line: bytes) -> tuple[bytes, bool]:
    """The body of a line, and whether a checksum vouches for it; a wrong one is refused."""
    if line[-_SEAL : 2 - _SEAL] != b" *":
        return line, False
    body = line[:-_SEAL]
    if line[2 - _SEAL :].upper() != _checksum(body):
        raise Refused(-360, "checksum")
    return body, True


def _checksum(body: bytes) -> bytes:
    return b"%08X" % binascii.crc32(body)


class Lines:
    """Cuts a stream into lines, and holds no more than the longest of them."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._line = b""
        self._overrun = False

    def feed(self, data: bytes):
        """Yield each line these bytes complete, without its end; None for one that was too long."""
        pieces = data.split(b"\n")
        for piece in pieces[:-1]:
            self._add(piece)
            line, self._line = self._line, b""
            if self._overrun:
                self._overrun = False
                yield None
            else:
                yield line[:-1] if line.endswith(b"\r") else line
        self._add(pieces[-1])

    def _add(self, piece: bytes) -> None:
        if len(self._line) + len(piece) > self._longest:
            self._overrun = True
        self._line = b"" if self._overrun else self._line + piece
