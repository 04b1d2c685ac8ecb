"""Points and boxes: membership is closed, per axis, and only for points of the right frame."""

import math
import random

import pytest

from optics.quantities import ChipPoint, PixelPoint, StageBox, StagePoint

BOX = StageBox(StagePoint(0.0, -5.0, 10.0), StagePoint(200.0, 5.0, 30.0))


def between(rng: random.Random, low_um: float, high_um: float) -> StagePoint:
    return StagePoint(*(rng.uniform(low_um, high_um) for _ in range(3)))


@pytest.mark.parametrize("corner", [BOX.low, BOX.high])
@pytest.mark.parametrize("axis", ["x_um", "y_um", "z_um"])
def test_a_corner_is_inside_and_a_step_beyond_it_on_any_axis_is_not(
    corner: StagePoint, axis: str
) -> None:
    outwards = math.inf if corner is BOX.high else -math.inf
    beyond = math.nextafter(getattr(corner, axis), outwards)
    assert corner in BOX
    assert corner._replace(**{axis: beyond}) not in BOX


@pytest.mark.parametrize("axis", ["x_um", "y_um", "z_um"])
@pytest.mark.parametrize("nowhere", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_outside(axis: str, nowhere: float) -> None:
    assert StagePoint(1.0, 1.0, 11.0)._replace(**{axis: nowhere}) not in BOX


def test_a_point_of_another_frame_is_in_no_stage_box() -> None:
    strangers: list[object] = [ChipPoint(1.0, 1.0, 11.0), PixelPoint(1.0, 1.0), (1.0, 1.0, 11.0)]
    assert StagePoint(1.0, 1.0, 11.0) in BOX
    assert not any(stranger in BOX for stranger in strangers)


def test_within_allows_exactly_what_both_boxes_allow(rng: random.Random) -> None:
    inside = 0
    for _ in range(500):
        first, second = (StageBox(between(rng, 0, 5), between(rng, 5, 10)) for _ in range(2))
        point = between(rng, 0, 10)
        both = point in first and point in second
        assert (point in first.within(second)) == both == (point in second.within(first))
        inside += both
    assert 0 < inside < 500, "the draw must try both cases"


def test_boxes_that_do_not_touch_allow_nothing() -> None:
    far = StageBox(StagePoint(300.0, -5.0, 10.0), StagePoint(400.0, 5.0, 30.0))
    overlap = BOX.within(far)
    assert not any(corner in overlap for corner in (*BOX, *far, *overlap))
