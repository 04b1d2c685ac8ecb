"""The chip's own glow on the camera's grid: waves as products of rows and columns, then lines."""

from dataclasses import dataclass

import numpy as np

from hil.keyed import Floats, Singles
from hil.scenery import REACH, Pieces, Scenery


@dataclass(frozen=True)
class Grid:
    """Where on the chip each pixel looks."""

    shape: tuple[int, int]  # rows, columns
    origin_um: Floats  # middle of pixel (0, 0)
    across_um: Floats  # one column further
    down_um: Floats  # one row further

    def um(self, columns: Floats, rows: Floats) -> Floats:
        """Places on the chip, (..., 2)."""
        across = columns[..., None] * self.across_um
        return np.asarray(self.origin_um + across + rows[..., None] * self.down_um)

    def px(self, places_um: Floats) -> Floats:
        """Column and row, (n, 2)."""
        axes = np.column_stack((self.across_um, self.down_um))
        return np.asarray((places_um - self.origin_um) @ np.linalg.inv(axes).T)

    @property
    def pixel_um(self) -> float:
        return float(np.hypot(*self.across_um))

    @property
    def middle_um(self) -> Floats:
        rows, columns = self.shape
        return self.um(np.array((columns - 1) / 2), np.array((rows - 1) / 2))

    @property
    def reach_um(self) -> float:
        """From the middle to a corner."""
        return self.pixel_um * float(np.hypot(*self.shape)) / 2


def glow(scenery: Scenery, grid: Grid, bright_um: Floats, radius_um: float) -> Singles:
    """Fluorescence under light that is brightest there and has fallen to 1/e2 at the radius."""
    rows, columns = np.arange(float(grid.shape[0])), np.arange(float(grid.shape[1]))
    along = columns[:, None] * (scenery.wave_per_um @ grid.across_um)
    along += scenery.phase_rad + scenery.wave_per_um @ grid.origin_um
    below = rows[:, None] * (scenery.wave_per_um @ grid.down_um)
    lit_column, lit_row = _lit(grid, bright_um, radius_um)
    left = np.column_stack((np.cos(below), np.sin(below), np.ones(len(rows))))
    right = np.column_stack(
        (
            scenery.amplitude * np.cos(along),
            -scenery.amplitude * np.sin(along),
            np.ones(len(columns)),
        )
    )
    left, right = left * lit_row[:, None], right * lit_column[:, None]
    light: Singles = left.astype(np.float32) @ right.astype(np.float32).T
    pieces = scenery.pieces.near(grid.middle_um, grid.reach_um)
    for n in range(len(pieces.glow)):
        one = Pieces(*(field[n : n + 1] for field in vars(pieces).values()))
        row, column = _crossed(grid, one)
        points_um = grid.um(column.astype(float), row.astype(float))
        light[row, column] += one.at(points_um) * lit_row[row] * lit_column[column]
    return _cut_at_the_edge(light, scenery, grid)


def _lit(grid: Grid, bright_um: Floats, radius_um: float) -> tuple[Floats, Floats]:
    """The illumination as a product of one factor for each column and one for each row."""
    (column, row), scale = grid.px(bright_um[None, :])[0], 2.0 * (grid.pixel_um / radius_um) ** 2
    columns, rows = np.arange(grid.shape[1]) - column, np.arange(grid.shape[0]) - row
    return np.exp(-scale * columns * columns), np.exp(-scale * rows * rows)


def _crossed(grid: Grid, piece: Pieces) -> tuple[Floats, Floats]:
    """Rows and columns of the pixels near one straight piece, each once."""
    start, end = grid.px(piece.from_um)[0], grid.px(piece.to_um)[0]
    wide = REACH * float(piece.width_um[0]) / grid.pixel_um
    long = int(abs(end[1] - start[1]) > abs(end[0] - start[0]))  # 1: goes down rather than across
    size = (grid.shape[1], grid.shape[0])
    first, last = sorted((start[long], end[long]))
    steps = np.arange(max(0, int(first - wide)), min(size[long], int(last + wide) + 2))
    slope = (end[1 - long] - start[1 - long]) / (end[long] - start[long])
    middle = np.rint(start[1 - long] + slope * (steps - start[long])).astype(np.int64)
    half = int(wide * np.hypot(1.0, slope)) + 1
    beside = middle[:, None] + np.arange(-half, half + 1)
    steps = np.broadcast_to(steps[:, None], beside.shape)
    seen = (beside >= 0) & (beside < size[1 - long])
    columns, rows = (beside[seen], steps[seen]) if long else (steps[seen], beside[seen])
    return rows, columns


def _cut_at_the_edge(light: Singles, scenery: Scenery, grid: Grid) -> Singles:
    rows, columns = (np.array([0.0, size - 1.0]) for size in grid.shape)
    if scenery.covers(grid.um(*np.meshgrid(columns, rows))).all():
        return light
    rows, columns = (np.arange(float(size)) for size in grid.shape)
    return np.asarray(light * scenery.covers(grid.um(*np.meshgrid(columns, rows))))
