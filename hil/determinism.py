"""Seals a run: whatever could make it differ next time is refused or replaced.

Refused: threads, sockets, child processes, sleeps, unseeded randomness, and a start with
randomised string hashes. Replaced by the loop's clock: the wall clock.
"""

import _thread
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest import mock

from hil.clock import JumpingLoop

REFUSED_EVENTS = {
    "socket.__new__",
    "subprocess.Popen",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.system",
}
REFUSED_CALLS = (
    *((random, name) for name in random.__all__ if callable(getattr(random._inst, name, None))),  # noqa: SLF001
    (random, "_urandom"),  # feeds SystemRandom, secrets, and NumPy where nobody gave it a seed
    (os, "urandom"),
    (os, "getrandom"),
    (time, "sleep"),  # Python 3.11 audits neither sleeps nor threads
    (threading.Thread, "start"),
    (_thread, "start_new_thread"),
)
EPOCH_S = 1_767_225_600  # 2026-01-01T00:00:00Z, where simulated time begins


@dataclass
class Wall:
    """The wall clock of a sealed run: it begins at the epoch and may jump."""

    sealed: bool = False
    ahead_s: float = 0.0


wall = Wall()


class NotDeterministic(RuntimeError):
    """The run would not be the same twice."""


@contextmanager
def sealed(loop: JumpingLoop) -> Iterator[None]:
    """Everything inside happens the same way each time; what could not, raises."""
    if os.environ.get("PYTHONHASHSEED", "random") == "random":
        raise NotDeterministic("string hashes are randomised: start with PYTHONHASHSEED=0")
    if threading.active_count() > 1:
        raise NotDeterministic(f"threads are running: {threading.enumerate()}")
    with ExitStack() as patches:
        for owner, name in REFUSED_CALLS:
            patches.enter_context(mock.patch.object(owner, name, _refuse(name)))
        for name, clock in _clocks(loop).items():
            patches.enter_context(mock.patch.object(time, name, clock))
        wall.sealed, wall.ahead_s = True, 0.0
        try:
            yield
        finally:
            wall.sealed = False


def _clocks(loop: JumpingLoop) -> dict[str, Callable[[], float]]:
    return {
        "time": lambda: EPOCH_S + loop.time() + wall.ahead_s,
        "time_ns": lambda: int((EPOCH_S + loop.time() + wall.ahead_s) * 1e9),
        "monotonic": loop.time,
        "monotonic_ns": lambda: int(loop.time() * 1e9),
        "perf_counter": loop.time,
        "perf_counter_ns": lambda: int(loop.time() * 1e9),
    }


def _refuse(name: str) -> Callable[..., None]:
    def refused(*_args: object, **_kwargs: object) -> None:
        raise NotDeterministic(f"{name} in a sealed run: randomness is handed in")

    return refused


def _watch(event: str, args: tuple[object, ...]) -> None:
    if wall.sealed and event in REFUSED_EVENTS:
        raise NotDeterministic(f"{event} {args!r} in a sealed run")


sys.addaudithook(_watch)
