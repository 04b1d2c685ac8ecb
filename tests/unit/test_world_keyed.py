"""Randomness in bulk and settings with a history: the ground on which the world has no tick."""

import math
import random

import numpy as np
import pytest
from scipy.stats import chisquare, kstest, poisson

from hil.blocks import SIZE, Blocks
from hil.chance import keyed_bits
from hil.keyed import bits, counts, halves, normals, uniforms
from hil.switching import ranks
from hil.timeline import REMEMBERED, Timeline
from tests.unit.dark_room import SIGMAS


def test_bulk_gives_what_one_by_one_gives() -> None:
    numbers = np.array([0, 1, -1, 5, 1 << 40])
    expected = [keyed_bits(3, number, 7) for number in numbers.tolist()]
    assert bits(keyed_bits(3), numbers, np.array([7])).tolist() == expected


def test_bulk_draws_have_their_distributions() -> None:
    drawn = bits(5, np.arange(100_000))
    high, low = halves(drawn)
    for values in (uniforms(drawn), high, low):
        assert kstest(values, "uniform").pvalue > 1e-5
        assert 0.0 < values.min() < values.max() < 1.0
    assert kstest(normals(drawn), "norm").pvalue > 1e-5
    assert np.corrcoef(high, low)[0, 1] == pytest.approx(0.0, abs=SIGMAS / math.sqrt(100_000))


@pytest.mark.parametrize("mean", [0.01, 0.7, 4.0, 9.99, 10.0, 14.0, 60.0, 4000.0])
def test_counts_are_poisson_number_by_number(mean: float) -> None:
    """Chi squared over all outcomes; the expansion from 10 on is judged below."""
    n = 50_000
    drawn = counts(np.full(n, mean), uniforms(bits(9, np.arange(n))))
    low, high = (int(poisson.ppf(share, mean)) for share in (20 / n, 1 - 20 / n))
    found = np.bincount(np.clip(drawn, low, high) - low, minlength=high - low + 1)
    expected = poisson.pmf(np.arange(low, high + 1), mean)
    expected[0], expected[-1] = poisson.cdf(low, mean), poisson.sf(high - 1, mean)
    assert chisquare(found, n * expected / expected.sum()).pvalue > 1e-5


@pytest.mark.parametrize("mean", [10.0, 30.0, 1000.0])
def test_the_expansion_is_poisson_but_for_a_thousandth(mean: float) -> None:
    """Evenly spaced numbers instead of random ones: distribution, variance, third moment."""
    n = 200_000
    drawn = counts(np.full(n, mean), (np.arange(n) + 0.5) / n)
    outcomes = np.arange(int(mean + 8 * math.sqrt(mean)))
    reached = np.searchsorted(np.sort(drawn), outcomes, side="right") / n
    assert np.abs(reached - poisson.cdf(outcomes, mean)).max() < 0.015 / mean
    assert drawn.mean() == pytest.approx(mean, rel=1e-5)
    assert drawn.var() == pytest.approx(mean, rel=5e-4)
    assert np.mean((drawn - mean) ** 3) == pytest.approx(mean, rel=0.02)


def test_counts_keep_another_variance_where_they_are_many() -> None:
    n = 50_000
    drawn = counts(np.full(n, 500.0), uniforms(bits(2, np.arange(n))), 0.25)
    assert drawn.mean() == pytest.approx(500.0, abs=SIGMAS * math.sqrt(125 / n))
    assert drawn.var() == pytest.approx(125.0, rel=SIGMAS * math.sqrt(2 / n))


def test_ranks_count_within_groups() -> None:
    assert ranks(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
    assert ranks(np.zeros(0, np.int64)).tolist() == []


def test_blocks_do_not_care_how_they_are_asked(rng: random.Random) -> None:
    blocks = Blocks(lambda cells: np.vstack((cells, cells * cells)).astype(float))
    for _ in range(50):
        first = rng.randrange(-SIZE, 3 * SIZE)
        cells = np.arange(first, first + rng.randrange(1, 2 * SIZE))
        found = blocks.over(int(cells[0]), int(cells[-1]) + 1)
        assert np.array_equal(found, np.vstack((cells, cells * cells)))


def test_a_setting_holds_from_change_to_change() -> None:
    power = Timeline(0.0)
    power.set(1.0, 5.0)
    power.between(2.0, 3.0, 1.0)
    power.set(4.0, 7.0)
    power.set(4.0, 8.0)
    assert [power.at(now_s)[0] for now_s in (0.9, 1.0, 2.0, 2.9, 3.0, 4.0)] == [0, 5, 1, 1, 5, 8]
    assert power.over(np.array([0.5, 1.0, 2.5, 9.0]))[0].tolist() == [0, 5, 1, 8]
    assert power.over(np.array([3.1, 3.2])).tolist() == [[5.0]]
    assert power.highest(1.5, 3.5) == 5.0
    assert power.highest(3.5, 4.5) == 8.0
    assert power.changed_s(3.9) == 3.0
    assert power.changed_s(0.0) == -math.inf


def test_a_change_in_the_past_leaves_what_came_later() -> None:
    power = Timeline(0.0)
    power.set(2.0, 2.0)
    power.set(1.0, 1.0)
    assert [power.at(now_s)[0] for now_s in (0.5, 1.5, 2.5)] == [0.0, 1.0, 2.0]


def test_old_changes_are_forgotten_in_time() -> None:
    power = Timeline(0.0)
    for n in range(10 * REMEMBERED):
        power.set(float(n), float(n))
    last = 10 * REMEMBERED - 1
    for back in (0, 1, REMEMBERED - 1):
        assert power.at(last - back + 0.5) == (last - back,)
    assert power.at(0.5) == (0.0,)
