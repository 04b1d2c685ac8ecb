"""The rate at which photons come: just now, usually, and since when it is low."""

from collections import deque
from typing import NamedTuple

from controller.brightness import Clicks
from optics.quantities import CountGate

WINDOW_S, WINDOWS = 0.25, 4
USUAL_OVER_S = 10.0
LOW_SHARE, LOW_SD = 0.7, 5.0
JUMP_SHARE, FRESH_SHARE = 0.01, 0.1  # a laser's photodiode scatters by 0.2 %

Channels = tuple[float, float]


class Usual(NamedTuple):
    """How it was while all was well: clicks of each detector, ground of both, laser's monitor."""

    channels_cps: Channels
    ground_cps: float
    laser_uw: float


class GoingRate:
    """Add every gate."""

    def __init__(self) -> None:
        self.usual_cps: Channels | None = None
        self.low_s = 0.0
        self._open = Clicks()
        self._recent: deque[Clicks] = deque(maxlen=WINDOWS)

    def add(self, gate: CountGate) -> None:
        """Take a gate in; what is low does not become usual."""
        self._open.add(gate)
        if self._open.counted_s < WINDOW_S:
            return
        window, self._open = self._open, Clicks()
        self._recent.append(window)
        if self._is_low(window):
            self.low_s += window.counted_s
        else:
            self.low_s = 0.0
            self._learn(window)

    @property
    def cps(self) -> float | None:
        """Of both detectors over the last second; None before there were so many counts."""
        if len(self._recent) < WINDOWS:
            return None
        counted_s = sum(window.counted_s for window in self._recent)
        return sum(sum(window.of_each) for window in self._recent) / counted_s

    def _is_low(self, window: Clicks) -> bool:
        if self.usual_cps is None:
            return False
        expected = sum(self.usual_cps) * window.counted_s
        missing = expected - sum(window.of_each)
        return missing > (1 - LOW_SHARE) * expected and missing > LOW_SD * expected**0.5

    def _learn(self, window: Clicks) -> None:
        a, b = (clicks / window.counted_s for clicks in window.of_each)
        if self.usual_cps is None:
            self.usual_cps = a, b
            return
        gain = min(window.counted_s / USUAL_OVER_S, 1.0)
        usual_a, usual_b = self.usual_cps
        self.usual_cps = usual_a + gain * (a - usual_a), usual_b + gain * (b - usual_b)


class Monitor:
    """A laser's reading, which scatters: averaged for as long as it does not jump."""

    def __init__(self) -> None:
        self.usual = self.now = 0.0

    def add(self, reading: float) -> None:
        """Another reading; the first is the usual one."""
        if abs(reading - self.now) > JUMP_SHARE * self.now:
            self.now = reading
        else:
            self.now += FRESH_SHARE * (reading - self.now)
        self.usual = self.usual or reading

    @property
    def share(self) -> float:
        """Of the usual; 1 while there is none."""
        return self.now / self.usual if self.usual else 1.0
