"""Where an axis has been is where it said it was, at the time."""

import random

import numpy as np
import pytest

from hil.motion import Axis, AxisNature
from hil.trail import REMEMBERED, Leg, Trail, joined

STEP_S = 0.0005


def _act(axis: Axis, now_s: float, rng: random.Random) -> None:
    match rng.randrange(8):
        case 0 | 1 | 2:
            axis.move(now_s, rng.uniform(0.0, 200.0), rng.uniform(100.0, 1e5))
        case 3:
            axis.stop(now_s)
        case 4 | 5:
            axis.drive(now_s, rng.uniform(0.0, 200.0))
        case 6:
            axis.jam(now_s)
        case _:
            axis.free(now_s)


@pytest.mark.parametrize("seed", range(6))
def test_the_trail_remembers_what_was_true_at_each_instant(seed: int) -> None:
    rng = random.Random(seed)
    axis = Axis(AxisNature(), seed, rest_um=rng.uniform(0.0, 50.0))
    times_s, places_um = [], []
    for step in range(3000):
        now_s = step * STEP_S
        if rng.random() < 0.01:
            _act(axis, now_s, rng)
        times_s.append(now_s)
        places_um.append(axis.true_um(now_s))
    asked_s = np.array(times_s)
    assert axis.trail.over(asked_s) == pytest.approx(np.array(places_um), abs=1e-9)
    for first in range(0, 2990, 17):  # however few are asked for
        found_um = axis.trail.over(asked_s[first : first + 5])
        wanted_um = places_um[first : first + 5]
        assert np.broadcast_to(found_um, 5) == pytest.approx(wanted_um, abs=1e-7)


def test_one_figure_stands_for_all_while_nothing_moves() -> None:
    axes = [Axis(AxisNature(), 1, rest_um=float(n)) for n in range(3)]
    times_s = np.linspace(10.0, 11.0, 50)
    trails = tuple(axis.trail for axis in axes)
    assert joined(trails, times_s).tolist() == [[0.0, 1.0, 2.0]]
    axes[1].move(10.5, 5.0, 1000.0)
    places_um = joined(trails, times_s)
    assert places_um.shape == (50, 3)
    assert places_um[-1].tolist() == pytest.approx([0.0, 5.0, 2.0])


def test_what_is_long_ago_is_forgotten_and_costs_no_memory() -> None:
    trail = Trail(Leg(0.0, 0.0, 0.0, 1.0, 0.01))
    for number in range(1, 5 * REMEMBERED):
        trail.turn(float(number), Leg(float(number), float(number), float(number), 1.0, 0.01))
    times_s = np.arange(4.0 * REMEMBERED, 5.0 * REMEMBERED)
    assert trail.over(times_s).tolist() == times_s.tolist()
    assert len(vars(trail)["_laws"]) <= 2 * REMEMBERED


def test_whoever_wants_to_know_is_told_before_a_law_changes() -> None:
    axis, told = Axis(AxisNature(), 1, rest_um=3.0), list[float]()
    axis.trail.turned = told.append
    axis.move(1.0, 5.0, 100.0)
    axis.stop(2.0)
    assert told == [1.0, 2.0]
