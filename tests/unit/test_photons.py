"""Counts and tags against the textbook of photon statistics, by independent estimators."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from hil.nature import WorldNature
from hil.spad import Spad
from tests.laws import Law
from tests.unit.dark_room import (
    IDEAL,
    SIGMAS,
    Bench,
    Floats,
    Ints,
    aimed,
    chi2_pull,
    lit_evenly,
    pairs,
    with_chip,
)

BIN_PS = 500.0
EDGES_PS = np.arange(-20_250.0, 20_251.0, BIN_PS)


def g2(bench: Bench, for_s: float, edges_ps: Floats) -> tuple[Floats, Floats]:
    """Normalised to chance, and the number of pairs that chance would bring."""
    times_ps, channels = bench.world.tags(0.0, for_s)
    rates = np.bincount(channels) / for_s
    chance = rates[0] * rates[1] * np.diff(edges_ps) * 1e-12 * for_s
    return pairs(times_ps, channels, edges_ps) / chance, chance


def mean_decay(edges: Floats, time: float) -> Floats:
    """exp(-|t| / time), averaged over each bin."""

    def integral(t: Floats) -> Floats:
        return np.sign(t) * -np.expm1(-np.abs(t) / time) * time

    return np.diff(integral(edges)) / np.diff(edges)


def check(measured: Floats, chance: Floats, expected: Floats) -> None:
    """Each bin holds a Poisson number of pairs."""
    assert abs(chi2_pull(measured * chance, expected * chance, expected * chance)) < SIGMAS


def at_zero(
    measured: Floats, chance: Floats, expected: Floats, dip_ps: float
) -> tuple[float, float]:
    """g2(0) and its standard deviation: the depth of a dip of known shape, by least squares."""
    dip = mean_decay(EDGES_PS, dip_ps)
    weights = dip * chance / expected
    return 1.0 - float(weights @ (1.0 - measured) / (weights @ dip)), float(weights @ dip) ** -0.5


def test_one_emitter_never_sends_two_photons_at_once(law: Law) -> None:
    bench = aimed(IDEAL)
    measured, chance = g2(bench, 3.0, EDGES_PS)
    expected = 1.0 - mean_decay(EDGES_PS, 2000.0)  # 4 ns at saturation: pump and decay equal
    check(measured, chance, expected)
    found, sd = at_zero(measured, chance, expected, 2000.0)
    law.within_errors("g2(0) of one emitter", found, 0.0, sd)
    assert measured[len(measured) // 2] < 0.2


def test_pump_shortens_the_dip() -> None:
    measured, chance = g2(aimed(IDEAL, 6000.0), 3.0, EDGES_PS)
    check(measured, chance, 1.0 - mean_decay(EDGES_PS, 1000.0))


def test_two_emitters_at_one_place_reach_one_half(law: Law) -> None:
    nature = with_chip(pair_share=1.0, pair_apart_um=(0.0, 0.0))
    bench = aimed(nature)
    assert len(bench.emitters) % 2 == 0
    measured, chance = g2(bench, 2.0, EDGES_PS)
    expected = 1.0 - 0.5 * mean_decay(EDGES_PS, 2000.0)
    check(measured, chance, expected)
    found, sd = at_zero(measured, chance, expected, 2000.0)
    law.within_errors("g2(0) of two emitters", found, 0.5, sd)


def test_background_fills_the_dip(law: Law) -> None:
    """g2 = 1 - rho^2 (1 - g2_true), with rho = signal / all."""
    bench = aimed(IDEAL)
    bench.world.lamp_cps.set(0.0, 0.5e6)  # half of the emitter's million
    measured, chance = g2(bench, 3.0, EDGES_PS)
    expected = 1.0 - (2 / 3) ** 2 * mean_decay(EDGES_PS, 2000.0)
    check(measured, chance, expected)
    found, sd = at_zero(measured, chance, expected, 2000.0)
    law.within_errors("g2(0) of one in background, a third of all", found, 5 / 9, sd)


def test_laser_light_has_no_memory(law: Law) -> None:
    times_ps, channels = lit_evenly(1.5e6).tags(0.0, 2.0)
    chance = np.prod(np.bincount(channels) / 2.0) * np.diff(EDGES_PS) * 1e-12 * 2.0
    measured, expected = pairs(times_ps, channels, EDGES_PS) / chance, np.ones(len(chance))
    check(measured, chance, expected)
    found, sd = at_zero(measured, chance, expected, 2000.0)
    law.within_errors("g2(0) of laser light", found, 1.0, sd)


@pytest.mark.parametrize("shelf_ns", [60.0, 1000.0])
def test_a_third_level_bunches(shelf_ns: float) -> None:
    """g2 = (1 - exp(-t/t1)) (1 + a exp(-t/t2)), a = dark over bright time, t2 = shelf / (1 + a)."""
    bench = aimed(with_chip(shelf_ns=(shelf_ns, shelf_ns), shelved=(1.2, 1.2)))
    half = np.concatenate(([0.0, 250.0], np.geomspace(1000.0, 8e6, 40)))
    edges_ps = np.concatenate((-half[:0:-1], half))
    measured, chance = g2(bench, 3.0, edges_ps)
    bunching = 0.6 * mean_decay(edges_ps, shelf_ns * 1e3 / 1.6)
    law = (1.0 - mean_decay(edges_ps, 2000.0)) * (1.0 + bunching)
    check(measured, chance, law)
    assert measured.max() > 1.2


def test_the_third_level_makes_counts_noisier(law: Law) -> None:
    """Variance over mean is 1 + 2 R a t2, R the count rate, for intervals much longer than t2."""
    world = aimed(with_chip(shelf_ns=(1000.0, 1000.0), shelved=(1.2, 1.2))).world
    counts = np.array([sum(world.counts(k * 1e-3, (k + 1) * 1e-3)) for k in range(8000)])
    rate_hz = counts.mean() * 1e3
    assert rate_hz == pytest.approx(1e6, rel=SIGMAS * np.sqrt(1.75 / counts.sum()))
    expected = 1.0 + 2.0 * rate_hz * 0.6 * 1e-6 / 1.6
    fano, sd = counts.var() / counts.mean(), expected * np.sqrt(2 / len(counts))
    law.within_errors("variance / mean of a three-level emitter's counts", fano, expected, sd)


@pytest.mark.parametrize("cps", [400.0, 3e3, 1.2e4, 4e4, 2e6])
def test_counts_of_steady_light_are_poisson(law: Law, cps: float) -> None:
    """Mean, variance and third moment; variance of each estimate from the law's own moments."""
    world, n, gate_s = lit_evenly(cps), 8000, 1e-3
    counts = np.array([world.counts(k * gate_s, (k + 1) * gate_s) for k in range(n)], float)
    mu = cps / 2 * gate_s
    for channel in counts.T:
        off = channel - mu
        assert off.mean() == pytest.approx(0.0, abs=SIGMAS * np.sqrt(mu / n))
        assert (off**2).mean() == pytest.approx(mu, abs=SIGMAS * np.sqrt((mu + 2 * mu**2) / n))
        sixth = mu + 25 * mu**2 + 15 * mu**3
        assert (off**3).mean() == pytest.approx(mu, abs=SIGMAS * np.sqrt((sixth - mu**2) / n))
    fano, sd = counts[:, 0].var() / counts[:, 0].mean(), np.sqrt((2 + 1 / mu) / n)
    law.within_errors(f"variance / mean of counts, {mu:g} a gate", fano, 1.0, sd)
    both = np.mean((counts[:, 0] - mu) * (counts[:, 1] - mu))
    assert both == pytest.approx(0.0, abs=SIGMAS * mu / np.sqrt(n))


def test_milliseconds_leave_no_trace() -> None:
    """Clicks are spread evenly over the cells in which they are drawn, and so are pairs of them."""
    dark = with_chip(shelf_ns=(2000.0, 2000.0), shelved=(1.2, 1.2), saturated_cps=2e4)
    times_ps, _ = aimed(dark).world.tags(0.0, 60.0)
    phase = np.bincount(times_ps % 10**9 * 20 // 10**9, minlength=20)
    assert chisquare(phase).pvalue > 1e-5
    ends = np.diff(times_ps)
    assert kstest(ends[ends > 1e8] - 1e8, "expon", args=(0.0, 60e12 / len(times_ps))).pvalue > 1e-5


def test_tags_are_the_clicks_that_are_counted(rng: random.Random) -> None:
    """For any interval, whole cells or not, across the detectors' dead time and afterpulses."""
    bench = aimed(replace(with_chip(shelved=(0.6, 0.6)), spads=WorldNature().spads))
    bench.world.lamp_cps.set(0.0, 2e5)
    for _ in range(30):
        since_s = rng.uniform(0.0, 2.0)
        until_s = since_s + 10.0 ** rng.uniform(-6, -1)
        _, channels = bench.world.tags(since_s, until_s)
        assert bench.world.counts(since_s, until_s) == tuple(
            np.bincount(channels, minlength=2).tolist()
        )


def test_cells_in_which_too_few_photons_clicked_are_done_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enough = Spad.photons_for

    def too_few(spad: Spad, clicks: Ints, effort: int) -> Ints:
        return clicks if effort == 1 else enough(spad, clicks, effort)

    monkeypatch.setattr(Spad, "photons_for", too_few)
    bench = aimed(replace(IDEAL, spads=WorldNature().spads))
    times_ps, channels = bench.world.tags(0.0, 0.5)
    assert bench.world.counts(0.0, 0.5) == tuple(np.bincount(channels).tolist())
    assert np.diff(times_ps[channels == 0]).min() >= 24_000


def test_whoever_asks_whatever_first_gets_the_same_clicks(rng: random.Random) -> None:
    edges_s = sorted(rng.uniform(0.0, 0.1) for _ in range(20))
    spans = list(itertools.pairwise(edges_s))
    chip = replace(WorldNature().chip, width_um=100.0)
    nature = replace(WorldNature(), chip=chip, camera=IDEAL.camera)
    once, again = aimed(nature).world, aimed(nature).world
    parts = {span: once.counts(*span) for span in spans}
    rng.shuffle(spans)
    assert {span: again.counts(*span) for span in spans} == parts
    whole = again.counts(edges_s[0], edges_s[-1])
    assert whole == tuple(sum(part[n] for part in parts.values()) for n in (0, 1))
    times_ps, _ = once.tags(edges_s[0], edges_s[-1])
    pieces = [again.tags(*span)[0] for span in sorted(spans)]
    assert np.array_equal(times_ps, np.concatenate(pieces))
    assert np.all(np.diff(times_ps) >= 0)


def test_another_seed_is_another_world() -> None:
    one, other = (Bench(IDEAL, seed).world for seed in (1, 2))
    for world in (one, other):
        world.lamp_cps.set(0.0, 1e6)
    assert one.counts(0.0, 0.1) != other.counts(0.0, 0.1)


@pytest.mark.parametrize("within_ps", [1_000, 20_000])
def test_coincidences_are_drawn_as_tags_bring_them(within_ps: int) -> None:
    bench, for_s = aimed(with_chip(shelved=(0.6, 0.6), shelf_ns=(100.0, 100.0))), 4.0
    bench.world.lamp_cps.set(0.0, 3e5)
    drawn = bench.world.coincidences(0.0, for_s, within_ps)
    parts = sum(bench.world.coincidences(k * 0.4371, (k + 1) * 0.4371, within_ps) for k in range(4))
    assert parts == bench.world.coincidences(0.0, 4 * 0.4371, within_ps)
    counted = int(pairs(*bench.world.tags(0.0, for_s), np.array([-within_ps, within_ps])).sum())
    assert drawn == pytest.approx(counted, abs=SIGMAS * np.sqrt(drawn + counted))
