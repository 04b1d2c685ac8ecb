"""A single-photon counting module: from photons that it would detect to clicks.

Clicks are made to fit a number settled before: more photons are sent than needed, the
detector's own habits are applied to them, and of what clicks, so many are kept at random,
which changes no correlation.
"""

import math
from functools import cache

import numpy as np
from scipy.special import ndtri

from hil.arrivals import CELL_PS, QUANTILES, WAITING
from hil.chance import keyed_bits
from hil.keyed import Bits, Ints, bits, generator
from hil.nature import SpadNature

CELL_BITS = 30
"""A click is one integer: its cell above, the picosecond within the cell below."""
_TIME = (1 << CELL_BITS) - 1
MOST_CLICKS = 0.8
_ORDER_BITS = 20
_JITTER, _AFTERPULSE, _WAIT, _ORDER = 1, 2, 3, 4


class Spad:
    """One module."""

    def __init__(self, nature: SpadNature) -> None:
        self.nature = nature
        self._dead_s, self._dead_ps = nature.dead_ns * 1e-9, round(nature.dead_ns * 1e3)
        self._late_ps = _late_ps(nature)

    @property
    def most_clicks(self) -> int:
        """In one cell, well below what the dead time would allow."""
        return int(MOST_CLICKS * CELL_PS / max(self._dead_ps, 1))

    def photons_for(self, clicks: Ints, effort: int) -> Ints:
        """How many must come so that hardly ever too few click."""
        lost = np.minimum(clicks * (self._dead_ps / CELL_PS), 0.9)
        fair = clicks / (1.0 - lost)
        spare = effort * (1.0 + 5.0 * np.sqrt(fair * lost)) / (1.0 - lost)
        return np.asarray(np.where(clicks > 0, np.ceil(fair + spare), 0), np.int64)

    def clicks(self, arrived: Ints, seen: Ints, again: Ints, cells: Ints, key: int) -> Ints:
        """Rising: so many seen and so many afterpulses in each cell, or fewer if it cannot be."""
        drawn = bits(keyed_bits(key, _JITTER), _instants(arrived, cells))
        late_ps = self._late_ps[_low(drawn)]
        at_ps = (arrived & _TIME) + late_ps
        inside = (at_ps >= self._dead_ps) & (at_ps < CELL_PS)
        times = (arrived + late_ps)[inside]
        times.sort()
        times = _some(self._not_dead(times), seen, cells, keyed_bits(key, _ORDER))
        if again.any():
            times = np.concatenate((times, self._afterpulses(times, again, cells, key)))
            times.sort()
        return times

    def _not_dead(self, times: Ints) -> Ints:
        """Without those that come too soon after one that is counted; cells are far apart."""
        while True:
            soon = np.diff(times, prepend=-CELL_PS) < self._dead_ps
            if not soon.any():
                return times
            soon[1:] &= ~soon[:-1]
            times = times[~soon]

    def _afterpulses(self, times: Ints, again: Ints, cells: Ints, key: int) -> Ints:
        """So many in each cell, none in anybody's dead time."""
        drawn = bits(keyed_bits(key, _WAIT), _instants(times, cells))
        wait_ps = self._dead_ps + WAITING[_low(drawn)] * self.nature.afterpulse_ns * 1e3
        after = times + wait_ps.astype(np.int64)
        free = (times & _TIME) + wait_ps < CELL_PS
        free[:-1] &= after[:-1] + self._dead_ps <= times[1:]
        return _some(after[free], again, cells, keyed_bits(key, _AFTERPULSE))


def _some(times: Ints, wanted: Ints, cells: Ints, key: int) -> Ints:
    """So many of each cell, any with the same chance; rising."""
    own = times >> CELL_BITS
    order = bits(key, _instants(times, cells)) >> np.uint64(64 - _ORDER_BITS)
    mixed = (own << (_ORDER_BITS + CELL_BITS)) | (order.astype(np.int64) << CELL_BITS)
    mixed |= times & _TIME
    mixed.sort()
    number = np.bincount(own, minlength=len(wanted))
    first = np.cumsum(number) - number
    own = np.repeat(np.arange(len(wanted)), number)
    kept = np.arange(len(mixed)) - first[own] < wanted[own]
    times = (own[kept] << CELL_BITS) | (mixed[kept] & _TIME)
    times.sort()
    return times


def _instants(times: Ints, cells: Ints) -> Ints:
    """The same clicks, in the numbers that the cells have for everybody."""
    if not len(cells) or cells[-1] - cells[0] + 1 == len(cells):
        return np.asarray(times + (cells[:1].sum() << CELL_BITS))
    return np.asarray((cells[times >> CELL_BITS] << CELL_BITS) | (times & _TIME))


def _low(drawn: Bits) -> Ints:
    return (drawn & np.uint64(QUANTILES - 1)).astype(np.int64)


@cache
def _late_ps(nature: SpadNature) -> Ints:
    """65,536 draws of the jitter: Gaussian, for some with a diffusion tail."""
    rng = generator(_JITTER)
    sd_ps = nature.jitter_fwhm_ps / math.sqrt(8.0 * math.log(2.0))
    late_ps = sd_ps * ndtri((np.arange(QUANTILES) + 0.5) / QUANTILES)
    late_ps += np.where(rng.random(QUANTILES) < nature.jitter_tail, nature.jitter_tail_ps, 0.0) * (
        rng.standard_exponential(QUANTILES)
    )
    told = np.rint(late_ps).astype(np.int64)
    told.flags.writeable = False
    return told
