"""Units in names, frames of reference in types; no logic beyond membership.

Inside the code there is one unit per dimension: _um, _s, _hz, _uw, _k. A number in a
wrong unit is caught by reading; a point in a wrong frame by the type checker.
Pixel (0, 0) is the centre of the first pixel; x is the column.
"""

from typing import NamedTuple


class StagePoint(NamedTuple):
    """A place as the stage's own sensors name it; means nothing after a power cycle."""

    x_um: float
    y_um: float
    z_um: float


class ChipPoint(NamedTuple):
    """A place on the chip; keeps its meaning for as long as the chip exists."""

    x_um: float
    y_um: float
    z_um: float


class PixelPoint(NamedTuple):
    """A place in a camera frame."""

    x_px: float
    y_px: float


class StageBox(NamedTuple):
    """The closed box between two corners, in which the stage may stand."""

    low: StagePoint
    high: StagePoint

    def __contains__(self, point: object) -> bool:
        if not isinstance(point, StagePoint):
            return False
        spans = zip(self.low, point, self.high, strict=True)
        return all(low <= at <= high for low, at, high in spans)  # false for NaN too

    def within(self, other: "StageBox") -> "StageBox":
        """The part that both boxes allow."""
        low = StagePoint(*map(max, self.low, other.low))
        high = StagePoint(*map(min, self.high, other.high))
        return StageBox(low, high)
