"""What emitters do by themselves, and what is done to them and to their world."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hil.nature import PoseNature
from hil.switching import bright, shifts
from tests.unit.dark_room import (
    IDEAL,
    SIGMAS,
    STILL,
    Bench,
    Floats,
    aimed,
    rate,
    with_chip,
)


def test_blinking_is_a_telegraph_that_light_activates() -> None:
    """Stays are exponential: on at 1 / (off rate), off at 1 / (on rate); dark only under light."""
    times_s = np.arange(0.0, 4000.0, 0.01)
    states = bright(5, 4.0, 10.0, times_s, lambda t: np.full(len(t), 0.5))
    ends = np.flatnonzero(np.diff(states.astype(int)))
    stays_s = np.diff(times_s[ends])
    off_s, on_s = stays_s[states[ends[:-1] + 1] == 0], stays_s[states[ends[:-1] + 1] == 1]
    for found_s, rate_hz in ((off_s, 10.0), (on_s, 2.0)):
        # What is shorter than the sampling may be missed, which lengthens the other state's stays.
        tolerance = SIGMAS / rate_hz / math.sqrt(len(found_s)) + 0.015 * (1 + 10.0 / rate_hz)
        assert found_s.mean() == pytest.approx(1.0 / rate_hz, abs=tolerance)
    assert states.mean() == pytest.approx(10.0 / 12.0, abs=SIGMAS * 0.37 / math.sqrt(4000 * 6))
    assert bright(5, 4.0, 10.0, times_s, lambda t: np.zeros(len(t))).all()


def test_blinking_needs_no_history() -> None:
    def lit(when_s: Floats) -> Floats:
        return np.full(len(when_s), 0.7)

    times_s = np.arange(1000.0, 1050.0, 0.003)
    whole = bright(9, 4.0, 10.0, times_s, lit)
    for first in range(0, 16_000, 20):
        few = slice(first, first + 3)
        assert np.array_equal(whole[few], bright(9, 4.0, 10.0, times_s[few], lit))


def test_spectral_jumps_come_at_their_rate_and_mostly_lead_home() -> None:
    times_s = np.arange(0.0, 4e6, 30.0)
    places = shifts(3, 2.0 / 3600.0, 0.7, times_s)
    jumped = np.count_nonzero(np.diff(places))
    expected = 4e6 * 2.0 / 3600.0 * (1.0 - 0.7**2)
    assert jumped == pytest.approx(expected, abs=SIGMAS * math.sqrt(expected) + 0.01 * expected)
    assert np.mean(places == 0.0) == pytest.approx(0.7, abs=SIGMAS * math.sqrt(0.42 / (expected)))
    away = places[places != 0.0]
    assert np.abs(away).max() <= 1.0
    assert away.mean() == pytest.approx(0.0, abs=SIGMAS * 0.58 / math.sqrt(expected * 0.3))


def test_a_blinking_emitter_is_dark_for_detectors_and_camera_at_once() -> None:
    bench = aimed(with_chip(blinker_share=1.0, blink_off_hz=20.0, blink_on_hz=2.0), 20_000.0)
    starts_s = [0.4 * n for n in range(25)]
    seen = np.array([rate(bench.world, start_s, 0.05) for start_s in starts_s])
    frames = [bench.world.frame(bench.world.camera, start_s, 0.05) for start_s in starts_s]
    shine = np.array([frame.astype(float).max() for frame in frames])
    assert 0 < np.sum(seen == 0.0) < 25
    assert shine[seen == 0.0].max() < 0.5 * shine[seen == seen.max()].min()


def test_troubles_of_one_emitter() -> None:
    nature = replace(IDEAL, optics=replace(IDEAL.optics, filter_nm=(640.0, 660.0)))
    bench = aimed(nature)
    world, emitter = bench.world, bench.loneliest()
    full = rate(world, 0.0, 0.1)
    world.blink_off(emitter, 1.0, 0.5)
    assert rate(world, 1.1, 0.1) == 0.0
    assert rate(world, 1.6, 0.1) == pytest.approx(full, rel=0.05)
    world.jump(emitter, 2.0, 60.0)
    assert rate(world, 2.1, 0.1) < 0.05 * full
    world.jump(emitter, 3.0, 0.0)
    assert rate(world, 3.1, 0.1) == pytest.approx(full, rel=0.05)
    world.bleach(emitter, 4.0)
    assert rate(world, 4.0, 0.1) == 0.0
    assert rate(world, 0.0, 0.1) == full


def test_troubles_of_the_light() -> None:
    world = aimed().world
    full = rate(world, 0.0, 0.1)
    world.laser_share.between(1.0, 2.0, 0.25)
    assert world.laser_power_uw(1.5) == pytest.approx(500.0)
    assert rate(world, 1.5, 0.1) == pytest.approx(2e6 * 0.2, rel=0.02)
    assert rate(world, 2.5, 0.1) == pytest.approx(full, rel=0.02)
    world.lamp_cps.between(3.0, 4.0, 5e6)
    assert rate(world, 3.5, 0.1) == pytest.approx(full + 5e6, rel=0.02)
    picture = world.frame(world.camera, 3.5, 0.1).mean()
    assert picture > world.frame(world.camera, 4.5, 0.1).mean() + 50
    world.laser_uw.set(5.0, 0.0)
    assert rate(world, 5.0, 1.0) == 0.0
    assert world.laser_uw.changed_s(5.5) == 5.0


def test_another_chip_is_another_place_and_a_power_cycle_only_another_pose() -> None:
    bench = Bench(replace(IDEAL, pose=PoseNature()))
    world, before = bench.world, bench.emitters
    first_um = world.focus_um(0.0)
    world.power_cycle(10.0)
    assert world.scene(10.0).chip.emitters is before
    assert not np.allclose(world.focus_um(10.0), first_um, atol=1.0)
    assert world.focus_um(9.999) == pytest.approx(first_um)
    world.swap_chip(20.0)
    other = world.scene(20.0).chip.emitters
    assert len(other) != len(before) or not np.allclose(other.place_um, before.place_um)
    assert world.scene(15.0).chip.emitters is before


def test_counts_across_a_change_are_the_sum_of_both_sides() -> None:
    bench = aimed(replace(IDEAL, environment=replace(STILL, warm_up_k=3.0)))
    world = bench.world
    before = world.counts(0.0, 1.0)
    world.swap_chip(0.5)
    assert world.counts(0.0, 1.0) != before
    halves = np.array(world.counts(0.0, 0.5)) + np.array(world.counts(0.5, 1.0))
    assert tuple(halves) == world.counts(0.0, 1.0)
    assert len(world.tags(0.0, 1.0)[0]) == halves.sum()
    assert rate(world, 0.5, 0.5) < 0.1 * sum(before)
