"""What was observed, and how likely it is that chance made it."""

import math
from typing import NamedTuple

import numpy as np

from mapping.grid import Floats, Grid, Ints


class Field(NamedTuple):
    """What was observed, and how likely spots are where they are by chance."""

    at_um: Floats
    sigma_um: Floats
    low_um: Floats
    high_um: Floats
    log_chance: Floats  # per square micrometre, of each spot given all others
    log_uniform: float
    gathering: Floats  # (n, n): how likely each is beside each other, twice
    grid: Grid

    @property
    def centre_um(self) -> Floats:
        middle: Floats = (self.low_um + self.high_um) / 2
        return middle

    @property
    def half_um(self) -> float:
        return max(float((self.high_um - self.low_um).max()) / 2, 1e-3)

    def log_together(self, spots: Ints) -> float:
        """Of several spots, each given those before it: spread evenly, or gathering."""
        earlier = np.tril(self.gathering[np.ix_(spots, spots)], -1).sum(axis=1)
        near = earlier / np.maximum(np.arange(len(spots)), 1)
        gathered = np.log(0.5 * math.exp(self.log_uniform) + 0.25 * near)
        even = len(spots) * self.log_uniform
        return float(np.logaddexp(even, gathered.sum())) - math.log(2)

    def log_by_chance(self, spots: Ints) -> float:
        """Of some of the spots, given all others."""
        everyone = np.arange(len(self.at_um))
        return self.log_together(everyone) - self.log_together(np.setdiff1d(everyone, spots))


def field_of(at_um: Floats, sigma_um: Floats) -> Field:
    """The field's window is the box around its spots, widened by half a mean gap."""
    n = len(at_um)
    low, high = at_um.min(axis=0), at_um.max(axis=0)
    margin = np.maximum((high - low) / (2 * max(n - 1, 1)), 0.05)
    low, high = low - margin, high + margin
    size = float((high - low).max())
    uniform = 1.0 / float((high - low).prod())
    apart2 = ((at_um[:, None] - at_um) ** 2).sum(axis=2)
    np.fill_diagonal(apart2, np.inf)
    gathering = np.zeros((n, n))
    for width in (size / 8, size / 50):  # spots gather; what a crowd does is no coincidence
        gathering += np.exp(-apart2 / (2 * width**2)) / (2 * math.pi * width**2)
    density = 2 * uniform + gathering.sum(axis=1) / max(n - 1, 1)
    log_chance = np.log(np.maximum(density / 4, uniform))
    grid = Grid(at_um, size / math.sqrt(n))
    return Field(at_um, sigma_um, low, high, log_chance, math.log(uniform), gathering, grid)
