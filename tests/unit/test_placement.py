"""There and back between chip and stage."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.placement import UNMOVED, Placement
from optics.quantities import ChipPoint, StagePoint

near = st.floats(-200.0, 200.0)


@given(
    turn=st.floats(-math.pi, math.pi), shift=st.tuples(near, near, near), at=st.tuples(near, near)
)
def test_there_and_back(turn: float, shift: tuple[float, ...], at: tuple[float, float]) -> None:
    cos, sin = math.cos(turn), math.sin(turn)
    lying = Placement((cos, -sin, shift[0], sin, cos, shift[1]), shift[2], (2e-3, -1e-3))
    place = ChipPoint(*at, 0.5)
    assert lying.on_chip(lying.on_stage(place)) == pytest.approx(place, abs=1e-9)
    assert lying.scale == pytest.approx(1.0)
    assert math.cos(lying.turn_rad - turn) == pytest.approx(1.0)


def test_a_quarter_turn_a_shift_and_a_slope_go_the_right_way() -> None:
    lying = Placement((0.0, -1.0, 10.0, 1.0, 0.0, 20.0), 3.0, (0.1, 0.0))
    assert lying.on_stage(ChipPoint(5.0, 1.0, 0.25)) == pytest.approx(StagePoint(9.0, 25.0, 3.75))
    moved = lying.shifted(0.5, -0.5, 0.1).on_stage(ChipPoint(5.0, 1.0, 0.25))
    assert moved == pytest.approx(StagePoint(9.5, 24.5, 3.85))


def test_unmoved_is_the_stage_itself() -> None:
    assert Placement(UNMOVED).on_stage(ChipPoint(1.0, 2.0, 3.0)) == StagePoint(1.0, 2.0, 3.0)
