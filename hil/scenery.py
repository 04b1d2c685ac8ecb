"""What glows on a chip besides emitters: uneven fluorescence, dislocations, fabricated marks.

The fluorescence is a few plane waves and the rest straight pieces, because both can be asked
for at a point (a scan) and drawn over a whole image without asking at each pixel.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from hil.emitters import Emitters
from hil.keyed import Flags, Floats, even_log, generator
from hil.nature import ChipNature

WAVES = 5
REACH = 4.0  # widths; beyond it a piece is dark
_WAVES, _PIECES = 3, 4
RING_RADII_UM = (0.9, 1.5, 2.1)
RING_SIDES = 16
CROSS_ARM_UM = 4.0
MARK_WIDTH_UM = 0.15


@dataclass(frozen=True)
class Pieces:
    """Straight lines of light with a Gaussian profile."""

    from_um: Floats  # (n, 2)
    to_um: Floats
    glow: Floats
    width_um: Floats

    def near(self, point_um: Floats, within_um: float) -> "Pieces":
        """Those that may be seen within that distance of the point."""
        close = self._distance_um(point_um[None, :])[:, 0] < within_um + REACH * self.width_um
        return Pieces(
            self.from_um[close], self.to_um[close], self.glow[close], self.width_um[close]
        )

    def at(self, points_um: Floats) -> Floats:
        """Light at each point (n, 2), in units of the chip's mean fluorescence."""
        off = self._distance_um(points_um) / self.width_um[:, None]
        light = np.where(off < REACH, np.exp(-0.5 * off * off), 0.0)
        return np.asarray(np.sum(self.glow[:, None] * light, axis=0))

    def _distance_um(self, points_um: Floats) -> Floats:
        """From each line (rows) to each point (columns)."""
        along = self.to_um - self.from_um
        length2 = np.sum(along * along, axis=1)
        to_point = points_um[None, :, :] - self.from_um[:, None, :]
        share = np.einsum("lpk,lk->lp", to_point, along) / length2[:, None]
        foot = to_point - np.clip(share, 0.0, 1.0)[:, :, None] * along[:, None, :]
        return np.asarray(np.hypot(foot[..., 0], foot[..., 1]))


@dataclass(frozen=True)
class Scenery:
    """All that glows; 1 is the chip's mean fluorescence."""

    width_um: float
    amplitude: Floats
    wave_per_um: Floats  # (WAVES, 2), radians
    phase_rad: Floats
    pieces: Pieces

    def at(self, points_um: Floats, pieces: Pieces) -> Floats:
        """At each point (n, 2); `pieces` are those that may be seen there."""
        light = np.cos(points_um @ self.wave_per_um.T + self.phase_rad) @ self.amplitude
        light += 1.0
        if len(pieces.glow):
            light += pieces.at(points_um)
        if np.abs(points_um).max() > self.width_um / 2:
            light *= self.covers(points_um)
        return np.asarray(light)

    def covers(self, points_um: Floats) -> Flags:
        """Where there is a chip at all."""
        away_um = np.maximum(np.abs(points_um[..., 0]), np.abs(points_um[..., 1]))
        return np.asarray(away_um <= self.width_um / 2)


def lay_out(nature: ChipNature, seed: int, emitters: Emitters) -> Scenery:
    """The same seed, the same scenery."""
    rng = generator(seed, _WAVES)
    scale_um = even_log(rng, nature.uneven_um, WAVES)
    angle = rng.uniform(0.0, 2.0 * math.pi, WAVES)
    wave = 2.0 * math.pi / scale_um[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))
    amplitude = np.full(WAVES, nature.unevenness * math.sqrt(2.0 / WAVES))
    phase = rng.uniform(0.0, 2.0 * math.pi, WAVES)
    return Scenery(nature.width_um, amplitude, wave, phase, _pieces(nature, seed, emitters))


def _pieces(nature: ChipNature, seed: int, emitters: Emitters) -> Pieces:
    rng, n = generator(seed, _PIECES), nature.dislocations
    start = rng.uniform(-nature.width_um / 2, nature.width_um / 2, (n, 2))
    length, angle = rng.uniform(*nature.dislocation_um, n), rng.uniform(0.0, 2.0 * math.pi, n)
    end = start + length[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))
    marks = np.array([*_rings(emitters), *_crosses(nature)]).reshape(-1, 4)
    glow = np.repeat((nature.dislocation_glow, nature.mark_glow), (n, len(marks)))
    width = np.repeat((nature.dislocation_width_um, MARK_WIDTH_UM), (n, len(marks)))
    return Pieces(np.vstack((start, marks[:, :2])), np.vstack((end, marks[:, 2:])), glow, width)


def _rings(emitters: Emitters) -> list[tuple[float, ...]]:
    corners = [
        (math.cos(2.0 * math.pi * k / RING_SIDES), math.sin(2.0 * math.pi * k / RING_SIDES))
        for k in range(RING_SIDES + 1)
    ]
    return [
        (x + radius * c0, y + radius * s0, x + radius * c1, y + radius * s1)
        for x, y, _ in emitters.place_um[emitters.in_bullseye]
        for radius in RING_RADII_UM
        for (c0, s0), (c1, s1) in itertools.pairwise(corners)
    ]


def _crosses(nature: ChipNature) -> list[tuple[float, ...]]:
    if not nature.cross_pitch_um:
        return []
    most = int(nature.width_um / 2 // nature.cross_pitch_um)
    grid = [nature.cross_pitch_um * k for k in range(-most, most + 1)]
    arm = CROSS_ARM_UM / 2
    return [
        line
        for x, y in itertools.product(grid, grid)
        for line in ((x - arm, y, x + arm, y), (x, y - arm, x, y + arm))
    ]
