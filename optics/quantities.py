"""Units in names, frames of reference in types; no logic beyond membership.

Inside the code there is one unit per dimension: _um, _s, _hz, _uw, _k. A number in a
wrong unit is caught by reading; a point in a wrong frame by the type checker.
Pixel (0, 0) is the centre of the first pixel; x is the column.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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


class Frame(NamedTuple):
    """What a camera saw, when, and with the stage where."""

    pixels: "NDArray[np.uint16]"  # (height, width), the camera's own counts
    began_s: float  # of the exposure, by the loop's clock
    exposure_s: float
    gain: float
    number: int  # of the camera's own counting; a gap is a frame that was lost
    stage: StagePoint | None = None


class CountGate(NamedTuple):
    """What both detectors counted between two instants; gates follow each other without a gap."""

    clicks: tuple[int, int]
    coincidences: int
    counted_s: float
    number: int  # a gap is a gate that was lost
    ended_s: float  # by the loop's clock, as well as the device's can be told in it

    @property
    def began_s(self) -> float:
        """By the same clock."""
        return self.ended_s - self.counted_s


class TagRun(NamedTuple):
    """Every click of a stretch of time, in order."""

    time_ps: "NDArray[np.int64]"  # of the device's own clock
    channel: "NDArray[np.uint8]"
    counted_s: float
    lost: int  # clicks the device owned up to having dropped
