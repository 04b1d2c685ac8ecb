"""Two event loops for the rig: one some times faster than the wall, one that jumps.

The loop's clock is the only clock in the product, so the rig changes the pace of time
without patching anything. Real wires need the scaled loop; the jumping loop wants
everything in memory, and then gives the same run from the same seed, bit for bit.
"""

import asyncio
import selectors
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

Ts = TypeVarTuple("Ts")
T = TypeVar("T")
Ready = list[tuple[selectors.SelectorKey, int]]

LEAST_SWEPT = 64
"""Cancelled timers that lie about before any are swept out."""


class ScaledLoop(asyncio.SelectorEventLoop):
    """Real wires, hurried time; resolution is about `speed` milliseconds."""

    def __init__(self, speed: float) -> None:
        self._speed, self._origin = speed, time.monotonic()
        super().__init__(_HurriedSelector(speed))

    def time(self) -> float:
        return self._origin + (time.monotonic() - self._origin) * self._speed


class _HurriedSelector(selectors.DefaultSelector):
    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> Ready:
        return super().select(None if timeout is None else timeout / self._speed)


class Stalled(RuntimeError):
    """Nothing is runnable and no timer is set: in memory nobody else could ever wake us."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """When nothing is runnable, the clock jumps to the next timer; begins at zero.

    Numeric and storage work handed to an executor runs inline, so there is no thread whose
    timing could change the order of events. Timers of one instant ring in the order in which they
    were set. Its turn is asyncio's without descriptors, of which it has none.
    """

    _ready: deque[asyncio.Handle]
    _stopping: bool
    _closed: bool

    def __init__(self) -> None:
        super().__init__(_NoDescriptors())
        self._now_s = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_set = self._timers_cancelled = 0

    def time(self) -> float:
        return self._now_s

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if self._closed:
            raise RuntimeError("the loop is closed")
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        if self._closed:
            raise RuntimeError("the loop is closed")
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_set += 1
        heappush(self._timers, (when, self._timers_set, handle))
        return handle

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - the work runs inline
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> "asyncio.Future[T]":
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as err:  # noqa: BLE001 - handed to whoever awaits it, as a thread would
            done.set_exception(err)
        return done

    def _timer_handle_cancelled(self, _handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are swept out once they are most."""
        self._timers_cancelled += 1
        if self._timers_cancelled > max(LEAST_SWEPT, len(self._timers) // 2):
            self._timers = [timer for timer in self._timers if not timer[2].cancelled()]
            heapify(self._timers)
            self._timers_cancelled = 0

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        behind_s = self.time() - self._now_s  # a test may have let time pass within a callback
        while timers and timers[0][2].cancelled():
            heappop(timers)
        if not ready and not self._stopping:
            if not timers:
                raise Stalled("no task can run and no timer is set")
            self._now_s = max(self._now_s, timers[0][0] - behind_s)
        while timers and timers[0][0] - behind_s <= self._now_s:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - as its base class does


class _NoDescriptors(selectors.SelectSelector):
    """Holds only the loop's own wake-up pipe, which nobody writes to in one thread."""

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        if self.get_map():
            raise RuntimeError("no descriptor in the jumping loop: join the wire in memory")
        return super().register(fileobj, events, data)
