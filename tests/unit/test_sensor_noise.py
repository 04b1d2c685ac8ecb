"""Noise from tables, against the laws themselves."""

import math

import numpy as np
import pytest
from scipy import stats

from hil.sensor_noise import FEW_E, normal, shot
from tests.unit.dark_room import SIGMAS


@pytest.mark.parametrize("mean_e", [0.0, 0.01, 0.7, 3.017, 9.99, 10.0, 25.0])
def test_every_count_is_as_frequent_as_poisson_has_it(mean_e: float, seed: int) -> None:
    """The mean lies anywhere between the table's levels; each bin has its own error."""
    rng = np.random.Generator(np.random.SFC64(seed))
    pixels = 400_000
    drawn = shot(np.full((400, 1000), mean_e, np.float32), rng)
    seen = np.bincount(drawn.astype(np.int64).ravel(), minlength=60)
    expected = pixels * stats.poisson.pmf(np.arange(len(seen)), np.float64(np.float32(mean_e)))
    bias = 0.0 if mean_e < FEW_E else 3e-4 * pixels  # of the expansion, as `keyed.py` states it
    assert np.all(np.abs(seen - expected) <= SIGMAS * np.sqrt(expected) + 3.0 + bias)


def test_pixels_of_one_band_have_each_their_own_mean(seed: int) -> None:
    rng = np.random.Generator(np.random.SFC64(seed))
    means = np.array([0.1, 1.0, 9.0, 40.0], np.float32)
    drawn = shot(np.tile(means, (100_000, 1)), rng)
    for column, mean in zip(drawn.T, means, strict=True):
        error = math.sqrt(mean / len(column))
        assert column.mean() == pytest.approx(mean, abs=SIGMAS * error)
        assert column.var() == pytest.approx(mean, rel=SIGMAS * math.sqrt((2 + 1 / mean) / 1e5))


def test_deviates_are_normal_out_into_the_tails(seed: int) -> None:
    """Shares beyond 0 to 5 standard deviations on both sides; 5 is beyond all of the table."""
    drawn = normal((2000, 2000), np.random.Generator(np.random.SFC64(seed)))
    for edge in (0.0, 1.0, 2.9, 3.1, 4.0, 5.0):
        expected = drawn.size * stats.norm.sf(edge)
        for beyond in (drawn > edge, drawn < -edge):
            assert abs(beyond.sum() - expected) <= SIGMAS * math.sqrt(expected) + 2.0
    assert len(np.unique(drawn[np.abs(drawn) > 3.2])) > 4000  # no steps there
