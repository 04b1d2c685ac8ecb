"""What single photons are worth in key: BB84 without decoys, in bits per trigger.

Every figure is an interval. The conservative end takes mu high and g2 high into the multi-photon
bound and mu low into the light that clicks: a source that wanders in its interval is covered.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

EPS_SECRET, EPS_CORRECT = 1e-10, 1e-15  # chance that the key is known to others, or unequal
UNLIMITED_DB = 1000.0  # where a key still flows at such a loss, nothing limits it

# Share of pulses sent in the lesser basis: one half, then 40 steps per decade downwards. A fixed
# ladder keeps the best choice monotone in all figures.
LESSER_BASIS_SHARES = tuple(0.5 * 10 ** (-step / 40) for step in range(161))


class Interval(NamedTuple):
    """Everything from low to high, both included."""

    low: float
    high: float


class Setup(NamedTuple):
    """Source, channel and receiver, in the symbols of the literature; MEANINGS tells each."""

    mu: Interval
    g2: Interval
    loss_db: Interval
    eta: Interval
    pd: Interval
    e0: Interval
    f: Interval
    q: Interval


class Meaning(NamedTuple):
    """What one figure of a setup stands for, where it may lie, and what it is when not given."""

    words: str
    low: float
    high: float
    default: float | None = None


MEANINGS = {
    "mu": Meaning("mean photon number per trigger leaving the sender", 1e-9, 1.0),
    "g2": Meaning("g2(0), uncorrected: give its upper bound", 0.0, 2.0),
    "loss_db": Meaning("loss of the channel in dB", 0.0, 300.0),
    "eta": Meaning("receiver efficiency, optics and detectors", 1e-6, 1.0, 0.6),
    "pd": Meaning("dark click probability per gate, all detectors", 0.0, 0.1, 1e-6),
    "e0": Meaning("share of wrong clicks among the source's own", 0.0, 0.5, 0.01),
    "f": Meaning("error correction, times the Shannon limit", 1.0, 10.0, 1.16),
    "q": Meaning("sifting: 0.5 for equal bases, towards 1 for efficient BB84", 1e-3, 1.0, 0.5),
}


class FiniteKey(NamedTuple):
    """What a block of so many triggers with average counts yields, proven against chance."""

    rate_per_pulse: Interval
    key_bits: Interval
    max_loss_db: Interval
    lesser_basis_share: float  # the setting that the low end of the key is reached with


class Worth(NamedTuple):
    """Key and its ingredients; `why` says what leaves the conservative end without key."""

    rate_per_pulse: Interval
    rate_per_pulse_individual: Interval
    p_click: Interval
    p_m: Interval
    beta: Interval
    qber: Interval
    max_loss_db: Interval  # 0: no key at any loss; infinite: no loss ends it
    loss_ceiling_db: Interval
    finite: FiniteKey | None
    why: str


class Corner(NamedTuple):
    """One value for each figure; p_m stands alone, so that mu can be low here and high there."""

    mu: float
    p_m: float
    loss_db: float
    eta: float
    pd: float
    e0: float
    f: float
    q: float

    @property
    def signal(self) -> float:
        return self.mu * self.eta * 10 ** (-self.loss_db / 10)

    @property
    def p_click(self) -> float:
        return self.signal + self.pd

    @property
    def p_error(self) -> float:
        return self.e0 * self.signal + self.pd / 2

    @property
    def beta(self) -> float:
        """Share of clicks that certainly left the source as one photon; below 0 there is none."""
        return (self.p_click - self.p_m) / self.p_click

    @property
    def qber(self) -> float:
        return self.p_error / self.p_click


# Why two corners bound the whole box. Both forms are R = A w(E/A) - Q l(E/Q), with A = Q - p_m, w
# convex, falling, 0 at 1/2, and l rising. So R falls with p_m, pd, e0 and f, and being homogeneous
# in (signal, pd, p_m) it obeys signal dR/dsignal = R - pd dR/dpd - p_m dR/dp_m >= R: once positive,
# it grows with the signal. The finite form keeps this, because its Chernoff bounds are concave in
# their counts and not below them; it also keeps it for the number of pulses.


def worth(setup: Setup, pulses: float | None = None) -> Worth:
    """Intervals that hold the answer for every choice of figures inside the setup's intervals."""
    bad, good = corners(setup)

    def ends(answer: Callable[[Corner], float]) -> Interval:
        return Interval(answer(bad), answer(good))

    finite = None if pulses is None else _finite_key(bad, good, pulses)
    with_few_darks, with_many_darks = bad._replace(pd=good.pd), good._replace(pd=bad.pd)
    return Worth(
        rate_per_pulse=ends(gllp_rate),
        rate_per_pulse_individual=ends(individual_rate),
        p_click=Interval(min(1.0, with_few_darks.p_click), min(1.0, with_many_darks.p_click)),
        p_m=Interval(good.p_m, bad.p_m),
        beta=Interval(with_few_darks.beta, with_many_darks.beta),
        qber=Interval(good.qber, bad.qber),
        max_loss_db=ends(partial(max_loss_db, rate=gllp_rate)),
        loss_ceiling_db=ends(loss_ceiling_db),
        finite=finite,
        why=_why(bad, finite),
    )


def corners(setup: Setup) -> tuple[Corner, Corner]:
    """Where all figures are worst for the key, and where all are best."""
    mu, g2, loss_db, eta, pd, e0, f, q = setup
    bad_p_m, good_p_m = (multi_photon_bound(mu[end], g2[end]) for end in (1, 0))
    bad = Corner(mu.low, bad_p_m, loss_db.high, eta.low, pd.high, e0.high, f.high, q.low)
    good = Corner(mu.high, good_p_m, loss_db.low, eta.high, pd.low, e0.low, f.low, q.high)
    return bad, good


def multi_photon_bound(mu: float, g2: float) -> float:
    """Pulses with more than one photon AT THE SOURCE: an eavesdropper may replace the channel."""
    return mu**2 * g2 / 2


def entropy(x: float) -> float:
    """Of a coin that falls wrong with probability x, in bits."""
    return -x * math.log2(x) - (1 - x) * math.log2(1 - x) if 0 < x < 1 else 0.0


def gllp_rate(at: Corner) -> float:
    """Against any attack (Gottesman, Lo, Lutkenhaus, Preskill 2004); never below zero."""
    return _rate(at, lambda x: 1 - entropy(x), at.f)


def individual_rate(at: Corner) -> float:
    """Against attacks on single pulses (Waks, Zeevi, Yamamoto, PRA 65, 052310).

    Error correction costs what it does there, a line through Lutkenhaus' table; f is not used.
    """
    return _rate(at, lambda x: -math.log2(0.5 + 2 * x - 2 * x**2), 1.366 * at.qber + 1.117)


def _rate(at: Corner, secret: Callable[[float], float], correction: float) -> float:
    single = at.p_click - at.p_m
    if 2 * at.p_error >= single:
        return 0.0
    kept = single * secret(at.p_error / single)
    return at.q * max(0.0, kept - correction * at.p_click * entropy(at.qber))


def max_loss_db(at: Corner, rate: Callable[[Corner], float]) -> float:
    """The loss where the key ends, by halving: 0 if there is never any, infinite if never none."""
    low, high = 0.0, UNLIMITED_DB
    if rate(at._replace(loss_db=low)) <= 0:
        return 0.0
    if rate(at._replace(loss_db=high)) > 0:
        return math.inf
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if rate(at._replace(loss_db=middle)) > 0 else (low, middle)
    return low


def loss_ceiling_db(at: Corner) -> float:
    """What perfect detectors and optics would tolerate: every click tagged beyond; not below 0."""
    if at.p_m == 0:
        return math.inf
    return max(0.0, -10 * math.log10(at.p_m / (at.mu * at.eta)))


def _why(bad: Corner, finite: FiniteKey | None) -> str:
    """Names the rates whose low end is zero, and the reason; empty if there are none."""
    lows = {
        "rate_per_pulse": gllp_rate(bad),
        "rate_per_pulse_individual": individual_rate(bad),
        "finite": 1.0 if finite is None else finite.rate_per_pulse.low,
    }
    lost = ", ".join(name for name, low in lows.items() if low == 0)
    if not lost:
        return ""
    if bad.beta <= 0:
        reason = f"p_m {bad.p_m:.3g} at the source is not below p_click {bad.p_click:.3g}"
        return f"{lost}: every click may be of a multi-photon pulse, {reason}"
    if lost == "finite":
        return f"{lost}: too few clicks in the block for its statistics"
    return f"{lost}: errors cost more than is left, qber {bad.qber:.2%} at beta {bad.beta:.3f}"


def _finite_key(bad: Corner, good: Corner, pulses: float) -> FiniteKey:
    (low, share), (high, _) = (finite_key_bits(at, pulses) for at in (bad, good))

    def bits(at: Corner) -> float:
        return finite_key_bits(at, pulses)[0]

    return FiniteKey(
        rate_per_pulse=Interval(low / pulses, high / pulses),
        key_bits=Interval(low, high),
        max_loss_db=Interval(max_loss_db(bad, bits), max_loss_db(good, bits)),
        lesser_basis_share=share,
    )


def finite_key_bits(at: Corner, pulses: float) -> tuple[float, float]:
    """Whole bits of a block, and the lesser basis' share that yields them within sifting q."""
    thinned = pulses * min(1.0, 2 * at.q)
    best, best_share = 0.0, LESSER_BASIS_SHARES[0]
    for share in LESSER_BASIS_SHARES:
        lesser, greater = share**2, (1 - share) ** 2
        if lesser + greater > max(at.q, 0.5):
            break
        bits = _distilled(at, thinned, greater, lesser) + _distilled(at, thinned, lesser, greater)
        if bits > best:
            best, best_share = bits, share
    return math.floor(best), best_share


def _distilled(at: Corner, pulses: float, key: float, test: float) -> float:
    """Bits of the clicks matched in one basis; those in the other bound their phase errors.

    Lim et al., PRA 89, 022307 (2014), with multiplicative Chernoff bounds as in arXiv:2209.03394:
    on the multi-photon pulses, on the error rate behind the test's errors, on the phase errors.
    Each basis takes half of the allowed failures.
    """
    chance = EPS_SECRET / 2 / 19
    single = key * pulses * at.p_click - most_counts(key * pulses * at.p_m, chance)
    errors = most_expected(test * pulses * at.p_error, chance) * key / test
    phase_errors = most_counts(errors, chance)
    if 2 * phase_errors >= single:
        return 0.0
    correction = at.f * key * pulses * at.p_click * entropy(at.qber)
    surety = 6 * math.log2(1 / chance) + math.log2(4 / EPS_CORRECT)
    return max(0.0, single * (1 - entropy(phase_errors / single)) - correction - surety)


def most_counts(expected: float, chance: float) -> float:
    """Exceeded with no more than this chance by independent events that are so many on average."""
    b = math.log(1 / chance)
    return expected + (b + math.sqrt(b * b + 8 * b * expected)) / 2


def most_expected(counts: float, chance: float) -> float:
    """The largest average that so few counts still allow, but for this chance."""
    b = math.log(1 / chance)
    return counts + b + math.sqrt(b * b + 2 * b * counts)
