"""Emitters as the camera sees them: diffracted, aberrated, defocused, summed over pixels.

Pixel (0, 0) is the middle of the first; x is the column.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hil.diffraction import image
from hil.keyed import Floats
from hil.nature import OpticsNature

REACH_UM = 2.0
"""Half the side of the square in which an emitter is drawn; 4 % of an Airy pattern lie outside."""
PHASES = 4  # places tabled within a pixel; straight between
HEIGHT_UM = 1.5
HEIGHT_STEP_UM = 0.1

_SIMPSON = np.array([1.0, 4.0, 2.0, 4.0, 1.0]) / 12.0
_Table = NDArray[np.float32]


class Spots:
    """Images of points, from a table over height and place within a pixel."""

    def __init__(self, optics: OpticsNature, pixel_um: float) -> None:
        table = _spot_table(optics, pixel_um)
        self._side = table.shape[-1]
        self._table = table.reshape(*table.shape[:3], -1)

    def canvas(self, height_px: int, width_px: int) -> Floats:
        """A dark image with a margin on which emitters outside may be drawn."""
        return np.zeros((height_px + 2 * self._side, width_px + 2 * self._side))

    def seen(self, canvas: Floats) -> Floats:
        """The canvas without its margin."""
        return canvas[self._side : -self._side, self._side : -self._side]

    def draw(self, canvas: Floats, places: Floats, light: Floats) -> None:
        """Add so much light at each place: column and row in pixels, height in um; (n, 3)."""
        side, half = self._side, self._side // 2
        columns, rows = np.floor(places[:, 0]), np.floor(places[:, 1])
        height = np.clip((places[:, 2] + HEIGHT_UM) / HEIGHT_STEP_UM, 0.0, len(self._table) - 1.001)
        right, down = (places[:, 0] - columns) * PHASES, (places[:, 1] - rows) * PHASES
        top, left = rows + (side - half), columns + (side - half)
        whole = np.column_stack((height, down, right, top, left)).astype(np.int64)
        weights = (_weights(height % 1.0, down % 1.0, right % 1.0) * light[:, None]).astype("f4")
        inside = (top >= 0) & (top <= canvas.shape[0] - side)
        inside &= (left >= 0) & (left <= canvas.shape[1] - side) & (light > 0.0)
        for n in np.flatnonzero(inside):
            k, i, j, row, column = whole[n].tolist()
            corners = self._table[k : k + 2, i : i + 2, j : j + 2].reshape(8, -1)
            spot = (weights[n] @ corners).reshape(side, side)
            canvas[row : row + side, column : column + side] += spot


def _weights(*shares: Floats) -> Floats:
    """Of the eight corners around each point, in the order of the table."""
    a, b, c = (np.stack((1.0 - share, share), axis=1) for share in shares)
    corners = a[:, :, None, None] * b[:, None, :, None] * c[:, None, None, :]
    return np.asarray(corners.reshape(-1, 8))


@lru_cache(maxsize=4)
def _spot_table(optics: OpticsNature, pixel_um: float) -> _Table:
    """(heights, phases + 1, phases + 1, side, side): the last phase is the next pixel's first."""
    half = round(REACH_UM / pixel_um)
    reach = (half + 1) * PHASES + len(_SIMPSON) // 2
    places_um = np.arange(-reach, reach + 1.0) * (pixel_um / PHASES)
    heights_um = np.linspace(-HEIGHT_UM, HEIGHT_UM, round(2 * HEIGHT_UM / HEIGHT_STEP_UM) + 1)
    planes = [_phases(image(optics, places_um, float(z)), half) for z in heights_um]
    return (np.array(planes) * pixel_um**2).astype(np.float32)


def _phases(density: Floats, half: int) -> Floats:
    """Means over pixels around an emitter that is so many phases right and below of a middle."""
    taps, end = len(_SIMPSON), len(density) - len(_SIMPSON) + 1
    rows = sum(_SIMPSON[tap] * density[tap : tap + end] for tap in range(taps))
    pixels = sum(_SIMPSON[tap] * rows[:, tap : tap + end] for tap in range(taps))
    side = 2 * half + 1
    starts = [PHASES - phase for phase in range(PHASES + 1)]
    cuts = [slice(start, start + side * PHASES, PHASES) for start in starts]
    return np.array([[pixels[down, right] for right in cuts] for down in cuts])
