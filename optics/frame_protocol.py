"""The lines of the frame-server protocol, version 1; `optics/README.md` has it in full.

A line is a word, then `key=value`, then the CRC-32 of all before it. A FRAME line is followed by
as many raw bytes as it announces, unless they lie in shared memory.
"""

import re
import zlib
from typing import NamedTuple
from urllib.parse import quote, unquote

VERSION = 1
LINE_BYTES = 1024
BLOCK_BYTES = 1 << 26

_LINE = re.compile(rb"([A-Z]+(?: [a-z_]+=[^ \n]*)*) \*([0-9A-F]{8})\n")

Fields = dict[str, str]


class BadLine(ValueError):
    """It is no line of this protocol, or was damaged on the way."""


class FrameHead(NamedTuple):
    """What a FRAME line says; `age_us` is since the exposure began, as the line was written."""

    number: int
    lost: int  # frames that came to nothing since the one before
    complete: bool
    age_us: int
    exposure_us: float
    gain: float
    width: int
    height: int
    format: str
    bytes: int  # of the pixels
    crc: str  # of them
    slot: int  # of the shared memory that holds them, or -1: they follow the line


def written(word: str, **fields: object) -> bytes:
    """One line, whole."""
    pairs = (f" {key}={_text(value)}" for key, value in fields.items())
    body = f"{word}{''.join(pairs)}".encode()
    return b"%s *%08X\n" % (body, zlib.crc32(body))


def read(line: bytes) -> tuple[str, Fields]:
    """Word and fields; BadLine when a byte of it was changed."""
    parts = _LINE.fullmatch(line)
    if parts is None or int(parts[2], 16) != zlib.crc32(parts[1]):
        raise BadLine(f"no line of the frame protocol: {line[:80]!r}")
    word, *pairs = parts[1].decode("latin-1").split(" ")
    split = (pair.partition("=") for pair in pairs)
    return word, {key: unquote(value) for key, _, value in split}


def head_of(fields: Fields) -> FrameHead:
    """A FRAME line's fields in their types; BadLine when one is missing or no number."""
    try:
        head = FrameHead(
            number=int(fields["number"]),
            lost=int(fields["lost"]),
            complete=fields["complete"] == "1",
            age_us=int(fields["age_us"]),
            exposure_us=float(fields["exposure_us"]),
            gain=float(fields["gain"]),
            width=int(fields["width"]),
            height=int(fields["height"]),
            format=fields["format"],
            bytes=int(fields["bytes"]),
            crc=fields["crc"],
            slot=int(fields["slot"]),
        )
    except (KeyError, ValueError) as err:
        raise BadLine(f"no head of a frame: {fields}") from err
    if min(head.number, head.lost, head.age_us, head.bytes) < 0 or head.bytes > BLOCK_BYTES:
        raise BadLine(f"out of all bounds: {head}")
    return head


def announced(line: bytes) -> int:
    """How many raw bytes follow that line; none after a damaged one."""
    if not line.startswith(b"FRAME "):
        return 0
    try:
        head = head_of(read(line)[1])
    except BadLine:
        return 0
    return head.bytes if head.slot < 0 else 0


def checksum(block: bytes | memoryview) -> str:
    """Of a frame's bytes, as its line tells it."""
    return f"{zlib.crc32(block):08X}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.9g}"
    return quote(str(value), safe="/:,;+()")
