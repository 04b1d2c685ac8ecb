"""Writes PicoQuant's .ptu from clocks and channels, after PicoQuant's published description.

Shares nothing with the reader. Ticks count from the start in the file's own resolution.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Records = NDArray[np.uint32]

INT8, FLOAT8, ANSI, EMPTY = 0x10000008, 0x20000008, 0x4001FFFF, 0xFFFF0008


@dataclass(frozen=True)
class Format:
    """One of the record types: its code, when its clock wraps, how overflow is written."""

    name: str
    code: int
    wrap: int
    counted: bool  # an overflow record tells how many
    pico: bool = False
    t3: bool = False


FORMATS = [
    Format("PicoHarp T2", 0x00010203, 210698240, counted=False, pico=True),
    Format("HydraHarp 1 T2", 0x00010204, 33552000, counted=False),
    Format("HydraHarp 2 T2", 0x01010204, 1 << 25, counted=True),
    Format("TimeHarp 260 N T2", 0x00010205, 1 << 25, counted=True),
    Format("TimeHarp 260 P T2", 0x00010206, 1 << 25, counted=True),
    Format("MultiHarp T2", 0x00010207, 1 << 25, counted=True),
    Format("PicoHarp T3", 0x00010303, 1 << 16, counted=False, pico=True, t3=True),
    Format("HydraHarp 1 T3", 0x00010304, 1 << 10, counted=False, t3=True),
    Format("HydraHarp 2 T3", 0x01010304, 1 << 10, counted=True, t3=True),
    Format("TimeHarp 260 N T3", 0x00010305, 1 << 10, counted=True, t3=True),
    Format("TimeHarp 260 P T3", 0x00010306, 1 << 10, counted=True, t3=True),
    Format("MultiHarp T3", 0x00010307, 1 << 10, counted=True, t3=True),
]
BY_NAME = {each.name: each for each in FORMATS}


def entry(name: str, kind: int, value: float | bytes) -> bytes:
    """One of the header's entries."""
    if isinstance(value, bytes):
        padded = value + bytes(-len(value) % 8)
        return struct.pack("<32siIq", name.encode(), -1, kind, len(padded)) + padded
    packed = struct.pack("<d" if kind == FLOAT8 else "<q", value)
    return struct.pack("<32siI", name.encode(), -1, kind) + packed


def file(
    kind: Format, records: Records, tick_s: float, step_s: float = 0.0, promised: int | None = None
) -> bytes:
    """The whole file."""
    count = len(records) if promised is None else promised
    header = [
        b"PQTTTR\0\0" + b"1.0.00\0\0",
        entry("File_GUID", ANSI, b"{0}"),
        entry("TTResultFormat_TTTRRecType", INT8, kind.code),
        entry("MeasDesc_GlobalResolution", FLOAT8, tick_s),
        entry("MeasDesc_Resolution", FLOAT8, step_s),
        entry("TTResult_NumberOfRecords", INT8, count),
        entry("Header_End", EMPTY, 0),
    ]
    return b"".join(header) + records.astype("<u4").tobytes()


def records(
    kind: Format, ticks: Ints, channels: Ints, delays: Ints | None = None, sync: int = -1
) -> Records:
    """Sorted ticks (T3: counts of syncs) with overflow records in between; `sync` marks syncs."""
    wraps, rest = np.divmod(ticks, kind.wrap)
    more = np.diff(wraps, prepend=0)
    words = _pico(kind, rest, channels, delays) if kind.pico else _hydra(rest, channels, delays)
    if not kind.pico:
        words = np.where(channels == sync, (1 << 31) | rest, words)  # special bit, channel 0
    most = 1 if not kind.counted else 1023 if kind.t3 else (1 << 25) - 1
    needed = -(-more // most)
    before = np.repeat(np.arange(len(more)), needed)
    counts = np.full(len(before), most)
    ends = np.cumsum(needed)[needed > 0] - 1
    counts[ends] = (more - (needed - 1) * most)[needed > 0]
    overflow = (127 << 25) | (counts if kind.counted else 0 * counts)
    if kind.pico:
        overflow = np.full(len(counts), 15 << 28)
    return np.insert(words, before, overflow).astype(np.uint32)


def marker(kind: Format, tick: int = 0) -> int:
    """A record that is neither click nor overflow."""
    if kind.pico:
        return (15 << 28) | ((1 << 16) | tick if kind.t3 else 1)
    return (1 << 31) | (1 << 25) | tick


def _pico(kind: Format, rest: Ints, channels: Ints, delays: Ints | None) -> Ints:
    if kind.t3 and delays is not None:
        return (channels << 28) | (delays << 16) | rest
    return (channels << 28) | rest


def _hydra(rest: Ints, channels: Ints, delays: Ints | None) -> Ints:
    return (channels << 25) | rest if delays is None else (channels << 25) | (delays << 10) | rest
