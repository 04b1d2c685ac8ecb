"""Errors and bounds that cover what they claim, over light of our own making.

The default run takes one recording of a few kinds: a gross fault shows. `full` takes sixty.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.accept.g2_trials import CONTINUOUS, KINDS, PULSED, Honesty, Kind, Trial, honesty, trial

FEW = [
    replace(next(kind for kind in KINDS if kind.name == name), duration_s=1.0)
    for name in ("one", "two", "40 MHz 3 ns", "laser pulses")
]
QUICK, FULL = 1, 60
LIFETIME = 0.003  # relative


def trials(kind: Kind, count: int, seed: int) -> list[Trial]:
    return [trial(kind, np.random.default_rng([seed, k])) for k in range(count)]


def test_no_claim_is_grossly_wrong(seed: int) -> None:
    found = honesty([one for kind in FEW for one in trials(kind, QUICK, seed)])
    assert found.within_1 >= 0.25  # of 4; none are by chance once in 100
    assert found.within_2 >= 0.75
    assert found.below_bound >= 0.75
    assert found.raw_below_bound >= 0.75


@pytest.fixture(scope="module")
def all_trials(seed: int) -> dict[str, list[Trial]]:
    return {kind.name: trials(kind, FULL, seed) for kind in KINDS}


def scatter(share: float, count: int) -> float:
    """Three standard deviations of a share found in so many."""
    return 3 * float(np.sqrt(share * (1 - share) / count))


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_errors_cover_what_they_claim(all_trials: dict[str, list[Trial]]) -> None:
    found = honesty([one for some in all_trials.values() for one in some])
    assert 0.66 <= found.within_1 <= 0.71
    assert found.within_2 >= 0.94
    assert found.below_bound >= 0.94
    assert found.raw_below_bound >= 0.94
    assert abs(found.bias) <= 0.25


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_by_itself(kind: Kind, all_trials: dict[str, list[Trial]]) -> None:
    """As above, as far as sixty recordings can tell."""
    found: Honesty = honesty(all_trials[kind.name])
    assert found.within_1 >= 0.66 - scatter(0.68, FULL)
    assert found.within_2 >= 0.94 - scatter(0.95, FULL)
    assert found.below_bound >= 0.94 - scatter(0.95, FULL)
    assert found.raw_below_bound >= 0.94 - scatter(0.95, FULL)
    assert abs(found.bias) <= 0.25 + 3 / FULL**0.5


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_lifetime_by_sync(all_trials: dict[str, list[Trial]]) -> None:
    """The mean over all recordings, whose own error is smaller than what is allowed."""
    [kind] = [kind for kind in KINDS if kind.t3]
    lifetimes = [one.outcome.statistics.measured.lifetime for one in all_trials[kind.name]]
    found = [lifetime.value_ps for lifetime in lifetimes if lifetime is not None]
    assert len(found) == FULL
    assert np.mean(found) == pytest.approx(kind.light.lifetime_ns * 1e3, rel=LIFETIME)


def test_kinds_cover_what_was_promised() -> None:
    assert len(CONTINUOUS) >= 10
    assert {kind.light.pulses_hz for kind in PULSED} >= {20e6, 40e6, 76e6, 80e6}
    assert {kind.light.emitters for kind in KINDS} == {0, 1, 2}
