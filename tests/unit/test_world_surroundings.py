"""Drift, temperature and vibration against the laws of thermal lags and random walks."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from hil.environment import DAY_S, Environment
from hil.nature import EnvironmentNature
from tests.laws import Law
from tests.unit.dark_room import SIGMAS, STILL, Floats

HOUR_S = 3600.0


def environment(seed: int = 1, **changes: object) -> Environment:
    return Environment(replace(STILL, **changes), 0.0, seed)  # type: ignore[arg-type]


def moved_um(surroundings: Environment, times_s: Floats) -> Floats:
    return surroundings.strays(times_s)[0]


def test_the_day_warms_the_air_and_later_the_mount(law: Law) -> None:
    """Behind a first-order lag: amplitude 1 / sqrt(1 + (w lag)^2), delay atan(w lag) / w."""
    surroundings = environment(day_amplitude_k=0.5, warmest_at_s=50_000.0, mount_lag_s=7200.0)
    times_s = np.arange(0.0, 2 * DAY_S, 60.0)
    air_k, mount_k = np.array([surroundings.temperatures_k(t) for t in times_s]).T - 296.15
    turn = 2.0 * math.pi * 7200.0 / DAY_S
    assert air_k.max() == pytest.approx(0.5, abs=1e-4)
    assert times_s[np.argmax(air_k)] == pytest.approx(50_000.0, abs=60.0)
    lagged_k = 0.5 / math.hypot(1.0, turn)
    law.within("daily wave behind a lag of 2 h, K", float(mount_k.max()), lagged_k, 1e-4)
    late_s = math.atan(turn) * DAY_S / (2.0 * math.pi)
    assert times_s[np.argmax(mount_k)] == pytest.approx(50_000.0 + late_s, abs=60.0)


def test_a_step_is_followed_first_by_the_air_then_by_the_mount_then_by_the_focus() -> None:
    """1 - exp(-t/a) behind one lag, 1 - (b exp(-t/b) - a exp(-t/a)) / (b - a) behind two."""
    surroundings = environment(step_lag_s=600.0, mount_lag_s=1800.0)
    surroundings.step(1000.0, 2.0)
    for since_s in (0.0, 300.0, 600.0, 1800.0, 7200.0):
        air_k, mount_k = surroundings.temperatures_k(1000.0 + since_s)
        one, two = math.exp(-since_s / 600.0), math.exp(-since_s / 1800.0)
        assert air_k - 296.15 == pytest.approx(2.0 * (1.0 - one), abs=1e-9)
        assert mount_k - 296.15 == pytest.approx(2.0 * (1.0 - (3.0 * two - one) / 2.0), abs=1e-9)
        focus_um = moved_um(surroundings, np.array([1000.0 + since_s]))[0]
        assert focus_um == pytest.approx(np.array([0.8, -0.5, 1.2]) * (mount_k - 296.15), abs=1e-9)


def test_nothing_before_a_step_or_a_cold_start_is_changed_by_it() -> None:
    surroundings = Environment(EnvironmentNature(), 0.005, 3)
    times_s = np.arange(0.0, 100.7, 0.05)
    before = surroundings.strays(times_s)
    surroundings.step(100.7, 5.0)
    surroundings.power_up(100.7)
    surroundings.shake(100.7, 10.0, 30.0, (0.1, 0.1, 0.1))
    after = surroundings.strays(times_s)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])
    assert not np.allclose(surroundings.strays(times_s + 100.7)[0][-1], after[0][-1], atol=0.1)


def test_a_cold_rack_warms_its_mount_exponentially() -> None:
    surroundings = environment(warm_up_k=3.0, warm_up_s=1800.0)
    surroundings.power_up(10.0)
    for since_s in (1.0, 600.0, 1800.0, 10_000.0):
        _, mount_k = surroundings.temperatures_k(10.0 + since_s)
        assert mount_k - 296.15 == pytest.approx(-3.0 * math.exp(-since_s / 1800.0), abs=1e-9)
    start_um = moved_um(surroundings, np.array([11.0, 71.0]))
    nm_per_min = np.abs(np.diff(start_um, axis=0))[0] * 1e3
    assert nm_per_min.max() > 100.0  # the first half hour of a room confocal


def test_the_focus_walks_at_random(law: Law) -> None:
    """Mean square displacement D t over three decades; each seed is one independent walk."""
    rate_um2_per_s = 0.04e-6
    for lag_s in (60.0, 600.0, 6000.0):
        squares = []
        for seed in range(300):
            surroundings = environment(seed, walk_nm2_per_s=(0.04, 0.04, 0.04))
            ends_um = [moved_um(surroundings, np.array([t]))[0] for t in (5e4, 5e4 + lag_s)]
            squares.append((ends_um[1] - ends_um[0]) ** 2)
        expected = rate_um2_per_s * lag_s
        error = math.sqrt(2.0 / (3 * len(squares)))
        found = float(np.mean(squares)) / expected
        law.within_errors(f"mean square drift in {lag_s:g} s, over D t", found, 1.0, error)


def test_the_spectrum_of_the_drift_falls_with_the_square_of_the_frequency(law: Law) -> None:
    """One-sided density D / (2 pi^2 f^2): periodograms with Hann's window, averaged over walks."""
    step_s, n, walks = 50.0, 2048, 60
    window = np.hanning(n)
    times_s = np.arange(float(n)) * step_s
    power = np.zeros(n // 2 + 1)
    for seed in range(walks):
        x_um = moved_um(environment(seed, walk_nm2_per_s=(0.04, 0.0, 0.0)), times_s)[:, 0]
        power += np.abs(np.fft.rfft(window * (x_um - x_um.mean()))) ** 2
    density = 2.0 * power * step_s / np.sum(window**2) / walks
    hz = np.fft.rfftfreq(n, step_s)
    edges = np.geomspace(2e-4, 5e-3, 9)
    walk = 0.04e-6 / (2.0 * math.pi**2)
    found = [
        np.mean((density * hz**2 / walk)[1:][(hz[1:] >= low) & (hz[1:] < high)])
        for low, high in itertools.pairwise(edges)
    ]
    slope = np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(found), 1)[0] - 2.0
    # Some three waves fall into each band; the power of each is as its place in its own band.
    law.within("drift power spectrum, over D / (2 pi^2 f^2)", float(np.mean(found)), 1.0, 0.15)
    law.within("its slope", slope, -2.0, 0.15)


def test_vibration_has_its_lines_and_nothing_else() -> None:
    lines_nm = ((2.0, 0.0, 3.0), (0.0, 4.0, 0.0))
    shaking = environment(vibration_hz=(11.0, 50.0), vibration_nm=lines_nm)
    times_s = np.arange(4000) / 1000.0
    x_nm = moved_um(shaking, times_s) * 1e3
    lines = np.abs(np.fft.rfft(x_nm, axis=0)) * 2 / len(times_s)
    hz = np.fft.rfftfreq(len(times_s), 1e-3)
    for line_hz, expected in ((11.0, (2.0, 0.0, 3.0)), (50.0, (0.0, 4.0, 0.0))):
        assert lines[hz == line_hz][0] == pytest.approx(expected, abs=1e-6)
    assert (lines[1:] ** 2).sum() == pytest.approx(4 + 9 + 16, abs=1e-6)


def test_a_shake_comes_and_goes() -> None:
    surroundings = environment()
    surroundings.shake(1.0, 2.0, 30.0, (0.1, 0.0, 0.0))
    times_s = np.arange(0.0, 4.0, 1e-3)
    x_um = moved_um(surroundings, times_s)[:, 0]
    assert np.abs(x_um[(times_s < 1.0) | (times_s > 3.0)]).max() < 1e-12
    assert x_um.max() == pytest.approx(0.1, rel=0.02)
    assert times_s[np.argmax(x_um)] == pytest.approx(2.0, abs=0.1)


def test_temperature_and_laser_wander_by_as_much_as_named() -> None:
    """The rms over many worlds at one instant."""
    wandered = np.array(
        [
            (
                Environment(replace(STILL, wander_rms_k=0.05), 0.004, seed).temperatures_k(1e5)[0],
                Environment(STILL, 0.004, seed).strays(np.array([1e5]))[1][0],
            )
            for seed in range(400)
        ]
    )
    rms = np.sqrt(np.mean((wandered - (296.15, 0.0)) ** 2, axis=0))
    assert rms == pytest.approx((0.05, 0.004), rel=SIGMAS / math.sqrt(800))
