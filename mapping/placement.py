"""Where the chip lies under the stage: a chart between the two frames, both ways."""

import math
from typing import NamedTuple

from optics.quantities import ChipPoint, StagePoint

Matrix = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): stage x is a x + b y + c of the chip's x, y; stage y is d x + e y + f."""

UNMOVED: Matrix = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


class Placement(NamedTuple):
    """As one registration found it; good until the next power cycle, but for drift."""

    matrix: Matrix = UNMOVED
    lift_um: float = 0.0  # stage z of a site of chip z 0 at the chip's origin
    slope: tuple[float, float] = (0.0, 0.0)  # of the stage's z along the chip's x and y
    sigma_um: float = 0.0  # of a site's place beside it
    sigma_z_um: float = 0.0
    p_false: float = 0.0

    def on_stage(self, place: ChipPoint) -> StagePoint:
        """What the stage says when the focus is there."""
        a, b, c, d, e, f = self.matrix
        x, y, z = place
        lift = self.lift_um + self.slope[0] * x + self.slope[1] * y
        return StagePoint(a * x + b * y + c, d * x + e * y + f, z + lift)

    def on_chip(self, point: StagePoint) -> ChipPoint:
        """The way back."""
        a, b, c, d, e, f = self.matrix
        u, v, over = point.x_um - c, point.y_um - f, a * e - b * d
        x, y = (e * u - b * v) / over, (a * v - d * u) / over
        return ChipPoint(x, y, point.z_um - self.lift_um - self.slope[0] * x - self.slope[1] * y)

    def shifted(self, dx_um: float, dy_um: float, dz_um: float) -> "Placement":
        """The same chip, moved so far under the stage."""
        a, b, c, d, e, f = self.matrix
        moved = (a, b, c + dx_um, d, e, f + dy_um)
        return self._replace(matrix=moved, lift_um=self.lift_um + dz_um)

    @property
    def turn_rad(self) -> float:
        a, b, _, d, e, _ = self.matrix
        return math.atan2(d - b, a + e)

    @property
    def scale(self) -> float:
        a, b, _, d, e, _ = self.matrix
        return math.sqrt(abs(a * e - b * d))
