"""The header of PicoQuant's unified .ptu format: a list of tags of 48 bytes."""

import struct
from pathlib import Path
from typing import IO, NamedTuple

from optics.tags import BadTags

MAGIC = b"PQTTTR\0\0"
ENTRY = struct.Struct("<32siI8s")
MOST_ENTRIES = 100_000
FLOATS = (0x20000008, 0x21000008)
FOLLOWED_BY_DATA = (0x2001FFFF, 0x4001FFFF, 0x4002FFFF, 0xFFFFFFFF)  # the value is its length
END = b"Header_End"


class PtuHeader(NamedTuple):
    """What is needed to read the records that begin at `offset`."""

    record_type: int
    records: int
    global_resolution_s: float
    resolution_s: float
    offset: int


def read_header(path: Path) -> PtuHeader:
    """The header; says what is missing or odd and where."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        if stream.read(8) != MAGIC:
            raise BadTags("no PicoQuant .ptu file; give a .ptu or .npz file")
        stream.seek(16)  # after the magic stands the version, which changes nothing here
        found = _entries(stream, size)
        offset = stream.tell()
    for name in ("TTResultFormat_TTTRRecType", "MeasDesc_GlobalResolution"):
        if name not in found:
            raise BadTags(f"header lacks {name}; export it again from the measurement")
    return PtuHeader(
        record_type=int(found["TTResultFormat_TTTRRecType"]),
        records=int(found.get("TTResult_NumberOfRecords", 0)),
        global_resolution_s=found["MeasDesc_GlobalResolution"],
        resolution_s=found.get("MeasDesc_Resolution", 0.0),
        offset=offset,
    )


def _entries(stream: IO[bytes], size: int) -> dict[str, float]:
    """The numbers in the header by name; of a list the last."""
    found: dict[str, float] = {}
    for _ in range(MOST_ENTRIES):
        at = stream.tell()
        raw = stream.read(ENTRY.size)
        if len(raw) < ENTRY.size:
            raise BadTags(f"cut off inside the header at byte {at}; copy it again")
        name, _, kind, value = ENTRY.unpack(raw)
        name = name.partition(b"\0")[0]
        if name == END:
            return found
        [number] = struct.unpack("<d" if kind in FLOATS else "<q", value)
        if kind in FOLLOWED_BY_DATA:
            if not 0 <= number <= size - stream.tell():
                raise BadTags(f"header entry at byte {at} runs over the end; copy it again")
            stream.seek(number, 1)
        else:
            found[name.decode("latin-1")] = number
    raise BadTags(f"no end of the header in {MOST_ENTRIES} entries; copy it again")
