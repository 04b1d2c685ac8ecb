"""Counts and time tags of two detectors behind one splitter, from one stream of photons."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from hil.arrivals import CELL_PS, Arrivals, Habits, emitted, scattered
from hil.cells import CELL_S, Cells, Counting
from hil.chance import keyed_bits
from hil.foresight import Foresight
from hil.keyed import Bits, Floats, Ints, bits, counts, grouped, uniforms
from hil.spad import CELL_BITS, Spad

CELLS_AT_ONCE = 1024
TAGGED_AT_ONCE = 256  # so that what is worked on stays in the processor's cache
TINY_CPS = 1e-12
_PHOTONS, _STAYS, _DETECTOR, _TOGETHER = range(3, 7)


class Photons:
    """The stream behind the splitter; tags are the very clicks that are counted."""

    def __init__(self, counting: Counting, spads: tuple[Spad, Spad], seed: int) -> None:
        self._spads, self._seed = spads, seed
        self._settled = lru_cache(maxsize=8)(counting.cells)
        self._tagged = lru_cache(maxsize=8)(self._tag)
        self._foresight: Foresight | None = None

    def foresee(self, barrier: Callable[[int], int]) -> Callable[[int], None]:
        """Count ahead of time, up to the next barrier; returns what must be told of changes."""
        settled = self._settled.__wrapped__
        self._foresight = Foresight(settled, self._coinciding, barrier)
        return self._foresight.changed

    def look_ahead(self, most_cells: int) -> None:
        """No further than that at once: whoever shares the loop waits for it."""
        if self._foresight is not None:
            self._foresight.most = most_cells

    def counts(self, since_ps: int, until_ps: int) -> tuple[int, int]:
        """Clicks of both detectors in the interval, its end excluded."""
        if self._foresight and not (since_ps % CELL_PS or until_ps % CELL_PS):
            return self._foresight.clicks(since_ps // CELL_PS, until_ps // CELL_PS)
        whole, split = _whole_cells(since_ps, until_ps)
        total = np.zeros(2, np.int64)
        for first, end in whole:
            total += self._settled(first, end).clicks.sum(axis=1)
        for cell in split:
            times_ps, channels = self._tagged(cell, cell + 1)
            inside = slice(*np.searchsorted(times_ps, (since_ps, until_ps)))
            total += np.bincount(channels[inside], minlength=2)
        return int(total[0]), int(total[1])

    def gate(self, first: int, end: int, within_ps: int) -> tuple[int, int, int]:
        """Clicks of both detectors and coincidences in whole cells of one scene."""
        if self._foresight is not None:
            return self._foresight.gate(first, end, within_ps)
        span_ps = first * CELL_PS, end * CELL_PS
        return (*self.counts(*span_ps), self.coincidences(*span_ps, within_ps))

    def tags(self, since_ps: int, until_ps: int) -> tuple[Ints, Ints]:
        """Rising times in ps and the channel of each."""
        whole, split = _whole_cells(since_ps, until_ps, TAGGED_AT_ONCE)
        found = [self._tagged(*piece) for piece in sorted([*whole, *((n, n + 1) for n in split)])]
        times_ps = np.concatenate([np.zeros(0, np.int64), *(times for times, _ in found)])
        channels = np.concatenate([np.zeros(0, np.int64), *(channel for _, channel in found)])
        inside = slice(*np.searchsorted(times_ps, (since_ps, until_ps)))
        return times_ps[inside], channels[inside]

    def coincidences(self, since_ps: int, until_ps: int, within_ps: int) -> int:
        """Pairs, one click each, no further apart; drawn from their law, not counted from tags."""
        if self._foresight and not (since_ps % CELL_PS or until_ps % CELL_PS):
            cells = since_ps // CELL_PS, until_ps // CELL_PS
            return self._foresight.coincidences(*cells, within_ps)
        whole, split = _whole_cells(since_ps, until_ps)
        key, total = keyed_bits(self._seed, _TOGETHER, within_ps), 0
        for first, end in whole:
            total += int(self._coinciding(self._settled(first, end), within_ps).sum())
        for cell in split:
            number = self._coinciding(self._settled(cell, cell + 1), within_ps)
            own = np.full(int(number[0]), cell)
            drawn = bits(key, grouped(np.array([cell]), number))
            at_ps = uniforms(drawn) * CELL_PS + own * CELL_PS
            total += int(np.count_nonzero((at_ps >= since_ps) & (at_ps < until_ps)))
        return total

    def _coinciding(self, cells: Cells, within_ps: int) -> Ints:
        key = keyed_bits(self._seed, _TOGETHER, within_ps)
        return counts(_pairs(cells, within_ps * 1e-12), uniforms(bits(key, cells.number)))

    def _tag(self, first: int, end: int) -> tuple[Ints, Ints]:
        start_ps = first * CELL_PS
        found = self._clicks(self._settled(first, end), 1)
        mixed = np.concatenate([(times - start_ps) * 2 + n for n, times in found])
        mixed.sort()
        return (mixed >> 1) + start_ps, mixed & 1

    def _clicks(self, cells: Cells, effort: int) -> list[tuple[int, Ints]]:
        """Channels, and times that belong to each; cells in which too few click are done again."""
        sent = np.array(
            [spad.photons_for(cells.seen[n], effort) for n, spad in enumerate(self._spads)]
        )
        arrivals, short, found = self._arrivals(cells, sent), np.zeros(len(cells.number), bool), []
        for n, spad in enumerate(self._spads):
            mine = arrivals.channel == n
            arrived = (arrivals.cell[mine] << CELL_BITS) | arrivals.time_ps[mine].astype(np.int64)
            key = keyed_bits(self._seed, _DETECTOR, n, effort)
            found.append(spad.clicks(arrived, cells.seen[n], cells.again[n], cells.number, key))
            short |= np.bincount(found[n] >> CELL_BITS, minlength=len(short)) < cells.clicks[n]
        settled = []
        for n, times in enumerate(found):
            own, within_ps = times >> CELL_BITS, times & ((1 << CELL_BITS) - 1)
            settled.append((n, (cells.number[own] * CELL_PS + within_ps)[~short[own]]))
        if short.any():
            settled += self._clicks(cells.only(np.flatnonzero(short)), 4 * effort)
        return settled

    def _arrivals(self, cells: Cells, sent: Ints) -> Arrivals:
        """So many photons for each channel and cell, each from one of the emitters or the rest."""
        cell, number = np.tile(np.arange(len(cells.number)), 2), sent.ravel()
        names = np.concatenate((2 * cells.number, 2 * cells.number + 1))
        drawn = bits(keyed_bits(self._seed, _PHOTONS), grouped(names, number))
        cell, channel = np.repeat(cell, number), np.repeat((0, 1), sent.sum(axis=1))
        origin = _origin(cells, channel, cell, drawn)
        pieces = []
        for row in range(len(cells.which) + 1):
            mine = origin == row
            pieces.append(self._from(cells, row, cell[mine], channel[mine], drawn[mine]))
        return Arrivals(*(np.concatenate(field) for field in zip(*pieces, strict=True)))

    def _from(self, cells: Cells, row: int, cell: Ints, channel: Ints, drawn: Bits) -> Arrivals:
        if row == len(cells.which):
            return scattered(cell, channel, drawn)
        habits = Habits(
            short_ps=_short_s(cells)[row] * 1e12,
            dark_ps=cells.shelved[row] * CELL_PS,
            dark_per_bright=cells.dark_per_bright[row],
            stay_ps=cells.are.shelf_s[row].item() * 1e12,
        )
        key = keyed_bits(self._seed, _STAYS, int(cells.which[row]))
        return emitted(cell, channel, drawn, habits, cells.number, key)


def _short_s(cells: Cells) -> Floats:
    """1 / (pump + decay), where s / (1 + s) of the time is spent excited."""
    return np.asarray(cells.are.lifetime_s * (1.0 - cells.excitation))


def _origin(cells: Cells, channel: Ints, cell: Ints, drawn: Bits) -> Ints:
    """The row of `parts_cps` that each photon comes from, by its lowest 16 bits."""
    reached = np.cumsum(cells.parts_cps, axis=0)
    edges = np.ceil(reached[:-1] / np.maximum(reached[-1], TINY_CPS) * 65_536).astype(np.int64)
    low = (drawn & np.uint64(0xFFFF)).astype(np.int64)
    origin = np.zeros(len(low), np.int64)
    for edge in edges:
        origin += low >= edge[channel, cell]
    return origin


def _pairs(cells: Cells, within_s: float) -> Floats:
    """Expected coincidences in each cell: chance ones, less those that each emitter forbids."""
    share = cells.parts_cps[:-1] / np.maximum(cells.parts_cps.sum(axis=0), TINY_CPS)
    slow_s = cells.are.shelf_s / (1.0 + cells.dark_per_bright)
    met = 1.0 - (1.0 + cells.dark_per_bright) * _mean_decay(_short_s(cells), within_s)
    met += cells.dark_per_bright * _mean_decay(slow_s, within_s)
    forbidden = np.sum(share[:, 0] * share[:, 1] * (1.0 - met), axis=0)
    chance = cells.clicks[0] * cells.clicks[1] * (2.0 * within_s / CELL_S)
    return np.asarray(chance * np.maximum(1.0 - forbidden, 0.0))


def _mean_decay(time_s: Floats, within_s: float) -> Floats:
    """Of exp(-t / time) from 0 to there."""
    return np.asarray(-np.expm1(-within_s / time_s) * time_s / within_s)


def _whole_cells(
    since_ps: int, until_ps: int, at_once: int = CELLS_AT_ONCE
) -> tuple[list[tuple[int, int]], list[int]]:
    """The cells that lie wholly inside, so many at once, and those that only begin or end there."""
    first, end = -(-since_ps // CELL_PS), until_ps // CELL_PS
    split = {since_ps // CELL_PS} if since_ps % CELL_PS else set()
    split |= {end} if until_ps % CELL_PS else set()
    starts = range(first, end, at_once)
    return [(start, min(start + at_once, end)) for start in starts], sorted(split)
