"""How restless the emitter is, learned from how far the estimates of its place wander."""

from mapping.drift_filter import AXES, DriftFilter

MEMORIES = 4.0  # between looks: long enough for the filter to have forgotten
WINDOWS = 10.0
LEAST, MOST = 1 / 30, 300.0  # times what was expected at first


class Walk:
    """Mean square displacement per second along each axis, beyond a steady drift."""

    def __init__(self, expected_um2_per_s: tuple[float, float, float]) -> None:
        self._first = expected_um2_per_s
        self.um2_per_s = list(expected_um2_per_s)
        self._looks: list[tuple[float, float, float] | None] = [None, None, None]

    def look(self, now_s: float, memories_s: list[float], drift: DriftFilter) -> None:
        """Along each axis compare with where it was when last looked at, if long enough ago."""
        for i in AXES:
            look = self._looks[i]
            if look is not None:
                if now_s - look[0] < MEMORIES * memories_s[i]:
                    continue
                self._learn(i, look, now_s, drift)
            self._looks[i] = (now_s, drift.mean[i], drift.mean[i + 3])

    def _learn(
        self, i: int, look: tuple[float, float, float], now_s: float, drift: DriftFilter
    ) -> None:
        seen_s, place, rate = look
        for_s = now_s - seen_s
        wandered = drift.mean[i] - place - rate * for_s
        seen = (wandered * wandered - 2 * drift.cov[i][i]) / for_s
        most = self._first[i] * MOST
        learned = self.um2_per_s[i] + (min(seen, most) - self.um2_per_s[i]) / WINDOWS
        self.um2_per_s[i] = min(max(learned, self._first[i] * LEAST), most)
