"""Emitters as the camera sees them: diffracted, aberrated, defocused, summed over pixels.

Pixel (0, 0) is the middle of the first; x is the column.
"""

from functools import lru_cache

import numpy as np

from hil.diffraction import image
from hil.keyed import Floats, Singles
from hil.nature import OpticsNature

REACH_UM = 2.0
"""Half the side of the square in which an emitter is drawn; 4 % of an Airy pattern lie outside."""
CORE_UM = 1.0
PHASES = 4  # places tabled within a pixel; straight between
HEIGHT_UM = 1.5
HEIGHT_STEP_UM = 0.1

_SIMPSON = np.array([1.0, 4.0, 2.0, 4.0, 1.0]) / 12.0


class Spots:
    """Images of points, from a table over height and place within a pixel.

    The core is interpolated along all three, the wings between heights only: there a pixel holds
    so little that the nearest phase will do.
    """

    def __init__(self, optics: OpticsNature, pixel_um: float) -> None:
        table = _spot_table(optics, pixel_um)
        self._side, self._heights = table.shape[-1], table.shape[2]
        edge = round((REACH_UM - CORE_UM) / pixel_um)
        self._core, self._core_side = slice(edge, self._side - edge), self._side - 2 * edge
        self._cores = table[..., self._core, self._core].reshape(-1, self._core_side**2)
        self._wings = table.reshape(*table.shape[:3], -1)
        steps = np.array((PHASES + 1, 1)) * self._heights
        corners = [i * steps[0] + j * steps[1] + k for i, j, k in np.ndindex(2, 2, 2)]
        self._corners = np.array(corners)

    def canvas(self, height_px: int, width_px: int) -> Singles:
        """A dark image with a margin on which emitters outside may be drawn."""
        return np.zeros((height_px + 2 * self._side, width_px + 2 * self._side), np.float32)

    def seen(self, canvas: Singles) -> Singles:
        """The canvas without its margin."""
        return canvas[self._side : -self._side, self._side : -self._side]

    def draw(self, canvas: Singles, places: Floats, light: Floats) -> None:
        """Add so much light at each place: column and row in pixels, height in um; (n, 3)."""
        side, half = self._side, self._side // 2
        columns, rows = np.floor(places[:, 0]), np.floor(places[:, 1])
        height = np.clip((places[:, 2] + HEIGHT_UM) / HEIGHT_STEP_UM, 0.0, self._heights - 1.001)
        right, down = (places[:, 0] - columns) * PHASES, (places[:, 1] - rows) * PHASES
        top, left = rows + (side - half), columns + (side - half)
        whole = np.column_stack((height, down, right, np.rint(down), np.rint(right), top, left))
        whole = whole.astype(np.int64)
        weights = (_weights(down % 1.0, right % 1.0, height % 1.0) * light[:, None]).astype("f4")
        planes = weights.reshape(-1, 4, 2).sum(axis=1)
        k, i, j = whole[:, 0], whole[:, 1], whole[:, 2]
        corners = ((i * (PHASES + 1) + j) * self._heights + k)[:, None] + self._corners
        inside = (top >= 0) & (top <= canvas.shape[0] - side)
        inside &= (left >= 0) & (left <= canvas.shape[1] - side) & (light > 0.0)
        for n in np.flatnonzero(inside):
            level, _, _, down_to, right_to, row, column = whole[n].tolist()
            spot = planes[n].dot(self._wings[down_to, right_to, level : level + 2])
            spot.shape = (side, side)
            core = weights[n].dot(self._cores[corners[n]])
            spot[self._core, self._core] = core.reshape(self._core_side, -1)
            canvas[row : row + side, column : column + side] += spot


def _weights(*shares: Floats) -> Floats:
    """Of the eight corners around each point, in the order of the table."""
    a, b, c = (np.stack((1.0 - share, share), axis=1) for share in shares)
    corners = a[:, :, None, None] * b[:, None, :, None] * c[:, None, None, :]
    return np.asarray(corners.reshape(-1, 8))


@lru_cache(maxsize=4)
def _spot_table(optics: OpticsNature, pixel_um: float) -> Singles:
    """(phases + 1, phases + 1, heights, side, side): the last phase is the next pixel's first."""
    half = round(REACH_UM / pixel_um)
    reach = (half + 1) * PHASES + len(_SIMPSON) // 2
    places_um = np.arange(-reach, reach + 1.0) * (pixel_um / PHASES)
    heights_um = np.linspace(-HEIGHT_UM, HEIGHT_UM, round(2 * HEIGHT_UM / HEIGHT_STEP_UM) + 1)
    planes = [_phases(image(optics, places_um, float(z)), half) for z in heights_um]
    table = np.moveaxis(np.array(planes), 0, 2) * pixel_um**2
    return np.ascontiguousarray(table, np.float32)


def _phases(density: Floats, half: int) -> Floats:
    """Means over pixels around an emitter that is so many phases right and below of a middle."""
    taps, end = len(_SIMPSON), len(density) - len(_SIMPSON) + 1
    rows = sum(_SIMPSON[tap] * density[tap : tap + end] for tap in range(taps))
    pixels = sum(_SIMPSON[tap] * rows[:, tap : tap + end] for tap in range(taps))
    side = 2 * half + 1
    starts = [PHASES - phase for phase in range(PHASES + 1)]
    cuts = [slice(start, start + side * PHASES, PHASES) for start in starts]
    return np.array([[pixels[down, right] for right in cuts] for down in cuts])
