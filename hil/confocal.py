"""How strongly a spot of light excites a point, and how much of the answer reaches the fibre."""

from functools import lru_cache

import numpy as np

from hil.diffraction import into_core, radial
from hil.keyed import Floats
from hil.nature import OpticsNature

REACH_UM = 2.0  # beyond it, to the side, nothing is excited or collected
HEIGHT_UM = 2.5  # the same, up and down
STEP_UM = 0.01
HEIGHT_STEP_UM = 0.05
MIDDLE = round(HEIGHT_UM / HEIGHT_STEP_UM)
ROWS = 2 * MIDDLE + 1


class Confocal:
    """Excitation and collection; each is 1 where it is best.

    `seen_um2` and `lit_um2` are the areas of evenly glowing chip that send as much light, lit
    evenly or by the spot, as if all of it were collected.
    """

    def __init__(self, optics: OpticsNature) -> None:
        self._corners = _corners(optics)
        radii_um = np.arange(0.0, REACH_UM, STEP_UM)
        excited, collected = self.at(radii_um, np.zeros(len(radii_um)))
        ring_um2 = 2.0 * np.pi * radii_um * STEP_UM
        self.seen_um2 = float(np.sum(collected * ring_um2))
        self.lit_um2 = float(np.sum(excited * collected * ring_um2))

    def at(self, distance_um: Floats, height_um: Floats) -> tuple[Floats, Floats]:
        """Both, for each distance from the axis and height.

        Straight in their squares between tabled values: the top is round for the smallest move.
        """
        column = np.minimum(distance_um, REACH_UM) / STEP_UM
        row = np.clip(height_um, -HEIGHT_UM, HEIGHT_UM) / HEIGHT_STEP_UM
        i, j = np.floor(column), np.floor(row)
        column = (column * column - i * i) / (2.0 * i + 1.0)
        row = (row * row - j * j) / (2.0 * j + 1.0)
        node = (i * ROWS + (j + MIDDLE)).astype(np.int64)
        here, up, out, both = (table.take(node, axis=1) for table in self._corners)
        found = here + row * up + column * (out + row * both)
        return found[0], found[1]


@lru_cache(maxsize=8)
def _corners(optics: OpticsNature) -> tuple[Floats, ...]:
    """Value, differences to the next in height and in distance, and of both; (2, nodes) each."""
    table = _tables(optics)
    up = np.diff(table, axis=2, append=0.0)
    out = np.diff(table, axis=1, append=0.0)
    both = np.diff(out, axis=2, append=0.0)
    return tuple(values.reshape(2, -1) for values in (table, up, out, both))


def _tables(optics: OpticsNature) -> Floats:
    radii_um = np.arange(0.0, REACH_UM + optics.fibre_core_um + STEP_UM, STEP_UM)
    nodes = round(REACH_UM / STEP_UM) + 1
    heights_um = np.linspace(-HEIGHT_UM, HEIGHT_UM, round(2 * HEIGHT_UM / HEIGHT_STEP_UM) + 1)
    excitation = radial(optics, optics.pump_um, radii_um[:nodes], heights_um)
    emission = radial(optics, optics.emission_um, radii_um, heights_um)
    collection = into_core(radii_um, emission, optics.fibre_core_um)[:nodes]
    tables = np.stack((excitation / excitation.max(), collection / collection.max()))
    tables[:, -1] = 0.0
    tables[:, :, (0, -1)] = 0.0
    return np.asarray(tables)
