"""Key rates: the interval holds for all that lies inside, and nothing is counted twice."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from optics.key_rate import (
    MEANINGS,
    Corner,
    Interval,
    Setup,
    Worth,
    corners,
    entropy,
    finite_key_bits,
    gllp_rate,
    individual_rate,
    max_loss_db,
    most_counts,
    most_expected,
    multi_photon_bound,
    worth,
)

# Where links are: some with much key, some with little, some with none.
USUAL = Setup(
    mu=Interval(1e-3, 0.9),
    g2=Interval(1e-4, 0.3),
    loss_db=Interval(0.0, 30.0),
    eta=Interval(0.05, 1.0),
    pd=Interval(1e-9, 1e-4),
    e0=Interval(1e-3, 0.12),
    f=Interval(1.0, 1.3),
    q=Interval(0.2, 1.0),
)
LINEAR = {"loss_db", "q", "f"}
ROUNDING = 1e-11


def exactly(**figures: float) -> Setup:
    defaults = {name: meaning.default for name, meaning in MEANINGS.items()}
    whole = {name: figures.get(name, default) for name, default in defaults.items()}
    return Setup(*(Interval(value, value) for value in whole.values() if value is not None))


def drawn(rng: random.Random, name: str, span: Interval) -> float:
    if name in LINEAR:
        return rng.uniform(*span)
    return math.exp(rng.uniform(*map(math.log, span)))


def box(rng: random.Random) -> Setup:
    """Some figures exact, some wide, some narrow; ends at zero now and then."""
    spans = []
    for name, span in USUAL._asdict().items():
        low, high = sorted(drawn(rng, name, span) for _ in range(2))
        high = rng.choice([low, high, low + 0.1 * (high - low)])
        spans.append(Interval(0.0 if name in ("g2", "pd") and rng.random() < 0.1 else low, high))
    return Setup(*spans)


def inside(rng: random.Random, whole: Setup) -> Setup:
    values = (rng.choice([low, high, rng.uniform(low, high)]) for low, high in whole)
    return Setup(*(Interval(value, value) for value in values))


def assert_holds(outer: Interval, inner: Interval, what: object) -> None:
    assert outer.low <= outer.high, what
    for end in inner:
        slack = ROUNDING * max(1e-5, abs(end)) if math.isfinite(end) else 0.0
        assert outer.low - slack <= end <= outer.high + slack, what


def test_the_interval_holds_for_every_choice_inside(rng: random.Random) -> None:
    """All results but the finite key, over 400 boxes with 12 choices in each."""
    with_key = 0
    for _ in range(400):
        whole = box(rng)
        outer = worth(whole)
        for _ in range(12):
            point = inside(rng, whole)
            inner = worth(point)
            with_key += inner.rate_per_pulse.low > 0
            for name in Worth._fields[:8]:
                slack_db = 2e-9 if name == "max_loss_db" else 0.0  # halving ends there
                low, high = getattr(outer, name)
                widened = Interval(low - slack_db, high + slack_db)
                assert_holds(widened, getattr(inner, name), (name, whole, point))
    assert 1000 < with_key < 4500, "the draw must try links with and without key"


def test_the_finite_interval_holds_for_every_choice_inside(rng: random.Random) -> None:
    with_key = 0
    for _ in range(150):
        whole, pulses = box(rng), 10 ** rng.uniform(5, 13)
        low, high = (finite_key_bits(at, pulses)[0] for at in corners(whole))
        for _ in range(4):
            point = inside(rng, whole)
            bits, _ = finite_key_bits(corners(point)[0], pulses)
            with_key += bits > 0
            slack = 1 + 1e-12 * pulses  # whole bits, and the rounding of as many pulses
            assert low - slack <= bits <= high + slack, (pulses, whole, point)
    assert 100 < with_key < 500, "the draw must try blocks with and without key"


def test_a_wandering_source_is_covered() -> None:
    """Mu is high where it endangers and low where it clicks: below what any steady mu gives."""
    wide = exactly(mu=0.1, g2=0.05, loss_db=20)._replace(mu=Interval(0.08, 0.12))
    bad, good = corners(wide)
    assert (bad.mu, bad.p_m) == (0.08, multi_photon_bound(0.12, 0.05))
    assert (good.mu, good.p_m) == (0.12, multi_photon_bound(0.08, 0.05))
    steady = [worth(exactly(mu=mu, g2=0.05, loss_db=20)) for mu in (0.08, 0.1, 0.12)]
    assert worth(wide).rate_per_pulse.low < min(each.rate_per_pulse.low for each in steady)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda shares: sum(shares) > 0.1))
def test_the_bound_holds_for_any_light_of_up_to_three_photons(shares: list[float]) -> None:
    p = [share / sum(shares) for share in shares]
    mu = p[1] + 2 * p[2] + 3 * p[3]
    pairs = 2 * p[2] + 6 * p[3]
    bound = multi_photon_bound(mu, pairs / mu**2) if mu > 1e-9 else 0.0
    assert p[2] + p[3] <= bound * (1 + 1e-12) + 1e-18
    assert p[3] > 0 or p[2] == pytest.approx(bound, rel=1e-9, abs=1e-18), "exact without threes"


def test_entropy() -> None:
    assert entropy(0) == entropy(1) == 0
    assert entropy(0.5) == 1
    assert entropy(0.110028) == pytest.approx(0.5, abs=2e-6)
    assert entropy(0.3) == pytest.approx(entropy(0.7), rel=1e-15)


@pytest.mark.parametrize(
    ("f", "threshold"), [(1.0, 0.11003), (1.16, 0.09811), (1.20, 0.09549), (1.22, 0.09424)]
)
def test_no_key_above_the_threshold_of_error(f: float, threshold: float) -> None:
    """Perfect single photons, no dark clicks, no loss: the printed digits bracket the end."""
    below, above = (
        worth(exactly(mu=0.5, g2=0, pd=0, loss_db=0, eta=1, f=f, e0=threshold + step))
        for step in (-1e-5, 1e-5)
    )
    assert below.rate_per_pulse.low > 0
    assert below.max_loss_db.low == math.inf, "without darks and multi-photons nothing ends it"
    assert above.rate_per_pulse.high == 0
    assert above.max_loss_db.high == 0
    assert above.why.startswith("rate_per_pulse")
    assert "qber" in above.why


def test_errors_beyond_one_half_give_no_key_although_entropy_falls_again() -> None:
    """Error correction is free here, so that nothing else ends the key."""
    bad = Corner(mu=0.1, p_m=0.0495, loss_db=0, eta=0.5, pd=0, e0=0.009, f=0, q=1)
    assert 0.5 < bad.p_error / (bad.p_click - bad.p_m) < 1
    assert gllp_rate(bad) == individual_rate(bad) == finite_key_bits(bad, 1e15)[0] == 0


def test_max_loss_is_where_the_key_ends_and_stays_below_the_ceiling(rng: random.Random) -> None:
    tried = 0
    for _ in range(300):
        at, _ = corners(inside(rng, box(rng)))
        limit = max_loss_db(at, gllp_rate)
        if not 0.01 < limit < math.inf:
            continue
        tried += 1
        assert gllp_rate(at._replace(loss_db=limit - 1e-3)) > 0
        assert gllp_rate(at._replace(loss_db=limit + 1e-3)) == 0
        ceiling = math.inf if at.p_m == 0 else -10 * math.log10(at.p_m / (at.mu * at.eta))
        assert limit <= ceiling + 1e-8
    assert tried > 100


@pytest.mark.parametrize("q", [0.3, 0.5, 0.9, 1.0])
def test_a_longer_block_is_better_and_never_better_than_endless(q: float) -> None:
    setup = exactly(mu=0.1, g2=0.05, loss_db=15, q=q)
    endless = worth(setup)
    blocks = [worth(setup, 10.0**power).finite for power in (6, 8, 10, 12, 14, 17)]
    rates = [block.rate_per_pulse.low for block in blocks if block]
    limits = [block.max_loss_db.low for block in blocks if block]
    assert rates == sorted(rates)
    assert limits == sorted(limits)
    assert rates[-1] < endless.rate_per_pulse.low
    assert limits[-1] < endless.max_loss_db.low
    assert rates[-1] == pytest.approx(endless.rate_per_pulse.low, rel=0.006), "the ladder's step"
    assert limits[-1] == pytest.approx(endless.max_loss_db.low, abs=0.01)


def test_a_block_too_short_says_so() -> None:
    found = worth(exactly(mu=0.1, g2=0.05, loss_db=15), 1e4)
    assert found.rate_per_pulse.low > 0
    assert found.finite is not None
    assert max(found.finite.key_bits) == 0
    assert found.why.startswith("finite: too few clicks")


@pytest.mark.parametrize("expected", [0.0, 0.3, 20.0, 5000.0])
@pytest.mark.parametrize("chance", [1e-2, 1e-6])
def test_chernoff_bounds_cover_exact_poisson_tails(expected: float, chance: float) -> None:
    """Poisson light has the widest tails among independent clicks of one mean."""
    assert poisson.sf(math.ceil(most_counts(expected, chance)) - 1, expected) <= chance
    counts = round(expected)
    assert poisson.cdf(counts, most_expected(counts, chance)) <= chance
    assert most_expected(counts, chance) < counts + 8 * math.sqrt(counts * 14) + 30, "not absurd"
