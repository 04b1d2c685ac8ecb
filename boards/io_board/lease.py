"""Permission for light that ends by itself. A state machine keeps the time; this keeps the reason.

The state machine is dark on its own when the time is up or the interlock opens, whatever this
code does. After an end nothing lights again until `release` and then a new `grant`.
"""

from framing import Refused
from pio import LEASE_ROUND, TIME_UP

TYPE_CHECKING = False
if TYPE_CHECKING:
    import machine
    import rp2

LONGEST_MS = 500


class Lease:
    """`grant` begins and renews it, `end` ends it for a reason, `watch` learns of other ends."""

    def __init__(self, light: "rp2.StateMachine", clock_hz: int, reason: str) -> None:
        self.lit = False
        self.reason = reason
        self._light = light
        self._rounds_per_ms = clock_hz // (1000 * LEASE_ROUND)
        self._released = False
        self._since_ms = 0
        self._until_ms = 0

    def grant(self, ms: int, now_ms: int) -> None:
        """Light for that long from now, unless an earlier end has not been released yet."""
        if not 1 <= ms <= LONGEST_MS:
            raise Refused(-222, f"1 to {LONGEST_MS} ms")
        if not self.lit:
            self._begin(now_ms)
        self._until_ms = now_ms + ms
        self._light.put(ms * self._rounds_per_ms)

    def release(self, now_ms: int) -> None:
        """Give the light back, and own up to the last end."""
        self.end("RELEASED", now_ms)
        self._released = True

    def end(self, reason: str, now_ms: int) -> None:
        """Dark, now; the first reason stays."""
        if self.lit:
            self._light.put(0)
            self._note(reason, now_ms)

    def watch(self, now_ms: int) -> str:
        """Take note of an end that the state machine brought about; return its reason, if any."""
        ended = ""
        while self._light.rx_fifo():
            ended = "EXPIRED" if self._light.get() == TIME_UP else "INTERLOCK"
        if self.lit and ended:
            self._note(ended, now_ms)
        elif now_ms >= self._until_ms:
            self.end("EXPIRED", now_ms)
        return ended

    def told(self, now_ms: int) -> str:
        """State, ms left, reason of the last end, ms since the state began."""
        state = "LIT" if self.lit else "IDLE" if self._released else "ENDED"
        left_ms = max(self._until_ms - now_ms, 0) if self.lit else 0
        return f"{state},{left_ms},{self.reason},{now_ms - self._since_ms}"

    def obeys(self) -> bool:
        """Whether the state machine takes what it is told; a 0 never lights anything."""
        if not self._light.tx_fifo():
            self._light.put(0)
        return not self._light.tx_fifo()

    def _begin(self, now_ms: int) -> None:
        if not self._released:
            raise Refused(-221, "ended: " + self.reason)
        while self._light.rx_fifo():
            self._light.get()
        self._light.put(0)
        self.lit, self._released = True, False
        self.reason, self._since_ms = "NONE", now_ms

    def _note(self, reason: str, now_ms: int) -> None:
        self.lit = False
        self.reason, self._since_ms = reason, now_ms


class Interlock:
    """The door's contact: open at the first sign of it, closed only after a quiet while."""

    SETTLING_MS = 100

    def __init__(self, pin: "machine.Pin") -> None:
        self.closed = False
        self._pin = pin
        self._open_at_ms = 0

    def look(self, now_ms: int) -> bool:
        if not self._pin.value():
            self.open(now_ms)
        elif now_ms - self._open_at_ms >= self.SETTLING_MS:
            self.closed = True
        return self.closed

    def open(self, now_ms: int) -> None:
        """It was seen open, if only for an instant."""
        self.closed, self._open_at_ms = False, now_ms
