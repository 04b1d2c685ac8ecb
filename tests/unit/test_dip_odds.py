"""One emitter and two are told apart by clicks drawn here, as often as the odds say."""

import numpy as np
import pytest

from optics.dip_odds import DipOdds, Filled
from optics.quantities import TagRun

RATE_CPS, DIP_PS, JITTER_PS = 120e3, 1500.0, 150.0
RUN_S = 0.5


def emitter(cps: float, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Photons of one emitter in ps, each clicking somewhere; after each it must first recover.

    Of every photon only few are seen: the gaps are sums of many recoveries, or few.
    """
    seen = 0.1  # of the photons sent
    pump_ps = 1e12 * seen / cps - DIP_PS
    number = round(cps * RUN_S / seen)
    gaps = rng.exponential(DIP_PS, number) + rng.exponential(pump_ps, number)
    return np.asarray(np.cumsum(gaps)[rng.random(number) < seen])


def run(emitters: int, background_cps: float, rng: np.random.Generator) -> TagRun:
    """Clicks of both detectors behind a splitter, blurred."""
    light = [emitter(2 * RATE_CPS / emitters, rng) for _ in range(emitters)]
    light.append(rng.uniform(0, RUN_S * 1e12, rng.poisson(background_cps * RUN_S)))
    sent_ps = np.concatenate(light)
    seen_ps = sent_ps + JITTER_PS * rng.standard_normal(len(sent_ps))
    time_ps = np.sort(np.rint(seen_ps).astype(np.int64))
    channel = rng.integers(0, 2, len(time_ps)).astype(np.uint8)
    return TagRun(time_ps=time_ps, channel=channel, counted_s=RUN_S, lost=0)


def decided(emitters: int, rng: np.random.Generator, background_cps: float = 16e3) -> float:
    share = background_cps / (background_cps + 2 * RATE_CPS)
    odds, test = 0.0, DipOdds(Filled(JITTER_PS, share))
    for _ in range(20):
        odds = test.add(run(emitters, background_cps, rng))
        if abs(odds) > 4.6:
            break
    return odds


@pytest.mark.parametrize("emitters", [1, 2, 3])
def test_one_is_told_from_more(seed: int, emitters: int) -> None:
    rng = np.random.default_rng(seed + emitters)
    odds = [decided(emitters, rng) for _ in range(2)]
    assert all((o > 4.6) is (emitters == 1) for o in odds), odds


def test_uncorrelated_light_is_no_emitter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    test = DipOdds(Filled(JITTER_PS, 0.1))
    assert test.add(run(0, 2 * RATE_CPS, rng)) < -4.6


def test_without_clicks_nothing_is_said() -> None:
    none = TagRun(np.empty(0, np.int64), np.empty(0, np.uint8), counted_s=1.0, lost=0)
    assert DipOdds(Filled(JITTER_PS, 0.1)).add(none) == 0.0
