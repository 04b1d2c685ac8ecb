"""Random changes at random instants: what an emitter does by itself, without a tick.

A state follows from the latest change before the instant asked about, so nothing has to be
stepped: blinking is the latest of two kinds of change, of which one is activated by light.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from hil.chance import keyed_bits
from hil.keyed import Bits, Flags, Floats, Ints, bits, counts, uniforms

SURE = 64.0
"""Expected number of changes in a cell; that there is none has a chance of e^-64."""


def changes(
    key: int, rate_hz: float, cell_s: float, first_s: float, last_s: float
) -> tuple[Floats, Bits]:
    """Instants up to the last, from a cell before the first, and 64 bits to judge each by."""
    return _changes(key, rate_hz, cell_s, int(first_s // cell_s) - 1, int(last_s // cell_s) + 1)


@lru_cache(maxsize=1024)
def _changes(key: int, rate_hz: float, cell_s: float, first: int, end: int) -> tuple[Floats, Bits]:
    cells = np.arange(first, end)
    number = counts(np.full(len(cells), rate_hz * cell_s), uniforms(bits(key, cells)))
    cell, rank = np.repeat(cells, number), ranks(number)
    times_s = (cell + uniforms(bits(keyed_bits(key, 1), cell, rank))) * cell_s
    order = np.argsort(times_s)
    return times_s[order], bits(keyed_bits(key, 2), cell, rank)[order]


def ranks(number: Ints) -> Ints:
    """0, 1, 2... within each group of so many."""
    ends = np.cumsum(number)
    return np.arange(number.sum()) - np.repeat(ends - number, number)


def bright(
    key: int, off_hz: float, on_hz: float, times_s: Floats, activated: Callable[[Floats], Floats]
) -> Flags:
    """A telegraph: on at a rate of its own, off at a rate that the given share activates."""
    total_hz = off_hz + on_hz
    when_s, drawn = changes(key, total_hz, SURE / on_hz, times_s[0], times_s[-1])
    u = uniforms(drawn) * total_hz
    turns_on = u < on_hz
    happens = turns_on | (u - on_hz < off_hz * activated(when_s))
    latest = np.searchsorted(when_s[happens], times_s, side="right") - 1
    return np.asarray(turns_on[happens][latest])


def shifts(key: int, rate_hz: float, at_home: float, times_s: Floats) -> Floats:
    """Jumps between 0, so often at home, and any place from -1 to 1."""
    when_s, drawn = changes(key, rate_hz, SURE / rate_hz, times_s[0], times_s[-1])
    u = uniforms(drawn)
    place = np.where(u < at_home, 0.0, 2.0 * (u - at_home) / (1.0 - at_home) - 1.0)
    return np.asarray(place[np.searchsorted(when_s, times_s, side="right") - 1])
