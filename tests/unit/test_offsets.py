"""Who goes how much of the way: the stage or its offsets."""

import pytest

from mapping.offsets import STEP_UM, shared
from optics.quantities import StagePoint

STANDS = StagePoint(100.0, 50.0, 20.0)
REACH_UM = (5.0, 5.0, 5.0)


def moved(dx_um: float, dy_um: float, dz_um: float) -> StagePoint:
    return StagePoint(STANDS.x_um + dx_um, STANDS.y_um + dy_um, STANDS.z_um + dz_um)


def test_near_by_the_offsets_go_all_the_way() -> None:
    assert shared(STANDS, moved(2.4, -2.4, 0.001), REACH_UM) == STANDS


def test_far_out_the_stage_follows_by_one_small_step_on_that_axis_alone() -> None:
    at = shared(STANDS, moved(2.6, -4.9, 0.1), REACH_UM)
    assert at == pytest.approx(moved(STEP_UM, -STEP_UM, 0.0))


def test_a_long_drift_never_leaves_the_reach() -> None:
    at, to = STANDS, STANDS
    for _ in range(2000):
        to = StagePoint(to.x_um + 0.02, to.y_um, to.z_um)
        at = shared(at, to, REACH_UM)
    assert to.x_um - at.x_um < REACH_UM[0] / 2 + STEP_UM


@pytest.mark.parametrize("reach_um", [(5.0, 5.0, 0.0), (0.0, 0.0, 0.0)])
def test_what_offsets_cannot_reach_is_refused(reach_um: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="reach"):
        shared(STANDS, moved(0.0, 0.0, 0.01), reach_um)


def test_where_there_are_no_offsets_standing_still_needs_none() -> None:
    assert shared(STANDS, STANDS, (0.0, 0.0, 0.0)) == STANDS
