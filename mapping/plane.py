"""The focus over the field: a plane, steeper only where heights say so."""

from collections.abc import Sequence

import numpy as np

from optics.quantities import StagePoint

SLOPE_SD = 2e-3
HEIGHT_SD_UM = 0.15


def plane(focused: Sequence[StagePoint]) -> tuple[float, float, float]:
    """Height at the origin of the stage and slopes along x and y, from places in focus."""
    at = np.array(focused, float)
    middle = at.mean(axis=0)
    design = np.column_stack((np.ones(len(at)), at[:, :2] - middle[:2]))
    prior = np.diag([0.0, SLOPE_SD**-2, SLOPE_SD**-2])
    information = design.T @ design / HEIGHT_SD_UM**2 + prior
    drop = design.T @ (at[:, 2] - middle[2]) / HEIGHT_SD_UM**2
    height, x_slope, y_slope = np.linalg.solve(information, drop).tolist()
    at_origin = middle[2] + height - x_slope * middle[0] - y_slope * middle[1]
    return float(at_origin), x_slope, y_slope
