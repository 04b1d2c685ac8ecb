"""One emitter or more? Asked again as photons come, and answered as soon as that is safe.

Two ways: from time tags, by the same estimate of g2(0) that is shown to the user; and, as a first
look that costs nothing, from how many clicks of the two detectors the I/O board saw coincide.
"""

import math
from enum import Enum, auto

from optics.live_purity import LivePurity, Look, PurityNow
from optics.photon_statistics import PhotonStatistics
from optics.poisson_bounds import upper_limit
from optics.quantities import CountGate, TagRun
from optics.shape_average import Estimate

FIRST_LOOK_PAIRS = 12.0  # expected at zero delay; with fewer not even none would prove anything
NEXT_LOOK = 1.25  # times as many
# Looks that overlap this much are together wrong some ten times as often as one of them.
SHARE_OF_A_LOOK = 0.1
FAINTEST = 0.05  # pairs that one emitter may leave, of uncorrelated ones: background


class Verdict(Enum):
    """What is decided."""

    UNDECIDED = auto()
    SINGLE = auto()
    SEVERAL = auto()


class SinglenessTest:
    """By g2(0) from time tags.

    An emitter whose g2(0) is `single_below` or more is called single with a chance of `risk` at
    most, one with `several_above` or less several. In between, either may be said. It is the
    uncorrected value that proves one, so that too much taken out makes no single emitter; and
    what is left without background and the detectors' spread that proves several.
    """

    def __init__(
        self,
        look: Look,
        single_below: float = 0.5,
        several_above: float = 0.4,
        risk: float = 0.01,
    ) -> None:
        self._live = LivePurity(look, math.inf)
        self._limits = single_below, several_above
        self._risk = risk * SHARE_OF_A_LOOK
        self._next_look = FIRST_LOOK_PAIRS
        self.verdict = Verdict.UNDECIDED
        self.purity: PurityNow | None = None  # at the newest look

    def add(self, run: TagRun, ended_s: float) -> Verdict:
        """The next run of tags; once decided, it stays."""
        self._live.add(run, ended_s)
        if self.verdict is Verdict.UNDECIDED and self._live.expected_pairs >= self._next_look:
            self._next_look = NEXT_LOOK * self._live.expected_pairs
            self.purity = self._live.purity()
            if self.purity is not None:
                self.verdict = self._judged(self.purity.statistics)
        return self.verdict

    def _judged(self, statistics: PhotonStatistics) -> Verdict:
        single_below, several_above = self._limits
        if self._upper(statistics.measured.raw) < single_below:
            return Verdict.SINGLE
        if statistics.g2_zero.lower(self._risk) > several_above:
            return Verdict.SEVERAL
        return Verdict.UNDECIDED

    def _upper(self, estimate: Estimate) -> float:
        """Where hardly a pair came, a fit takes its own peak for empty; this does not believe it.

        No pair tells more than one of all that were expected.
        """
        size = max(estimate.count_size, 1 / self._live.expected_pairs)
        exact = size * upper_limit(max(estimate.value, 0.0) / size, self._risk)
        return max(exact, estimate.upper(self._risk))


class CoincidenceTest:
    """By the board's coincidences: Wald's test of one emitter against two that are equal.

    Quick and blunt: it knows nothing of delays, jitter or bunching, and the width of the window
    must be known to a percent; what it says is worth a closer look by the other test.
    """

    def __init__(self, width_s: float, left: float, risk: float = 0.01) -> None:
        """`width_s`: pairs of a, b clicks in T are a b width / T; `left`: one emitter's share."""
        self._width_s, self._left = width_s, max(left, FAINTEST)
        self._bound = math.log((1 - risk) / risk)
        self._log_odds = 0.0  # of one against two
        self.coincidences, self.expected = 0, 0.0

    @classmethod
    def continuous(cls, window_s: float, dip_s: float, risk: float = 0.01) -> "CoincidenceTest":
        """Under continuous light, with coincidences up to `window_s` either way."""
        filled = dip_s / window_s * -math.expm1(-window_s / dip_s)
        return cls(2 * window_s, 1 - filled, risk)

    @classmethod
    def pulsed(cls, period_s: float, background: float, risk: float = 0.01) -> "CoincidenceTest":
        """Under pulses, with a window that holds all pairs of one pulse and none of two."""
        return cls(period_s, 1 - (1 - background) ** 2, risk)

    def add(self, gate: CountGate) -> Verdict:
        """One more gate."""
        expected = math.prod(gate.clicks) * self._width_s / gate.counted_s
        one, two = self._left, (1 + self._left) / 2
        self._log_odds += gate.coincidences * math.log(one / two) + expected * (two - one)
        self.coincidences += gate.coincidences
        self.expected += expected
        if abs(self._log_odds) < self._bound:
            return Verdict.UNDECIDED
        return Verdict.SINGLE if self._log_odds > 0 else Verdict.SEVERAL

    @property
    def ratio(self) -> float | None:
        """Coincidences over those of uncorrelated light: g2, averaged over the window."""
        return self.coincidences / self.expected if self.expected else None
