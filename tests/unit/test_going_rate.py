"""The rate of the last second, the usual one, and for how long it has been low."""

import numpy as np
import pytest

from controller.going_rate import GoingRate, Monitor
from optics.quantities import CountGate

GATE_S = 0.01


def counted(going: GoingRate, cps: tuple[float, float], for_s: float, seed: int = 1) -> None:
    rng = np.random.default_rng(seed)
    for number in range(round(for_s / GATE_S)):
        a, b = (int(clicks) for clicks in rng.poisson(np.array(cps) * GATE_S))
        going.add(CountGate((a, b), 0, GATE_S, number, number * GATE_S))


def test_nothing_is_said_before_a_second_was_counted() -> None:
    going = GoingRate()
    counted(going, (1e5, 1e5), 0.9)
    assert going.cps is None
    counted(going, (1e5, 1e5), 0.2)
    assert going.cps == pytest.approx(2e5, rel=0.02)


def test_a_low_rate_is_timed_and_does_not_become_usual() -> None:
    going = GoingRate()
    counted(going, (6e4, 4e4), 30.0)
    assert going.low_s == 0.0
    counted(going, (3e4, 2e4), 5.0)
    assert going.low_s == pytest.approx(5.0, abs=0.3)
    assert going.usual_cps == pytest.approx((6e4, 4e4), rel=0.02)
    assert going.cps == pytest.approx(5e4, rel=0.03)
    counted(going, (6e4, 4e4), 0.5)
    assert going.low_s == 0.0


def test_a_slow_decline_becomes_usual() -> None:
    going = GoingRate()
    for share in np.linspace(1.0, 0.4, 60):
        counted(going, (1e5 * share, 1e5 * share), 5.0)
    assert going.low_s == 0.0


def test_few_counts_that_scatter_are_not_low() -> None:
    going = GoingRate()
    for seed in range(20):
        counted(going, (30.0, 30.0), 5.0, seed)
        assert going.low_s == 0.0


def test_a_monitor_is_averaged_and_followed_at_once_when_it_jumps() -> None:
    monitor, rng = Monitor(), np.random.default_rng(1)
    assert monitor.share == 1.0
    shares = []
    for reading in 1000.0 + rng.normal(0.0, 2.0, 300):
        monitor.add(float(reading))
        shares.append(monitor.share * monitor.usual)
    assert np.std(shares[30:]) < 1.0
    monitor.add(700.0)
    assert monitor.share == pytest.approx(0.7, rel=0.005)
