"""The camera's chart from shifted spots, whichever way it is turned, and where it must refuse."""

import math

import numpy as np
import pytest

from mapping.chart import Chart, View, charted
from optics.quantities import PixelPoint, StagePoint

SIDE_PX, PIXEL_UM = 512.0, 0.065
WAYS = ((0, 0), (4, 0), (0, 4), (11, 0), (-11, 0), (0, 11), (0, -11))
FOCUS = PixelPoint(255.5, 255.5)
AT = StagePoint(100.0, 100.0, 10.0)


def turned(angle_rad: float, mirrored: bool) -> Chart:
    cos, sin, flip = math.cos(angle_rad), math.sin(angle_rad), -1.0 if mirrored else 1.0
    matrix = (PIXEL_UM * cos, -flip * PIXEL_UM * sin, PIXEL_UM * sin, flip * PIXEL_UM * cos)
    return Chart(matrix, FOCUS)


def views(truth: Chart, spots: int, rng: np.random.Generator, noise_px: float = 0.15) -> list[View]:
    """What a camera sees of emitters spread over more than its field."""
    places = AT.x_um + rng.uniform(-35, 35, (spots * 4, 2))
    seen = []
    for x, y in WAYS:
        stage = StagePoint(AT.x_um + x, AT.y_um + y, AT.z_um)
        pixels = [
            truth.pixel(StagePoint(place[0], place[1], AT.z_um), stage) for place in places.tolist()
        ]
        noisy = [PixelPoint(*(np.array(p) + noise_px * rng.standard_normal(2))) for p in pixels]
        seen.append(View(stage, [p for p in noisy if min(p) > 0 and max(p) < SIDE_PX]))
    return seen


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle_rad", [0.0, 0.007, 1.6, -2.9])
def test_turn_and_handedness_are_found(seed: int, angle_rad: float, mirrored: bool) -> None:
    truth = turned(angle_rad, mirrored)
    found = charted(views(truth, 15, np.random.default_rng(seed)), 0.067, FOCUS)
    assert found is not None
    off = np.abs(np.array(found.matrix) - np.array(truth.matrix)) / PIXEL_UM
    assert off.max() < 1e-3, "at the field's edge a quarter of a pixel"


def test_there_and_back() -> None:
    chart = turned(0.3, mirrored=True)
    aim = chart.aim(PixelPoint(10.0, 400.0), AT)
    assert chart.pixel(aim, AT) == pytest.approx(PixelPoint(10.0, 400.0))
    assert chart.aim(FOCUS, AT) == AT


def test_unrelated_spots_tell_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(20):
        seen = [
            View(
                StagePoint(AT.x_um + x, AT.y_um + y, 0.0),
                [PixelPoint(*place) for place in rng.uniform(0, SIDE_PX, (12, 2)).tolist()],
            )
            for x, y in WAYS
        ]
        assert charted(seen, PIXEL_UM, FOCUS) is None


def test_too_few_spots_tell_nothing(seed: int) -> None:
    truth = turned(0.0, mirrored=False)
    assert charted(views(truth, 1, np.random.default_rng(seed))[:3], PIXEL_UM, FOCUS) is None
