"""Turns for sessions with more to do than fits in one go, so that a flood slows only itself."""

import asyncio
from collections import deque
from collections.abc import Callable

UNITS_AT_ONCE = 25
"""What a session may do when its bytes arrive, and in each of its turns."""
UNITS_PER_TURN = 100
"""What all of them together may do before devices and other hosts are heard again: about 1 ms."""

Work = Callable[[int], bool]
"""Does so many units at most; True when there is more to do."""


class Turns:
    """One queue for all sessions of an instrument."""

    def __init__(self) -> None:
        self._queue: deque[Work] = deque()

    def join(self, work: Work) -> None:
        """Be called from now on until there is nothing more to do."""
        self._queue.append(work)
        if len(self._queue) == 1:
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        for _ in range(UNITS_PER_TURN // UNITS_AT_ONCE):
            work = self._queue[0]
            if work(UNITS_AT_ONCE):
                self._queue.rotate(-1)
            else:
                self._queue.popleft()
            if not self._queue:
                return
        asyncio.get_running_loop().call_soon(self._turn)
