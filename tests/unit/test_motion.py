"""Piezo axes against textbook laws and figures, not against themselves."""

import itertools
import math
import random
import statistics

import pytest

from hil.motion import Axis, AxisNature
from tests.laws import Law

SETTLED_S = 1.0
NO_CREEP = AxisNature(creep_per_decade=0.0)

# nm of creep after a step that had reached 10 µm at 0.1 s: L(t) = L(0.1 s)(1 + gamma lg(t/0.1 s))
CREEP_NM = {
    0.010: {1: 100, 10: 200, 60: 278, 600: 378, 3600: 456, 86_400: 594},
    0.015: {1: 150, 10: 300, 60: 417, 600: 567, 3600: 683, 86_400: 891},
    0.020: {1: 200, 10: 400, 60: 556, 600: 756, 3600: 911, 86_400: 1187},
}


def open_loop(nature: AxisNature = NO_CREEP, rest_um: float = 100.0) -> Axis:
    axis = Axis(nature, seed=1, rest_um=rest_um)
    axis.let_go(0.0)
    return axis


def driven(axis: Axis, *levels_um: float) -> float:
    """Through the levels, one a second; the place at the last."""
    for now_s, level_um in enumerate(levels_um):
        axis.drive(now_s, level_um)
    return axis.true_um(len(levels_um) - 1)


def branch(axis: Axis, start_um: float, stop_um: float, points: int = 100) -> list[float]:
    step_um = (stop_um - start_um) / points
    return [driven(axis, start_um + k * step_um) for k in range(points + 1)]


@pytest.mark.parametrize("gamma", CREEP_NM)
def test_creep_is_logarithmic(law: Law, gamma: float) -> None:
    axis = open_loop(AxisNature(creep_per_decade=gamma), rest_um=50.0)
    axis.drive(0.0, 62.0)
    reached_um = axis.true_um(0.1)
    step_um = reached_um - 50.0
    assert 8.0 < step_um < 12.0
    creep_nm = {
        at_s: (axis.true_um(at_s) - reached_um) / step_um * 10_000 for at_s in CREEP_NM[gamma]
    }
    assert creep_nm == pytest.approx(CREEP_NM[gamma], abs=0.6)
    name = f"creep in a day after 10 um, {gamma:.1%} a decade, nm"
    law.within(name, creep_nm[86_400], CREEP_NM[gamma][86_400], 0.6)


def test_no_step_makes_the_creep_of_the_others_jump(rng: random.Random) -> None:
    """However many there were, and how long ago."""
    axis, still = open_loop(AxisNature(creep_per_decade=0.015)), open_loop(NO_CREEP)
    now_s = 0.0
    for _ in range(500):
        now_s += 10.0 ** rng.uniform(-3, 2)
        crept_um = axis.true_um(now_s) - still.true_um(now_s)
        level_um = rng.uniform(50.0, 150.0)
        axis.drive(now_s, level_um)
        still.drive(now_s, level_um)
        assert axis.true_um(now_s) - still.true_um(now_s) == pytest.approx(crept_um, abs=1e-9)


def test_creep_of_a_scan_is_the_sum_over_its_steps() -> None:
    """Superposition: a stair of many steps creeps as the law says of each of them."""
    gamma, stairs = 0.02, [0.25 * k for k in range(400)]
    axis = open_loop(AxisNature(creep_per_decade=gamma), rest_um=0.0)
    still = open_loop(NO_CREEP, rest_um=0.0)
    steps = []
    for at_s, level_um in enumerate(stairs):
        before_um = still.true_um(at_s)
        axis.drive(at_s, level_um)
        still.drive(at_s, level_um)
        steps.append((at_s, still.true_um(at_s) - before_um))
    for after_s in (1.0, 60.0, 3600.0):
        now_s = steps[-1][0] + after_s
        law_um = sum(gamma * step * math.log10((now_s - at_s) / 0.1) for at_s, step in steps)
        creep_um = axis.true_um(now_s) - still.true_um(now_s)
        assert creep_um == pytest.approx(law_um, rel=0.01)


@pytest.mark.parametrize(
    ("stroke_um", "expected", "within"),
    [(2.0, 0.02, 0.005), (20.0, 0.0375, 0.0125), (100.0, 0.09, 0.02), (200.0, 0.145, 0.015)],
)
def test_hysteresis_opens_with_the_stroke(
    law: Law, stroke_um: float, expected: float, within: float
) -> None:
    """Widest gap between the branches over the way between the turning points."""
    axis, low_um, high_um = open_loop(), 100 - stroke_um / 2, 100 + stroke_um / 2
    driven(axis, low_um, high_um)
    falling = branch(axis, high_um, low_um)
    rising = branch(axis, low_um, high_um)[::-1]
    opening_um = max(down - up for down, up in zip(falling, rising, strict=True))
    opening = opening_um / (rising[0] - rising[-1])
    law.within(f"hysteresis of a stroke of {stroke_um:g} um, share", opening, expected, within)


def test_a_full_stroke_is_the_full_range() -> None:
    """From the middle to either end; a hair before the upper one, where the stop hides nothing."""
    assert driven(open_loop(), 0.0) == pytest.approx(0.0, abs=1e-9)
    assert driven(open_loop(), 0.0, 199.9) == pytest.approx(199.9, abs=0.09)
    assert driven(open_loop(), 0.0, 200.0) == pytest.approx(200.0, abs=1e-9)


def test_a_turning_point_is_remembered() -> None:
    """Madelung: a minor loop closes where it began, and the branch goes on as without it."""
    axis, without = open_loop(), open_loop()
    began_um = driven(axis, 20.0, 140.0)
    assert driven(axis, 90.0) < began_um - 10.0
    assert driven(axis, 140.0) == pytest.approx(began_um, abs=1e-9)
    assert driven(axis, 170.0) == pytest.approx(driven(without, 20.0, 170.0), abs=1e-9)


def test_a_wider_loop_wipes_out_the_narrower() -> None:
    axis, without = open_loop(), open_loop()
    assert driven(axis, 20, 150, 60, 110, 80, 10) == pytest.approx(driven(without, 10), abs=1e-9)


def test_loops_between_the_same_levels_are_congruent() -> None:
    """Only shifted by what went before, and that shift is real."""
    after_low, after_high = open_loop(), open_loop()
    driven(after_low, 0, 120)
    driven(after_high, 200, 80, 120)
    loops = [branch(axis, 120, 80) + branch(axis, 80, 120) for axis in (after_low, after_high)]
    shifts_um = [high - low for low, high in zip(*loops, strict=True)]
    assert shifts_um[0] > 2.0
    assert shifts_um == pytest.approx([shifts_um[0]] * len(shifts_um), abs=1e-9)


def test_opening_and_closing_the_loop_moves_nothing() -> None:
    axis = Axis(AxisNature(), seed=1, rest_um=10.0)
    axis.move(0.0, 60.0, 1_000.0)
    on_the_way_um = axis.true_um(0.02)
    axis.let_go(0.02)
    assert axis.true_um(0.02) == axis.true_um(50.0) == pytest.approx(on_the_way_um, abs=1e-9)
    axis.drive(60.0, 100.0)
    crept_um = axis.true_um(90.0)
    axis.move(90.0, 20.0, 1_000.0)
    assert axis.true_um(90.0) == crept_um


def test_without_voltage_it_does_not_quite_come_back() -> None:
    """Remanence, on the side it comes from, and more of it after a longer way."""
    left_um = []
    for place_um in (120.0, 180.0, 20.0):
        axis = Axis(NO_CREEP, seed=1, rest_um=100.0)
        axis.move(0.0, place_um, 1_000.0)
        axis.let_go(SETTLED_S)
        left_um.append(driven(axis, 100.0) - 100.0)
    assert 0.2 < left_um[0] < 2.0
    assert left_um[1] > 5 * left_um[0]
    assert left_um[2] == pytest.approx(-left_um[1], abs=1e-6)


def test_a_jammed_axis_stays_and_a_freed_one_goes_on_from_there() -> None:
    axis = Axis(AxisNature(), seed=1)
    axis.move(0.0, 100.0, 1_000.0)
    axis.jam(0.05)
    jammed_um = axis.true_um(0.05)
    axis.move(1.0, 150.0, 1_000.0)
    axis.drive(2.0, 10.0)
    assert axis.true_um(0.06) == axis.true_um(10.0) == jammed_um
    axis.free(10.0)
    assert axis.true_um(20.0) == jammed_um
    axis.move(20.0, 100.0, 1_000.0)
    assert axis.true_um(20.01) == pytest.approx(jammed_um + 10.0, abs=5.0)


def test_open_loop_ends_at_the_mechanical_stops() -> None:
    axis = open_loop(AxisNature(low_um=-5.0, high_um=205.0), rest_um=0.0)
    assert driven(axis, 400.0) == 205.0
    assert driven(axis, -400.0) == -5.0


def test_a_closed_loop_settles_within_10_to_50_ms() -> None:
    """10 µm, then ±5 nm for good; the class of scanner says 10 to 50 ms."""
    axis = Axis(AxisNature(), seed=1, rest_um=50.0)
    axis.move(0.0, 60.0, 5_000.0)
    instants_s = [k * 1e-4 for k in range(2_000)]
    outside = [at_s for at_s in instants_s if abs(axis.true_um(at_s) - 60.0) > 0.005]
    assert 0.010 < outside[-1] < 0.050
    assert axis.true_um(SETTLED_S) == pytest.approx(60.0, abs=1e-6)
    assert axis.settled(SETTLED_S, within_um=0.001)
    assert not axis.settled(0.005, within_um=0.001)


@pytest.mark.parametrize("velocity_um_per_s", [1.0, 300.0, 20_000.0])
@pytest.mark.parametrize("way_um", [0.1, 150.0, -40.0])
def test_no_move_is_faster_than_allowed(velocity_um_per_s: float, way_um: float) -> None:
    axis = Axis(AxisNature(), seed=1, rest_um=45.0)
    axis.move(2.0, 45.0 + way_um, velocity_um_per_s)
    lasts_s = abs(way_um) / velocity_um_per_s + 0.1
    places_um = [axis.true_um(2.0 + lasts_s * k / 5_000) for k in range(5_001)]
    speeds = [(b - a) / lasts_s * 5_000 for a, b in itertools.pairwise(places_um)]
    assert max(map(abs, speeds)) <= velocity_um_per_s * (1 + 1e-6)
    assert min(speed * way_um for speed in speeds) >= -1e-6  # and it never turns back
    assert places_um[0] == 45.0
    assert places_um[-1] == pytest.approx(45.0 + way_um, abs=1e-6)


def test_a_stopped_axis_stands() -> None:
    axis = Axis(AxisNature(), seed=1, rest_um=0.0)
    axis.move(0.0, 100.0, 1_000.0)
    axis.stop(0.05)
    assert 30.0 < axis.true_um(0.05) < 50.0
    assert axis.true_um(SETTLED_S) == axis.true_um(0.05) == axis.target_um


def test_sensor_noise_is_a_nanometre_white(law: Law) -> None:
    axis = Axis(AxisNature(), seed=1, rest_um=10.0)
    noise_um = [axis.sensed_um(k * 1e-3) - 10.0 for k in range(10_000)]
    rms_nm = statistics.pstdev(noise_um) * 1e3
    law.within_errors("noise of the stage's sensor, nm", rms_nm, 1.0, 1 / math.sqrt(20_000))
    assert abs(statistics.fmean(noise_um)) < 0.001 * 5 / math.sqrt(10_000)
    product = statistics.fmean(a * b for a, b in itertools.pairwise(noise_um))
    assert abs(product) < 1e-6 * 5 / math.sqrt(10_000)


def test_a_reading_depends_on_the_instant_and_on_nothing_else(rng: random.Random) -> None:
    """Whoever asks, how often and in whatever order."""
    instants_s = [k * 1e-3 for k in range(200)]
    first, second, stranger = (Axis(AxisNature(), seed, rest_um=10.0) for seed in (1, 1, 2))
    in_order = {at_s: first.sensed_um(at_s) for at_s in instants_s}
    rng.shuffle(instants_s)
    assert all(second.sensed_um(at_s) == in_order[at_s] for at_s in instants_s)
    assert all(stranger.sensed_um(at_s) != in_order[at_s] for at_s in instants_s)
