"""How many clicks there are in each millisecond, settled before anybody looks inside one.

The number follows from seed, cell and the light at the cell's beginning, whoever asks, when,
for whatever interval; so the future does not change it, and sums always agree.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from hil.blocks import Blocks
from hil.chance import keyed_bits
from hil.emitters import Emitters
from hil.keyed import Flags, Floats, Ints, bits, counts, halves, normals
from hil.nature import OpticsNature
from hil.spad import Spad

CELL_S, CELLS_PER_S = 1e-3, 1000
WATCHED_EVERY = 100  # cells between looks back for light that has latched a detector
SHELVED_AT_MOST = 0.95  # of a cell
_SHELVING, _CLICKS = 1, 2


@dataclass(frozen=True)
class Glow:
    """What the optics collect, in rows of emitters and columns of cells (or one for all)."""

    which: Ints
    are: Emitters  # those emitters, every field (emitters, 1)
    cps: Floats  # mean, both detectors together, of the reference efficiency
    excitation: Floats  # s / (1 + s)
    background_cps: Floats  # by cell
    alive: Floats  # (2, cells): 1 where the detector works


@dataclass(frozen=True)
class Cells:
    """Some cells; the last axis of each array is the cell."""

    number: Ints
    which: Ints
    are: Emitters
    excitation: Floats
    dark_per_bright: Floats  # time in the third level over time out of it
    shelved: Floats  # share of this cell that each emitter spends there
    parts_cps: Floats  # (emitters + 1, 2, cells): detectable light by origin; last the rest
    seen: Ints  # clicks for a photon or a dark count, (2, cells)
    again: Ints  # afterpulses

    @property
    def clicks(self) -> Ints:
        """All of them."""
        return self.seen + self.again

    def only(self, which: Ints) -> "Cells":
        """Some of the cells; one column that stands for all goes on standing for them."""
        fields = {name: getattr(self, name) for name in _BY_CELL}
        by_cell = {n: f for n, f in fields.items() if f.shape[-1] == len(self.number)}
        return replace(self, **{name: field[..., which] for name, field in by_cell.items()})


_BY_CELL = ("number", "excitation", "dark_per_bright", "shelved", "parts_cps", "seen", "again")


class Counting:
    """`light` gives the glow of some cells, `brightest_cps` a bound on it from one to another."""

    def __init__(
        self,
        light: Callable[[range], Glow],
        brightest_cps: Callable[[int, int], float],
        optics: OpticsNature,
        spads: tuple[Spad, Spad],
        seed: int,
    ) -> None:
        self._light, self._brightest_cps = light, brightest_cps
        natures = [spad.nature for spad in spads]
        efficiency = _column([nature.efficiency for nature in natures])
        split = _column([optics.splitter_to_a, 1.0 - optics.splitter_to_a])
        self._share = split * efficiency / optics.reference_efficiency
        self._dark_cps = _column([nature.dark_cps for nature in natures])
        self._dead_s = _column([nature.dead_ns * 1e-9 for nature in natures])
        self._again = _column([nature.afterpulse_share for nature in natures])
        self._latch_cps = _column([nature.latch_cps for nature in natures])
        self._latched_cells = _column([nature.latched_s * CELLS_PER_S for nature in natures])
        self._most_clicks = np.array([[spad.most_clicks] for spad in spads])
        waits_s = _column([nature.afterpulse_ns * 1e-9 for nature in natures])
        self._forestalled_s = self._dead_s + waits_s
        keys = bits(keyed_bits(seed, _CLICKS), np.arange(2))[:, None]
        self._noise = Blocks(lambda cells: np.vstack(halves(bits(keys, cells))))
        self._shelving = lru_cache(maxsize=256)(lambda emitter: _normals(seed, emitter))

    def cells(self, first: int, end: int) -> Cells:
        """From the first to before the end."""
        glow = self._light(range(first, end))
        ratio = glow.are.shelved_most * glow.excitation
        shelved = self._shelved(first, end, glow, ratio)
        parts_cps = self._parts_cps(glow, (1.0 + ratio) * (1.0 - shelved))
        light_cps = parts_cps.sum(axis=0)
        # Mueller 1973: mean and variance for a dead time that light does not prolong.
        live = 1.0 / (1.0 + light_cps * self._dead_s)
        mean = light_cps * live * (CELL_S * glow.alive)
        if self._brightest_cps(first - int(self._latched_cells.max()), end) > self._latch_cps.min():
            mean *= ~self._latched(first, light_cps)
        noise = self._noise.over(first, end)
        seen = np.minimum(counts(mean, noise[:2], live * live), self._most_clicks)
        # A photon that comes earlier forestalls the afterpulse.
        again = self._again * np.exp(-light_cps * self._forestalled_s) * seen
        again = np.minimum(counts(again, noise[2:]), seen)
        return Cells(
            number=np.arange(first, end),
            which=glow.which,
            are=glow.are,
            excitation=glow.excitation,
            dark_per_bright=ratio,
            shelved=shelved,
            parts_cps=parts_cps,
            seen=seen,
            again=again,
        )

    def _parts_cps(self, glow: Glow, share_now: Floats) -> Floats:
        parts_cps = np.empty((len(glow.which) + 1, 2, share_now.shape[1]))
        parts_cps[:-1] = (glow.cps * share_now)[:, None, :] * self._share
        parts_cps[-1] = glow.background_cps * self._share + self._dark_cps
        return parts_cps

    def _shelved(self, first: int, end: int, glow: Glow, ratio: Floats) -> Floats:
        """Of many stays, hence normal: mean and variance of a telegraph's share."""
        noise = np.empty((len(glow.which), end - first))
        for row, emitter in enumerate(glow.which.tolist()):
            noise[row] = self._shelving(emitter).over(first, end)[0]
        bright = 1.0 / (1.0 + ratio)
        mean = ratio * bright
        noise *= np.sqrt((2.0 / CELL_S) * mean * glow.are.shelf_s) * bright
        noise += mean
        np.maximum(noise, 0.0, out=noise)
        return np.minimum(noise, SHELVED_AT_MOST, out=noise)

    def _latched(self, first: int, light_cps: Floats) -> Flags:
        """Where so much light falls, or fell not long ago, that a detector has shut itself off.

        What is long ago is looked at only now and then: a short flash blinds it while it lasts.
        """
        back = first - int(self._latched_cells.max())
        watched = range(-(-back // WATCHED_EVERY) * WATCHED_EVERY, first, WATCHED_EVERY)
        before_cps = self._light_cps(watched)
        overlit = np.concatenate((before_cps, light_cps), axis=1) > self._latch_cps
        number = np.array([*watched, *range(first, first + light_cps.shape[1])])
        noticed = overlit & (number % WATCHED_EVERY == 0)
        since = np.maximum.accumulate(np.where(noticed, number, -(1 << 40)), axis=1)
        return np.asarray(overlit | (number - since < self._latched_cells))[:, len(watched) :]

    def _light_cps(self, cells: range) -> Floats:
        if not cells:
            return np.zeros((2, 0))
        glow = self._light(cells)
        share = np.ones((len(glow.which), len(cells)))
        return np.asarray(self._parts_cps(glow, share).sum(axis=0))


def _normals(seed: int, emitter: int) -> Blocks:
    key = keyed_bits(seed, _SHELVING, emitter)
    return Blocks(lambda cells: normals(bits(key, cells))[None, :])


def _column(values: list[float]) -> Floats:
    return np.array(values, np.float64)[:, None]
