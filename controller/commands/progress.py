"""How far a long command has come, for whoever waits at a terminal."""

import sys
import time

SILENT_S = 2.0  # of work, before anything is said


class Progress:
    """One line on standard error that rewrites itself; nothing where it is no terminal."""

    def __init__(self, what: str, silent_s: float = SILENT_S) -> None:
        self._what, self._silent_s = what, silent_s
        self._told = -1
        self._since_s = time.process_time()

    def at(self, share: float) -> None:
        """So much of the work is done."""
        percent = int(100 * min(share, 1.0))
        waited = time.process_time() - self._since_s > self._silent_s
        if percent > self._told and waited and sys.stderr.isatty():
            sys.stderr.write(f"\r{self._what} {percent} %")
            sys.stderr.flush()
            self._told = percent

    def done(self) -> None:
        """Takes the line away."""
        if self._told >= 0:
            sys.stderr.write("\r\033[K")
