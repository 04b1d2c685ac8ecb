"""The focus over the field: level where little is known, tilted where heights say so."""

import numpy as np
import pytest

from mapping.plane import plane
from optics.quantities import StagePoint


def test_one_height_is_a_level_plane() -> None:
    assert plane([StagePoint(80.0, 120.0, 33.0)]) == pytest.approx((33.0, 0.0, 0.0))


def test_a_tilt_is_found_between_scattered_heights(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = (50.0, 4e-3, -3e-3)
    places = rng.uniform(0, 200, (30, 2))
    heights = truth[0] + places @ truth[1:] + 0.05 * rng.standard_normal(30)
    found = plane([StagePoint(x, y, z) for (x, y), z in zip(places, heights, strict=True)])
    assert found[1:] == pytest.approx(truth[1:], abs=8e-4)
    middle = found[0] + 100 * (found[1] + found[2])
    assert middle == pytest.approx(50.0 + 100 * 1e-3, abs=0.06)


def test_near_heights_that_scatter_make_no_slope() -> None:
    _, x_slope, y_slope = plane([StagePoint(100.0, 100.0, 10.0), StagePoint(103.0, 100.0, 10.3)])
    assert abs(x_slope) < 2e-3
    assert y_slope == pytest.approx(0.0)
