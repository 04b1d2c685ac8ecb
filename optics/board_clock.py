"""The board's clock in the loop's time: a line through the exchanges that told most; pure.

A board read its clock somewhere between question and answer. The quickest exchange of each second
bounds that best; the rate is a crystal's, so it is near 1 until enough time has shown how near.
"""

import math
from collections import deque
from typing import NamedTuple

BUCKET_S = 1.0
KEPT = 60  # buckets: a minute, over which a crystal's rate is one
RATE_SIGMA = 1e-4  # of crystals, aging and heat included
LEAST_SIGMA_S = 1e-5  # the board's own reading is no better
MICRO = 1e-6


class ClockWentBack(ValueError):
    """The board tells an earlier time than before: it has started anew."""


class Sample(NamedTuple):
    """One exchange: what the board's clock said, the loop's time in its middle, how sure."""

    board_s: float
    loop_s: float
    sigma_s: float

    @property
    def apart_s(self) -> float:
        return self.loop_s - self.board_s


class Line(NamedTuple):
    """Loop's minus board's time over the board's, about its middle."""

    middle_s: float
    apart_s: float
    rate_error: float
    apart_sigma_s: float
    rate_sigma: float


class BoardClock:
    """Takes exchanges, tells when in the loop's time something happened in the board's."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._last_us = 0
        self._line = Line(0.0, 0.0, 0.0, math.inf, RATE_SIGMA)

    @property
    def rate_error(self) -> float:
        """By how much the loop's second is longer than the board's, relative."""
        return self._line.rate_error

    def note(self, asked_s: float, told_s: float, board_us: int) -> None:
        """An exchange that began and ended then, in the loop's time."""
        if board_us < self._last_us:
            raise ClockWentBack
        self._last_us = board_us
        spread_s = (told_s - asked_s) / math.sqrt(12)  # uniform between question and answer
        sample = Sample(board_us * MICRO, (asked_s + told_s) / 2, max(spread_s, LEAST_SIGMA_S))
        if self._replaces(sample):
            self._samples[-1] = sample
        elif not self._in_last_bucket(sample):
            self._samples.append(sample)
        else:
            return
        self._line = _fitted(list(self._samples))

    def loop_s(self, board_us: int) -> float:
        line, board_s = self._line, board_us * MICRO
        return board_s + line.apart_s + line.rate_error * (board_s - line.middle_s)

    def sigma_s(self, board_us: int) -> float:
        """How well that is known; infinite before the first exchange."""
        far_s = board_us * MICRO - self._line.middle_s
        return math.hypot(self._line.apart_sigma_s, self._line.rate_sigma * far_s)

    def _in_last_bucket(self, sample: Sample) -> bool:
        if not self._samples:
            return False
        return sample.board_s // BUCKET_S == self._samples[-1].board_s // BUCKET_S

    def _replaces(self, sample: Sample) -> bool:
        return self._in_last_bucket(sample) and sample.sigma_s < self._samples[-1].sigma_s


def _fitted(samples: list[Sample]) -> Line:
    """Weighted least squares; what is known of crystals is one more observation of the rate."""
    weights = [sample.sigma_s**-2 for sample in samples]
    total = math.fsum(weights)
    pairs = list(zip(weights, samples, strict=True))
    middle_s = math.fsum(w * s.board_s for w, s in pairs) / total
    apart_s = math.fsum(w * s.apart_s for w, s in pairs) / total
    spread = math.fsum(w * (s.board_s - middle_s) ** 2 for w, s in pairs) + RATE_SIGMA**-2
    slope = math.fsum(w * (s.board_s - middle_s) * (s.apart_s - apart_s) for w, s in pairs)
    return Line(middle_s, apart_s, slope / spread, total**-0.5, spread**-0.5)
