"""The least loss of light on a walking emitter, against trackers that are played step by step."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from hil.limit import best_dither_um, least_loss, response_width_um
from tests.laws import Law

WIDTH_UM, RATE_CPS, WALK_UM2_PER_S = 0.12, 1e5, 1e-3
STEP_S, STEPS, WALKERS = 0.002, 4000, 200
STARTING = 1000
"""Steps until the filter has forgotten how it began."""


def played_loss(
    dither_um: float, gain_times: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Share of light lost, and its standard deviation: photons counted on either side in turn.

    The filter is that of steady state, its gain times a factor; the emitter's own rate is known.
    """
    slope = RATE_CPS * STEP_S * dither_um / WIDTH_UM**2  # counts a um, on either side
    noise = RATE_CPS * STEP_S / slope**2  # um2, of one look
    walked = WALK_UM2_PER_S * STEP_S
    before = (walked + math.sqrt(walked**2 + 4.0 * walked * noise)) / 2.0
    gain = gain_times * before / (before + noise)
    error_um, lost = np.zeros(WALKERS), np.zeros((STEPS, WALKERS))
    for step in range(STEPS):
        error_um += rng.normal(0.0, math.sqrt(walked), WALKERS)
        side_um = dither_um if step % 2 else -dither_um
        share = 1.0 - (error_um + side_um) ** 2 / (2.0 * WIDTH_UM**2)
        lost[step] = 1.0 - share
        counts = rng.poisson(RATE_CPS * STEP_S * share)
        expected = RATE_CPS * STEP_S * (1.0 - dither_um**2 / (2.0 * WIDTH_UM**2))
        error_um -= gain * (expected - counts) / slope * np.sign(side_um)
    each = lost[STARTING:].mean(axis=0)
    return float(each.mean()), float(each.std() / math.sqrt(WALKERS))


def test_the_best_filter_at_the_best_dither_loses_as_much(law: Law) -> None:
    dither_um = best_dither_um(WIDTH_UM, RATE_CPS, WALK_UM2_PER_S)
    expected = least_loss(WIDTH_UM, RATE_CPS, WALK_UM2_PER_S)
    found, sd = played_loss(dither_um, 1.0, np.random.default_rng(1))
    assert sd < 0.02 * expected
    law.within("least loss on a walking emitter, share", found, expected, 0.05 * expected)


@pytest.mark.parametrize(("dither", "gain"), [(0.5, 1.0), (2.0, 1.0), (1.0, 0.3), (1.0, 3.0)])
def test_no_other_dither_or_gain_loses_less(dither: float, gain: float) -> None:
    """Sabotage of the first: these trackers are seen to lose more."""
    dither_um = dither * best_dither_um(WIDTH_UM, RATE_CPS, WALK_UM2_PER_S)
    found, sd = played_loss(dither_um, gain, np.random.default_rng(2))
    assert found - 5.0 * sd > 1.1 * least_loss(WIDTH_UM, RATE_CPS, WALK_UM2_PER_S)


def test_an_emitter_at_rest_or_without_end_of_light_costs_nothing() -> None:
    assert least_loss(WIDTH_UM, RATE_CPS, 0.0) == 0.0
    assert least_loss(WIDTH_UM, 0.0, WALK_UM2_PER_S) == 0.0
    assert least_loss(WIDTH_UM, 1e20, WALK_UM2_PER_S) < 1e-6


def test_the_loss_goes_with_the_cube_root_of_walk_over_rate() -> None:
    """a^2 / w^2 with a^3 ~ w^2 sqrt(q / R): a thousand times the walk is ten times the loss."""
    one, other = (least_loss(WIDTH_UM, RATE_CPS, q) for q in (1e-8, 1e-5))
    assert other / one == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("share", "width_um"),
    [
        (lambda off: 5.0 * math.exp(-(off**2) / (2 * 0.3**2)), 0.3),
        (lambda off: 1.0 / (1.0 + off**2 / (2 * 0.25**2)), 0.25),
    ],
)
def test_the_width_is_that_of_the_top(share: Callable[[float], float], width_um: float) -> None:
    assert response_width_um(share) == pytest.approx(width_um, rel=0.03)
