"""A chip: its emitters, its scenery, and who is near a place."""

import numpy as np
from scipy.spatial import KDTree

from hil.emitters import grow
from hil.keyed import Floats, Ints
from hil.nature import ChipNature
from hil.scenery import lay_out


class Chip:
    """The same seed, the same chip."""

    def __init__(self, nature: ChipNature, seed: int) -> None:
        self.nature, self.seed = nature, seed
        self.emitters = grow(nature, seed)
        self.scenery = lay_out(nature, seed, self.emitters)
        self._tree = KDTree(self.emitters.place_um[:, :2]) if len(self.emitters) else None

    def within(self, middle_um: Floats, reach_um: float) -> Ints:
        """The emitters no further than that, rising."""
        if self._tree is None:
            return np.zeros(0, np.int64)
        return np.array(sorted(self._tree.query_ball_point(middle_um, reach_um)), np.int64)
