"""From what the stage says to what the focus meets: the stage's own errors, the chip's pose."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hil.keyed import Floats, generator
from hil.nature import PoseNature, StageNature


class StageErrors:
    """The stage's axes are not quite as long, as straight and as square as it believes."""

    def __init__(self, nature: StageNature) -> None:
        (x, y, z), (lift_x, lift_y) = nature.scale_error, nature.lift_mrad
        skew = nature.skew_mrad * 1e-3
        self._matrix = np.array(
            [[1.0 + x, skew, 0.0], [0.0, 1.0 + y, 0.0], [lift_x * 1e-3, lift_y * 1e-3, 1.0 + z]]
        )
        self._centre_um = np.array(nature.centre_um)

    def true_um(self, stage_um: Floats) -> Floats:
        """Displacement from the middle of its travel, (n, 3)."""
        return np.asarray((self._matrix @ (stage_um - self._centre_um).T).T)

    def stage_um(self, true_um: Floats) -> Floats:
        """What the stage must say to be there."""
        return np.asarray(true_um @ np.linalg.inv(self._matrix).T + self._centre_um)


@dataclass(frozen=True)
class Pose:
    """How the chip lies: turned about the focus of the stage's middle, then shifted, tilted."""

    shift_um: tuple[float, float]
    height_um: float
    turn_rad: float
    tilt_rad: tuple[float, float]

    def on_chip_um(self, true_um: Floats) -> Floats:
        """Where on the chip, and how high above it, the focus is; (n, 3)."""
        return np.asarray((self._turn_and_tilt @ true_um.T + self._shift_um[:, None]).T)

    def off_chip_um(self, chip_um: Floats) -> Floats:
        """The way back."""
        return np.asarray((chip_um - self._shift_um) @ np.linalg.inv(self._turn_and_tilt).T)

    def turned(self, vector: Floats) -> Floats:
        """A direction in the plane, as the chip sees it."""
        return np.asarray(self._turn_and_tilt[:2, :2] @ vector)

    @cached_property
    def _turn_and_tilt(self) -> Floats:
        cos, sin = math.cos(self.turn_rad), math.sin(self.turn_rad)
        matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        matrix[2, :2] = -np.array(self.tilt_rad) @ matrix[:2, :2]
        return matrix

    @cached_property
    def _shift_um(self) -> Floats:
        lowered_um = self.height_um + float(np.dot(self.tilt_rad, self.shift_um))
        return np.array([*self.shift_um, -lowered_um])


def drawn_pose(nature: PoseNature, seed: int, power_cycle: int) -> Pose:
    """Another after each power cycle."""
    rng = generator(seed, power_cycle)
    x, y, height, turn, tilt_x, tilt_y = rng.standard_normal(6)
    turn_deg = np.clip(nature.turn_deg * turn, -nature.turn_limit_deg, nature.turn_limit_deg)
    return Pose(
        shift_um=(nature.shift_um * x, nature.shift_um * y),
        height_um=nature.height_um * height,
        turn_rad=math.radians(turn_deg),
        tilt_rad=(nature.tilt_mrad * tilt_x * 1e-3, nature.tilt_mrad * tilt_y * 1e-3),
    )
