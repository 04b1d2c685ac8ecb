"""The board's clock: it only grows, though the ticks it is made of begin anew."""


class Uptime:
    """Must be read more often than ticks wrap, every 9 minutes on a board."""

    def __init__(self, time) -> None:
        self._time = time
        self._last = time.ticks_us()
        self._ms = 0
        self._rest_us = 0

    def ms(self) -> int:
        now = self._time.ticks_us()
        self._rest_us += self._time.ticks_diff(now, self._last)
        self._last = now
        if self._rest_us >= 1000:
            self._ms += self._rest_us // 1000
            self._rest_us %= 1000
        return self._ms

    def us(self) -> int:
        return self.ms() * 1000 + self._rest_us
