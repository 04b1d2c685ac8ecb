"""One emitter or two, from the shape of the dip at zero delay: odds that grow as photons come.

Under continuous light pairs of clicks keep apart by about a lifetime where one emitter sends them.
How long that is, and how far the metastable state lifts the shoulders, is not asked for but summed
over: so the odds need a tenth of the photons that a fit of g2(0) needs. The likelihood is that of
the pairs' delays alone; rates, and what drifts in them, do not enter.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from optics.clicks import Separator
from optics.close_pairs import Pairs
from optics.correlator import Binning
from optics.decay_shapes import Smear, two_sided_at
from optics.poisson_bounds import Floats
from optics.quantities import TagRun
from optics.tags import Tags

BIN_PS, WINDOW_PS = 250, 16_000
DIPS_NS = np.geomspace(0.4, 4.5, 12)  # lifetimes of 1 to 4 ns, shortened by pumping
LIFTS, SHELF_NS = (0.0, 0.2, 0.5), 40.0  # of the shoulders by the metastable state, at zero delay
TWO = (0.5, 0.4, 0.25, 0.1)  # depths of the dip of two equal emitters, of unequal ones, of several


class Filled(NamedTuple):
    """What fills a dip even of one emitter."""

    jitter_ps: float  # standard deviation of one detector
    background: float  # share of the clicks that are not the emitter's, dark ones included


class DipOdds:
    """Adds up pairs, run after run."""

    def __init__(self, by: Filled, delay_ps: int = 0) -> None:
        binning = Binning(BIN_PS, WINDOW_PS)
        self._pairs = Pairs(binning, delay_ps)
        away_ns = np.abs(binning.tau_ps) * 1e-3
        seen = [Smear(math.sqrt(2.0) * by.jitter_ps)]
        self._shapes = np.concatenate(
            [two_sided_at(1e3 * away_ns, 1e3 * dip, seen) for dip in DIPS_NS]
        )
        self._lifted = np.stack([1.0 + lift * np.exp(-away_ns / SHELF_NS) for lift in LIFTS])
        self._most = (1.0 - by.background) ** 2

    def add(self, run: TagRun) -> float:
        """One more run; the logarithm of the odds that one emitter shines, against two or more."""
        clicks = Separator(0, 1, None, sync_counts=True).take(Tags(run.time_ps, run.channel))
        self._pairs.add(clicks)
        counts = self._pairs.finish().astype(np.float64)
        return self._worth(counts, 1.0) - max(self._worth(counts, depth) for depth in TWO)

    def _worth(self, counts: Floats, depth: float) -> float:
        """The likelihood of a dip so deep, whatever its width and shoulders."""
        mean = self._lifted[:, None, :] * (1.0 - depth * self._most * self._shapes)[None, :, :]
        share = mean / mean.sum(axis=-1, keepdims=True)
        return float(logsumexp(np.log(share) @ counts) - math.log(share[..., 0].size))
