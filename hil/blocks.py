"""Noise that no command changes, worked out for many cells at once and kept for a while."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from hil.keyed import Floats, Ints

SIZE = 1024


class Blocks:
    """Rows of noise, a column for each cell; `made` must not care how cells are grouped."""

    def __init__(self, made: Callable[[Ints], Floats]) -> None:
        self._made = made
        self._block = lru_cache(maxsize=4)(lambda n: made(np.arange(n * SIZE, (n + 1) * SIZE)))

    def over(self, first: int, end: int) -> Floats:
        """The cells from the first to before the end."""
        block, last = first // SIZE, (end - 1) // SIZE
        start = block * SIZE
        if block == last:
            return np.asarray(self._block(block)[:, first - start : end - start])
        joined = np.concatenate([self._block(n) for n in range(block, last + 1)], axis=1)
        return joined[:, first - start : end - start]

    def at(self, cells: range) -> Floats:
        """Some cells, perhaps far from each other."""
        if cells.step == 1:
            return self.over(cells.start, cells.stop)
        return self._made(np.arange(cells.start, cells.stop, cells.step))

    def forget(self) -> None:
        """What it was made from has changed."""
        self._block.cache_clear()
