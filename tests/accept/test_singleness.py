"""The verdict's stated risk, over light of our own making: two emitters are hardly ever one.

The default run takes a few recordings; `full` takes 300 of two emitters and 300 of one.
"""

from typing import NamedTuple

import numpy as np
import pytest

from optics.live_purity import Look
from optics.photon_statistics import Known
from optics.quantities import TagRun
from optics.singleness import SinglenessTest, Verdict
from tests.accept.light_maker import Detectors, Light, recording

DETECTORS = Detectors(jitter_ps=150, dead_ns=30, afterpulsing=0.005, dark_cps=100)
PULSED_HZ, CPS, FOR_S, STEP_S = 40e6, 100e3, 1.2, 0.1
QUICK, FULL, RISK = 2, 300, 0.01


class Decided(NamedTuple):
    """What was said, and after how long."""

    verdict: Verdict
    after_s: float


def decided(emitters: int, rng: np.random.Generator) -> Decided:
    """Runs of a tenth of a second until it is settled, or the recording ends."""
    light = Light("some", emitters=emitters, rate_cps=CPS, pulses_hz=PULSED_HZ)
    tags = recording(light, DETECTORS, FOR_S, rng)
    test = SinglenessTest(Look(period_ps=1e12 / PULSED_HZ, known=Known(jitter_ps=150)), risk=RISK)
    verdict, until_s = Verdict.UNDECIDED, 0.0
    while verdict is Verdict.UNDECIDED and until_s < FOR_S - STEP_S / 2:
        edges = np.array([until_s, until_s + STEP_S]) * 1e12
        first, last = np.searchsorted(tags.time_ps, edges)
        run = TagRun(tags.time_ps[first:last], tags.channel[first:last], STEP_S, 0)
        until_s += STEP_S
        verdict = test.add(run, until_s)
    return Decided(verdict, until_s)


def some(emitters: int, count: int, seed: int) -> list[Decided]:
    return [decided(emitters, np.random.default_rng([seed, emitters, k])) for k in range(count)]


def wrong(found: list[Decided], verdict: Verdict) -> int:
    return sum(one.verdict is verdict for one in found)


def test_few_are_told_right(seed: int) -> None:
    """One wrong of so few is a chance of 1 in 50 at the stated risk."""
    assert wrong(some(2, QUICK, seed), Verdict.SINGLE) == 0
    ones = some(1, QUICK, seed)
    assert wrong(ones, Verdict.SEVERAL) == 0
    assert sum(one.verdict is Verdict.SINGLE for one in ones) >= QUICK - 1


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_the_stated_risk_is_kept(seed: int) -> None:
    """Two equal emitters lie at the limit: g2(0) is 0.5, a little more with dark clicks."""
    twos = some(2, FULL, seed)
    assert wrong(twos, Verdict.SINGLE) <= RISK * FULL


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_one_emitter_is_proven_within_a_second(seed: int) -> None:
    ones = some(1, FULL, seed)
    assert wrong(ones, Verdict.SEVERAL) <= RISK * FULL
    assert np.median([one.after_s for one in ones]) <= 0.6
    assert sum(one.verdict is Verdict.SINGLE for one in ones) >= 0.95 * FULL
