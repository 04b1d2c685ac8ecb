"""From blocks of PicoQuant records to tags in picoseconds, one block after the other."""

from typing import NamedTuple, Protocol

import numpy as np

from optics.native import Int64s, UInt32s
from optics.ptu_records import hydra_t2, hydra_t3, pico_t2, pico_t3
from optics.tags import Tags

LATEST_PS = 1 << 62
PICOSECONDS = 1e12

# How records are read, when their clock wraps, and whether overflow records hold a count.
HYDRA_T2, HYDRA_T3 = (hydra_t2, 33554432, 1), (hydra_t3, 1024, 1)
T2 = {
    0x00010203: (pico_t2, 210698240, 0),  # PicoHarp 300
    0x00010204: (hydra_t2, 33552000, 0),  # HydraHarp, version 1
    0x01010204: HYDRA_T2,
    0x00010205: HYDRA_T2,  # TimeHarp 260 N
    0x00010206: HYDRA_T2,  # TimeHarp 260 P
    0x00010207: HYDRA_T2,  # MultiHarp and later
}
T3 = {
    0x00010303: (pico_t3, 65536, 0),
    0x00010304: (hydra_t3, 1024, 0),
    0x01010304: HYDRA_T3,
    0x00010305: HYDRA_T3,
    0x00010306: HYDRA_T3,
    0x00010307: HYDRA_T3,
}


class Unit(NamedTuple):
    """A number of picoseconds, whole and rest apart, so that neither is lost in a long time."""

    whole: int
    rest: float

    @classmethod
    def of(cls, seconds: float) -> "Unit":
        """2.5e-8 s are 25000 ps without rest, though no binary fraction says so."""
        value = seconds * PICOSECONDS
        if abs(value - round(value)) < 1e-13 * value:
            return cls(round(value), 0.0)
        return cls(int(value), value % 1)


class Decoded(NamedTuple):
    """Tags, and the time before which no later block holds any."""

    tags: Tags
    horizon_ps: int


class Decoder(Protocol):
    """Keeps the clock from block to block; `overrun` when it ran past what 64 bits hold."""

    overrun: bool

    def decode(self, records: UInt32s) -> Decoded:
        """The clicks in the next block."""


class T2Decoder:
    """Time since the start of the measurement."""

    def __init__(self, kind: int, tick: Unit) -> None:
        self._read, self._wrap, self._counted = T2[kind]
        self._tick = tick
        self._clock = np.zeros(1, np.int64)
        self._latest = LATEST_PS // (tick.whole + 1)
        self.overrun = False

    def decode(self, records: UInt32s) -> Decoded:
        n = len(records)
        ticks, channels = np.empty(n, np.int64), np.empty(n, np.uint8)
        kept = self._read(
            records, n, self._wrap, self._counted, self._latest, self._clock, ticks, channels
        )
        self.overrun = int(self._clock[0]) >= self._latest
        times = in_picoseconds((ticks[:kept], self._tick))
        return Decoded(Tags(times, channels[:kept]), int(times[-1]) if kept else 0)


class T3Decoder:
    """A count of syncs, and the time since the last, which may be longer than a period."""

    def __init__(self, kind: int, tick: Unit, step: Unit) -> None:
        self._read, self._wrap, self._counted = T3[kind]
        self._tick, self._step = tick, step
        self._clock = np.zeros(1, np.int64)
        self._latest = LATEST_PS // (tick.whole + 1)
        self.overrun = False

    def decode(self, records: UInt32s) -> Decoded:
        n = len(records)
        syncs, delays, channels = (
            np.empty(n, np.int64),
            np.empty(n, np.int64),
            np.empty(n, np.uint8),
        )
        kept = self._read(
            records, n, self._wrap, self._counted, self._latest,
            self._clock, syncs, delays, channels,
        )  # fmt: skip
        self.overrun = int(self._clock[0]) >= self._latest
        syncs, delays = syncs[:kept], delays[:kept]
        times = in_picoseconds((syncs, self._tick), (delays, self._step))
        tags = Tags(times, channels[:kept], in_picoseconds((delays, self._step)))
        last = syncs[-1:] if kept else self._clock
        return Decoded(tags, int(in_picoseconds((last, self._tick))[0]))


def in_picoseconds(*terms: tuple[Int64s, Unit]) -> Int64s:
    """The sum of counts in their units, rounded once."""
    (counts, unit), *more = terms
    total: Int64s = counts if unit.whole == 1 else counts * unit.whole
    for counts, unit in more:
        total = total + counts * unit.whole
    if any(unit.rest for _, unit in terms):
        rest = sum(counts * unit.rest for counts, unit in terms)
        total = total + np.rint(rest).astype(np.int64)
    return total
