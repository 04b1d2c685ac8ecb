"""The live estimate of g2(0), and the verdict as soon as it is safe."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from optics.live_purity import LivePurity, Look, look_around
from optics.photon_statistics import Known
from optics.poisson_bounds import lower_limit
from optics.quantities import CountGate, TagRun
from optics.singleness import CoincidenceTest, SinglenessTest, Verdict
from optics.tags import BadTags
from tests.accept.light_maker import Detectors, Light, Recording, recording

PULSED = Light("pulsed", rate_cps=200e3, pulses_hz=40e6)
BOTH = Detectors(jitter_ps=150, dead_ns=30)
STEP_S = 0.1


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def runs(tags: Recording, gap_s: float = 0.0) -> Iterator[tuple[TagRun, float]]:
    """A tenth of a second each, and what the tagger's clock shows after a gap."""
    for k in range(round(tags.duration_s / STEP_S)):
        edges = np.array([k, k + 1]) * round(STEP_S * 1e12)
        first, last = np.searchsorted(tags.time_ps, edges)
        late = round(k * gap_s * 1e12)
        run = TagRun(tags.time_ps[first:last] + late, tags.channel[first:last], STEP_S, 0)
        yield run, (k + 1) * (STEP_S + gap_s)


def test_one_emitter_is_seen_as_one(rng: np.random.Generator) -> None:
    live = LivePurity(Look(period_ps=25_000.0, known=Known(jitter_ps=150)))
    tags = recording(PULSED, BOTH, 2.0, rng)
    for run, ended_s in runs(tags):
        live.add(run, ended_s)
    now = live.purity()
    assert now is not None
    estimate = now.statistics.g2_zero
    assert abs(estimate.value) < 4 * estimate.error < 0.1
    assert (now.since_s, now.until_s) == (0.0, 2.0)
    assert now.counted_s == pytest.approx(2.0)
    assert now.lost == 0


def test_gaps_between_runs_do_no_harm(rng: np.random.Generator) -> None:
    """The same clicks with a minute between the runs count the same, and lie further back."""
    tags = recording(PULSED, BOTH, 1.0, rng)
    near, apart = LivePurity(Look(period_ps=25e3), 1e9), LivePurity(Look(period_ps=25e3), 1e9)
    for live, gap_s in ((near, 0.0), (apart, 60.0)):
        for run, ended_s in runs(tags, gap_s):
            live.add(run, ended_s)
    [first, second] = (live.purity() for live in (near, apart))
    assert first is not None
    assert second is not None
    assert first.statistics.g2_zero == second.statistics.g2_zero
    assert second.until_s == pytest.approx(10 * 60.1)


def test_what_was_long_ago_is_forgotten(rng: np.random.Generator) -> None:
    """A laser first, then one emitter: a minute later nothing of the laser is left."""
    live = LivePurity(Look(period_ps=25e3), over_s=1.0)
    laser = Light("laser", emitters=0, rate_cps=200e3, pulses_hz=40e6)
    for run, ended_s in runs(recording(laser, BOTH, 1.5, rng)):
        live.add(run, ended_s)
    before = live.purity()
    for run, ended_s in runs(recording(PULSED, BOTH, 1.5, rng)):
        live.add(run, 1.5 + ended_s)
    after = live.purity()
    assert before is not None
    assert after is not None
    assert before.statistics.g2_zero.value == pytest.approx(1.0, abs=0.15)
    assert after.statistics.g2_zero.value < 0.1
    assert 1.0 <= after.until_s - after.since_s <= 1.2


def test_memory_is_bounded(rng: np.random.Generator) -> None:
    live = LivePurity(Look(), over_s=1.0)
    tags = recording(Light("faint", rate_cps=1e3), BOTH, STEP_S, rng)
    for k in range(1000):
        live.add(TagRun(tags.time_ps, tags.channel, STEP_S, 0), k * STEP_S)
    assert len(live._marks) <= 18  # noqa: SLF001 - nothing outside shows memory


def test_nothing_is_said_of_nothing() -> None:
    live = LivePurity(Look())
    assert live.purity() is None
    live.add(TagRun(np.empty(0, np.int64), np.empty(0, np.uint8), 1.0, 0), 1.0)
    assert live.purity() is None


def test_tags_out_of_order_are_refused() -> None:
    run = TagRun(np.array([5, 3]), np.array([0, 1], np.uint8), 1.0, 0)
    with pytest.raises(BadTags, match="tag 1 is earlier"):
        LivePurity(Look()).add(run, 1.0)


def test_delay_and_pulses_are_found_in_a_run(rng: np.random.Generator) -> None:
    detectors = Detectors(jitter_ps=150, delay_ps=31_000)
    tags = recording(PULSED, detectors, 2.0, rng)
    look = look_around(TagRun(tags.time_ps, tags.channel, 2.0, 0))
    assert look.period_ps == pytest.approx(25_000, rel=1e-3)
    assert look.delay_ps == pytest.approx(31_000, abs=200)


def test_no_delay_is_found_in_light_that_has_none(rng: np.random.Generator) -> None:
    """Ten thousand places are tried; a dip of chance among them would make a laser look single."""
    found = 0
    for _ in range(12):
        times = np.sort(rng.integers(0, 10**12, 400_000))
        channels = rng.integers(0, 2, len(times)).astype(np.uint8)
        found += look_around(TagRun(times, channels, 1.0, 0), pulsed=False).find_centre
    assert found == 0


@pytest.mark.parametrize("pulses_hz", [0.0, 40e6], ids=["continuous", "pulsed"])
@pytest.mark.parametrize(
    ("emitters", "verdict"), [(1, Verdict.SINGLE), (0, Verdict.SEVERAL)], ids=["one", "laser"]
)
def test_the_verdict_comes_as_soon_as_it_can(
    pulses_hz: float, emitters: int, verdict: Verdict, rng: np.random.Generator
) -> None:
    rate_cps = 100e3 if pulses_hz else 300e3
    light = Light("some", emitters=emitters, pulses_hz=pulses_hz, rate_cps=rate_cps)
    test = SinglenessTest(Look(period_ps=1e12 / pulses_hz if pulses_hz else None))
    seen = [(test.add(*run), run[1]) for run in runs(recording(light, Detectors(), 3.0, rng))]
    assert seen[-1][0] is verdict
    assert seen[0][0] is Verdict.UNDECIDED
    assert test.purity is not None
    assert test.purity.until_s < 2.5  # it stopped to look once it had decided


def test_no_pairs_of_twelve_prove_nothing(rng: np.random.Generator) -> None:
    """Two emitters leave none of them once in 500, which is too often for one look of many."""
    for _ in range(3):
        light = Light("one", rate_cps=101e3, pulses_hz=40e6)
        test = SinglenessTest(Look(period_ps=25e3))
        seen = [test.add(*run) for run in runs(recording(light, BOTH, 0.2, rng))]
        assert test.purity is not None  # it looked
        assert seen[-1] is Verdict.UNDECIDED


def test_a_bound_below_the_least_number_is_none() -> None:
    """A thousandth of the chance of a part of a count: the search for it once went on for ever."""
    assert lower_limit(1e-3, 1e-3) == pytest.approx(0.0, abs=1e-12)
    assert lower_limit(1.0, 0.05) == pytest.approx(-math.log(0.95), rel=1e-9)


def gates(expected: float, left: float, count: int, rng: np.random.Generator) -> list[CountGate]:
    """Gates of 10 ms whose coincidences are so many times the uncorrelated ones."""
    clicks = 10_000
    found = rng.poisson(expected * left, count)
    return [CountGate((clicks, clicks), int(n), 0.01, 0, 0.0) for n in found]


@pytest.mark.parametrize(("left", "verdict"), [(0.1, Verdict.SINGLE), (0.55, Verdict.SEVERAL)])
def test_coincidences_alone_give_a_first_look(
    left: float, verdict: Verdict, rng: np.random.Generator
) -> None:
    """Pulses of 25 ns: 10,000 clicks on each side in 10 ms make 250 uncorrelated pairs."""
    answers: list[Verdict] = []
    for _ in range(50):
        test = CoincidenceTest.pulsed(25e-9, 0.05)
        heard = (test.add(gate) for gate in gates(250.0, left, 20, rng))
        answers.append(next(answer for answer in heard if answer is not Verdict.UNDECIDED))
        assert test.ratio == pytest.approx(left, abs=0.2)
    assert answers.count(verdict) >= 49


def test_a_dip_fills_a_wide_window_with_little() -> None:
    """Pairs within 24 ns, a dip of 3 ns: one emitter still leaves 7 of 8 coincidences."""
    test = CoincidenceTest.continuous(24e-9, 3e-9)
    gate = CountGate((1000, 1000), 0, 0.01, 0, 0.0)
    test.add(gate)
    assert test.expected == pytest.approx(1000 * 1000 * 48e-9 / 0.01)
    left = 1 - 3 / 24 * (1 - math.exp(-8))
    odds = test.expected * (1 - left) / 2
    assert test._log_odds == pytest.approx(odds)  # noqa: SLF001 - the odds against two
