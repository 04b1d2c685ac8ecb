"""A detector's vices, found again by the standard estimators."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import kstest

from hil.nature import SpadNature
from hil.spad import CELL_BITS, Spad
from tests.laws import Law
from tests.unit.dark_room import SIGMAS, Bench, Ints, lit_evenly, with_spads

CELL_PS = 10**9
MODULE = SpadNature()


def rate(cps: float, dead_ns: float, for_s: float) -> float:
    """Clicks a second of one detector."""
    return lit_evenly(2.0 * cps, with_spads(dead_ns=dead_ns)).counts(0.0, for_s)[0] / for_s


@pytest.mark.parametrize("cps", [2e5, 1e6, 5e6, 2e7])
def test_clicks_follow_the_law_of_a_dead_time(law: Law, cps: float) -> None:
    """m = l / (1 + l d); variance over mean (1 + l d)^-2 (Mueller, NIM 112, 1973)."""
    world = lit_evenly(2.0 * cps, with_spads(dead_ns=24.0))
    counts = np.array([world.counts(k * 1e-3, (k + 1) * 1e-3)[0] for k in range(6000)])
    live = 1.0 + cps * 24e-9
    fano = live**-2
    error = math.sqrt(counts.mean() * fano / len(counts))
    assert counts.mean() == pytest.approx(cps * 1e-3 / live, abs=SIGMAS * error)
    found = counts.var() / counts.mean()
    sd = fano * math.sqrt(2 / len(counts))
    law.within_errors(f"variance / mean behind 24 ns dead, {cps:g} a second", found, fano, sd)


def test_two_lights_give_the_dead_time(law: Law) -> None:
    """The two-source method: l12 = l1 + l2, each l = m / (1 - m d)."""
    for_s, one_cps, other_cps = 20.0, 2e6, 3e6
    one, other, both = (rate(cps, 45.0, for_s) for cps in (one_cps, other_cps, 5e6))

    def gap(dead_s: float) -> float:
        return sum(m / (1 - m * dead_s) for m in (one, other)) - both / (1 - both * dead_s)

    dead_ns = brentq(gap, 1e-9, 150e-9) * 1e9
    # The three rates fluctuate independently, each by Poisson narrowed by the dead time.
    slope = (gap(46e-9) - gap(44e-9)) / 2.0
    noise = math.sqrt(sum(cps * (1 + cps * 45e-9) / for_s for cps in (one_cps, other_cps, 5e6)))
    law.within_errors("dead time by two lights, ns", dead_ns, 45.0, noise / abs(slope))
    assert noise / abs(slope) < 1.0


def intervals_ns(cps: float, for_s: float, **spad: float) -> tuple[Ints, float]:
    """Between neighbouring clicks of the first detector, and its rate."""
    times_ps, channels = lit_evenly(2.0 * cps, with_spads(**spad)).tags(0.0, for_s)
    mine = times_ps[channels == 0]
    return np.diff(mine) * 1e-3, len(mine) / for_s


@pytest.mark.parametrize("cps", [1e6, 1.5e7])
def test_intervals_are_a_dead_time_and_an_exponential(cps: float) -> None:
    gaps_ns, _ = intervals_ns(cps, 0.2, dead_ns=24.0)
    assert gaps_ns.min() >= 24.0
    assert gaps_ns.min() < 24.0 + 20 * 1e9 / cps / len(gaps_ns)
    assert kstest((gaps_ns - 24.0) * cps * 1e-9, "expon").pvalue > 1e-6


def test_no_click_falls_into_the_dead_time_of_an_afterpulse() -> None:
    gaps_ns, _ = intervals_ns(8e6, 0.1, dead_ns=24.0, afterpulse_share=0.05)
    assert 24.0 <= gaps_ns.min() < 24.01


@pytest.mark.parametrize(("cps", "share"), [(5e3, 0.05), (1e5, 0.005), (1e6, 0.03)])
def test_afterpulses_stand_out_of_the_autocorrelation(law: Law, cps: float, share: float) -> None:
    """Excess of pairs after the dead time, over what chance brings, per click that is none."""
    for_s = min(40.0, 4e5 / cps)
    spad = {"dead_ns": 24.0, "afterpulse_share": share, "afterpulse_ns": 40.0}
    times_ps, channels = lit_evenly(2.0 * cps, with_spads(**spad)).tags(0.0, for_s)
    mine = times_ps[channels == 0]
    found, order = 0, 1
    while (close := (mine[order:] - mine[:-order]) < 400_000).any():
        found, order = found + int(close.sum()), order + 1
    chance = len(mine) ** 2 / for_s * (400e-9 - 24e-9)
    excess = found - chance
    # In the shadow of an afterpulse's own dead time natural clicks are missing, and vice versa.
    sd = math.sqrt(found) / len(mine) + 2.0 * share * cps * 64e-9 / SIGMAS
    again = excess / (len(mine) - excess)
    law.within_errors(f"afterpulses by autocorrelation, {cps:g} a second", again, share, sd)


def test_delays_of_afterpulses_are_exponential(law: Law) -> None:
    vices = {"dead_ns": 24.0, "afterpulse_share": 0.3, "afterpulse_ns": 40.0}
    gaps_ns, rate_hz = intervals_ns(2e3, 30.0, **vices)
    after = gaps_ns[gaps_ns < 500.0] - 24.0
    natural = len(gaps_ns) * rate_hz * 476e-9
    mean_ns = (after.sum() - natural * 238.0) / (len(after) - natural)
    law.within_errors("mean delay of afterpulses, ns", mean_ns, 40.0, 40.0 / math.sqrt(len(after)))


@pytest.mark.parametrize("share", [0.005, 0.04])
def test_counts_of_steady_light_show_the_afterpulses(law: Law, share: float) -> None:
    """Mandel's Q is twice the afterpulse probability, and the rate is higher by it."""
    world, n = lit_evenly(4e4, with_spads(afterpulse_share=share)), 15_000
    counts = np.array([world.counts(k * 1e-3, (k + 1) * 1e-3)[0] for k in range(n)])
    mandel = counts.var() / counts.mean() - 1.0
    sd = math.sqrt(2 / n) / 2
    law.within_errors(f"afterpulses by Mandel's Q, {share:.1%}", mandel / 2, share, sd)
    assert counts.mean() == pytest.approx(20 * (1 + share), abs=SIGMAS * math.sqrt(20 / n))


def test_jitter_has_its_width_and_tail(law: Law) -> None:
    """Photons at one instant of each cell; the tail delays a share by so much on average."""
    nature = SpadNature(afterpulse_share=0.0, jitter_tail=0.1, jitter_tail_ps=250.0)
    n = 4000
    late_ps = np.concatenate([clicks_at(Spad(nature), n, key) for key in range(5)])
    sigma_ps = 350.0 / math.sqrt(8.0 * math.log(2.0))
    variance = sigma_ps**2 + 2 * 0.1 * 250.0**2 - 25.0**2
    assert late_ps.mean() == pytest.approx(25.0, abs=SIGMAS * math.sqrt(variance / len(late_ps)))
    rms_ps = float(late_ps.std())
    law.within("rms jitter with its tail, ps", rms_ps, math.sqrt(variance), 0.05 * rms_ps)
    early = np.mean(late_ps < -sigma_ps)  # where the tail is not: Gaussian, less what was delayed
    assert early == pytest.approx(0.1587, abs=0.1 * 0.16 + SIGMAS * math.sqrt(0.16 / len(late_ps)))


def clicks_at(spad: Spad, cells: int, key: int) -> Ints:
    number, one = np.arange(cells), np.ones(cells, np.int64)
    arrived = (number << CELL_BITS) + CELL_PS // 2
    clicks = spad.clicks(arrived, one, 0 * one, number, key)
    return (clicks & ((1 << CELL_BITS) - 1)) - CELL_PS // 2


def test_dark_counts_come_without_light() -> None:
    world = Bench(with_spads(dark_cps=100.0)).world
    a, b = world.counts(0.0, 100.0)
    for found in (a, b):
        assert found == pytest.approx(10_000, abs=SIGMAS * 100)


def test_efficiency_and_splitter_share_the_light() -> None:
    """Rates are meant for the reference efficiency of 0.65."""
    world = lit_evenly(1e6, with_spads(efficiency=0.325))
    a, b = world.counts(0.0, 10.0)
    assert a == pytest.approx(2.5e6, abs=SIGMAS * math.sqrt(2.5e6))
    assert b == pytest.approx(2.5e6, abs=SIGMAS * math.sqrt(2.5e6))


def test_too_much_light_latches_a_detector_for_a_while() -> None:
    world = lit_evenly(1e5, with_spads(latch_cps=1e7, latched_s=0.5))
    world.lamp_cps.between(1.0, 1.205, 1e8)
    assert min(world.counts(0.9, 1.0)) > 0
    assert world.counts(1.0, 1.7) == (0, 0)
    assert min(world.counts(1.7, 1.8)) > 0
    assert world.counts(1.0, 1.05) == world.counts(1.25, 1.5) == (0, 0)
    world.lamp_cps.between(2.01, 2.02, 1e8)  # too short for it to take notice
    assert world.counts(2.01, 2.02) == (0, 0)
    assert min(world.counts(2.02, 2.03)) > 0


def test_a_dead_detector_is_silent_and_the_other_is_not() -> None:
    world = lit_evenly(1e5, with_spads())
    world.detectors.between(1.0, 2.0, 0.0, 1.0)
    a, b = world.counts(1.0, 2.0)
    assert a == 0
    assert b > 0
    assert min(world.counts(2.0, 2.1)) > 0
