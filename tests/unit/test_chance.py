"""Keyed randomness: a function of the key alone, and as random as its moments can tell."""

import itertools
import math
import random
from collections.abc import Callable

import pytest

from hil.chance import keyed_bits, keyed_normal, keyed_uniform

N = 20_000
SIGMAS = 5.0
"""All draws are fixed by their keys, so this bound never flickers; it follows from N alone."""


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def test_the_mixing_function_is_splitmix64() -> None:
    assert keyed_bits(0) == 0xE220A8397B1DCDAF  # first output of the reference for state 0
    assert keyed_bits(0x9E3779B97F4A7C15) == 0x6E789E6AA1B965F4  # its second


@pytest.mark.parametrize("draw", [keyed_bits, keyed_uniform, keyed_normal])
def test_the_order_of_asking_changes_nothing(
    draw: Callable[..., float], rng: random.Random
) -> None:
    keys = list(itertools.product((7, 8), range(10), range(10)))
    first = {key: draw(*key) for key in keys}
    rng.shuffle(keys)
    assert {key: draw(*key) for key in keys} == first
    assert len(set(first.values())) == len(keys)


def test_every_part_of_a_key_counts_and_so_does_its_place() -> None:
    keys = [(), (0,), (0, 0), (1,), (1, 0), (0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (-1,), (2, 1)]
    assert len({keyed_bits(*key) for key in keys}) == len(keys)


def test_a_uniform_draw_lies_in_the_unit_interval_with_the_moments_of_one() -> None:
    values = [keyed_uniform(1, k) for k in range(N)]
    assert 0.0 <= min(values) < 20 / N
    assert 1.0 - 20 / N < max(values) < 1.0
    assert mean(values) == pytest.approx(1 / 2, abs=SIGMAS * math.sqrt(1 / 12 / N))
    squares = [(value - 0.5) ** 2 for value in values]
    assert mean(squares) == pytest.approx(1 / 12, abs=SIGMAS * math.sqrt(1 / 180 / N))


def test_a_normal_draw_has_the_first_four_moments_of_one() -> None:
    values = [keyed_normal(1, k) for k in range(N)]
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        found = mean([value**power for value in values])
        assert found == pytest.approx(moment, abs=SIGMAS * math.sqrt(variance / N)), power


@pytest.mark.parametrize("step", [(0, 1), (1, 0), (1, -1), (0, 1000), (1 << 32, 0)])
def test_neighbouring_keys_are_not_correlated(step: tuple[int, int]) -> None:
    seed_step, k_step = step
    products = [
        12 * (keyed_uniform(3, k) - 0.5) * (keyed_uniform(3 + seed_step, k + k_step) - 0.5)
        for k in range(N)
    ]
    assert mean(products) == pytest.approx(0, abs=SIGMAS / math.sqrt(N))


def test_neighbouring_keys_differ_in_half_of_their_bits() -> None:
    flipped = [(keyed_bits(5, k) ^ keyed_bits(5, k + 1)).bit_count() for k in range(N)]
    assert mean([float(count) for count in flipped]) == pytest.approx(
        32, abs=SIGMAS * math.sqrt(16 / N)
    )
