"""What happened on the rig, in order, as a digest: two runs are the same when theirs are."""

import hashlib
from collections.abc import Callable


class EventLog:
    """Every event with its simulated time; only the digest is kept."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._digest = clock, hashlib.sha256()
        self.events = 0

    def note(self, source: str, what: bytes) -> None:
        """One event of one source."""
        self._digest.update(b"%.9f %s %s\n" % (self._clock(), source.encode(), what))
        self.events += 1

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
