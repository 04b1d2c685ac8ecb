"""A clock that is put on by hand, and rings what was set on it."""

from collections.abc import Callable
from operator import itemgetter


class HandClock:
    """Tells the time when called; `later` fits what the emulators want of a loop."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._alarms: list[tuple[float, Callable[[], None]]] = []

    def __call__(self) -> float:
        return self.now_s

    def later(self, delay_s: float, act: Callable[[], None]) -> None:
        self._alarms.append((self.now_s + delay_s, act))

    def advance(self, by_s: float) -> None:
        """Let time pass; what is due happens at its own instant."""
        until_s = self.now_s + by_s
        while alarm := self._next_before(until_s):
            self._alarms.remove(alarm)
            self.now_s = max(alarm[0], self.now_s)
            alarm[1]()
        self.now_s = until_s

    def _next_before(self, until_s: float) -> tuple[float, Callable[[], None]] | None:
        due = (alarm for alarm in self._alarms if alarm[0] <= until_s)
        return min(due, key=itemgetter(0), default=None)
