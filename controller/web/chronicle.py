"""What the page shows of the past: an hour of figures, and the last of the log."""

import logging
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from controller.snapshot import Newsstand, Snapshot

EVERY_S = 1.0
SAMPLES = 3600  # an hour, some 300 kB
LINES = 300
HEARD = ("controller", "optics")  # whose log is the story


class Sample(NamedTuple):
    """The figures of one second."""

    at_s: float
    rate_cps: float
    rate_sigma_cps: float
    share: float | None
    error_um: tuple[float, float, float] | None


class Line(NamedTuple):
    """One line of the log."""

    utc_s: float
    level: str
    message: str


class Chronicle(logging.Handler):
    """Remembers from `begin` to `end`, in bounded memory."""

    def __init__(self, news: Newsstand) -> None:
        super().__init__(logging.INFO)
        self.samples: deque[Sample] = deque(maxlen=SAMPLES)
        self.lines: deque[Line] = deque(maxlen=LINES)
        self.written = 0  # lines, ever
        self._news = news
        self._unsubscribe: Callable[[], None] = lambda: None

    def begin(self) -> None:
        self._unsubscribe = self._news.subscribe(self._note)
        for name in HEARD:
            logging.getLogger(name).addHandler(self)

    def end(self) -> None:
        self._unsubscribe()
        for name in HEARD:
            logging.getLogger(name).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(Line(record.created, record.levelname, record.getMessage()))
        self.written += 1

    def _note(self, now: Snapshot) -> None:
        rate, pointing = now.brightness_cps, now.pointing
        if rate is None or (self.samples and rate.at_s < self.samples[-1].at_s + EVERY_S):
            return
        share = pointing.share_of_peak if pointing else None
        error_um = pointing.error_um if pointing else None
        self.samples.append(Sample(rate.at_s, rate.value, rate.sigma, share, error_um))
