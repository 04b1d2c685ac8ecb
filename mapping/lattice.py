"""Is a map periodic, and if so, what is its lattice."""

from typing import NamedTuple

import numpy as np

from mapping.grid import Floats, Grid, Ints

NEAR = 1.6  # nearest distances in which both vectors of any reduced lattice lie
ALIKE = 0.2  # of a nearest distance; differences within it are the same vector
COMMON = 0.4  # of the sites must have a neighbour at each vector
ON_NODE = 0.7  # of the sites must lie near a node of their own
SAMPLE = 50
LEAST_SITES = 12
SYMMETRIES_DEG = (0, 60, 90, 120, 180, 240, 270, 300)


class Lattice(NamedTuple):
    """Nodes are origin + index @ basis; sites scatter about them by `spread_um` per axis."""

    basis_um: Floats
    origin_um: Floats
    spread_um: float
    cells: Ints  # (n, 2), the index of each site's node

    @property
    def pitch_um(self) -> float:
        return float(np.linalg.norm(self.basis_um, axis=1).min())

    def nodes(self, radius_um: float) -> Ints:
        """Indices of all nodes within a radius of the origin."""
        across = np.ceil(radius_um * np.abs(np.linalg.inv(self.basis_um)).sum(axis=0)).astype(int)
        mesh = np.mgrid[-across[0] : across[0] + 1, -across[1] : across[1] + 1]
        index = mesh.reshape(2, -1).T
        near: Ints = index[np.linalg.norm(index @ self.basis_um, axis=1) <= radius_um]
        return near

    def symmetries(self) -> list[tuple[float, Ints]]:
        """Turns that lay the lattice on itself: the angle, and what it does to an index."""
        found = []
        for angle in np.radians(SYMMETRIES_DEG):
            cos, sin = np.cos(angle), np.sin(angle)
            turned = self.basis_um @ np.array([[cos, sin], [-sin, cos]])
            change = turned @ np.linalg.inv(self.basis_um)
            if np.abs(change - np.rint(change)).max() < 0.1:
                found.append((float(angle), np.rint(change).astype(np.intp)))
        return found


def lattice_of(at_um: Floats) -> Lattice | None:
    """The lattice on which most points lie, if there is one."""
    if len(at_um) < LEAST_SITES:
        return None
    cell = float(np.sqrt(np.maximum(np.ptp(at_um, axis=0), 1e-3).prod() / len(at_um)))
    one, other = Grid(at_um, cell).near(at_um, np.full(len(at_um), 2 * cell))
    apart = at_um[other] - at_um[one]
    length = np.linalg.norm(apart, axis=1)
    nearest = np.full(len(at_um), np.inf)
    np.minimum.at(nearest, one[one != other], length[one != other])
    gap = float(np.median(nearest))
    apart = apart[(length > gap / 2) & (length < NEAR * gap)]
    first = _commonest(apart, len(at_um), gap)
    if first is None:
        return None
    across = np.abs(apart[:, 0] * first[1] - apart[:, 1] * first[0])
    second = _commonest(apart[across > 0.5 * gap * np.linalg.norm(first)], len(at_um), gap)
    if second is None:
        return None
    return _extended(at_um, np.stack([first, second]))


def _commonest(apart: Floats, sites: int, gap_um: float) -> Floats | None:
    """The mean of the differences that crowd most, if enough sites share them."""
    if len(apart) < COMMON * sites:
        return None
    some = apart[:: max(len(apart) // SAMPLE, 1)]
    alike = Grid(apart, ALIKE * gap_um).near(some, np.full(len(some), ALIKE * gap_um))
    counts = np.bincount(alike[0], minlength=len(some))
    if counts.max() < COMMON * sites:
        return None
    mean: Floats = apart[alike[1][alike[0] == counts.argmax()]].mean(axis=0)
    return mean


def _extended(at_um: Floats, basis_um: Floats) -> Lattice | None:
    """Number the sites outwards from the middle, and fit the basis as the reach grows."""
    middle = np.median(at_um, axis=0)
    origin = at_um[((at_um - middle) ** 2).sum(axis=1).argmin()]
    away = np.linalg.norm(at_um - origin, axis=1)
    pitch = float(np.linalg.norm(basis_um, axis=1).min())
    reach = 3 * pitch
    while True:
        near = away <= reach
        index = np.rint((at_um - origin) @ np.linalg.inv(basis_um))
        rest = at_um - origin - index @ basis_um
        good = near & (np.abs(rest).max(axis=1) < 0.3 * pitch)
        if good.sum() < LEAST_SITES / 2 or good.sum() < ON_NODE * near.sum():
            return None
        ground = np.column_stack([index[good], np.ones(good.sum())])
        solved = np.linalg.lstsq(ground, at_um[good], rcond=None)[0]
        basis_um, origin = solved[:2], solved[2]
        if near.all():
            break
        reach *= 1.6
    spread = 1.4826 * float(np.median(np.abs(rest[good])))
    return Lattice(basis_um, origin, spread, index.astype(np.intp))
