"""The frame-server protocol on the wire, as its description in optics/README.md has it.

A line is a word, `key=value` pairs, and ` *` with the CRC-32 (ISO 3309, as of zip files) of all
before it in eight hexadecimal digits; blanks and the like in values are percent-encoded.
"""

import binascii
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote

LINE_LIMIT = 1024


class LineError(Exception):
    """A request that is answered with ERROR; nothing of it was done."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


class Intake:
    """Collects bytes until they make a line; never holds more than one line."""

    def __init__(self) -> None:
        self._line = bytearray()

    def cut(self, data: bytes) -> Iterator[bytes]:
        """Lines without their line feed."""
        first, *others = data.split(b"\n")
        self._line += first[: LINE_LIMIT - len(self._line)]
        for other in others:
            yield bytes(self._line)
            self._line = bytearray(other[:LINE_LIMIT])


def line(word: str, fields: Mapping[str, object]) -> bytes:
    """One line, whole."""
    body = " ".join([word, *(f"{key}={quote(str(value))}" for key, value in fields.items())])
    return f"{body} *{crc(body.encode())}\n".encode()


def request(raw: bytes) -> tuple[str, dict[str, str]]:
    """Word and fields of a line that came undamaged."""
    body, star, sum_of_it = raw.rpartition(b" *")
    if not star or sum_of_it.decode("latin-1") != crc(body):
        raise LineError("garbled", "the line's sum is wrong")
    word, *pairs = body.decode("latin-1").split(" ")
    return word, {key: unquote(value) for key, _, value in (pair.partition("=") for pair in pairs)}


def number(fields: Mapping[str, str], key: str, low: float, high: float) -> float:
    """A field's value, within its bounds."""
    try:
        value = float(fields[key])
    except (KeyError, ValueError):
        raise LineError("refused", f"{key} is missing, or no number") from None
    if not low <= value <= high:
        raise LineError("range", f"{key}={value:g} is not within {low:g} to {high:g}")
    return value


def crc(data: bytes) -> str:
    return f"{binascii.crc32(data):08X}"
