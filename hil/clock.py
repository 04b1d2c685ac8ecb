"""Two event loops for the rig: one some times faster than the wall, one that jumps.

The loop's clock is the only clock in the product, so the rig changes the pace of time
without patching anything. Real wires need the scaled loop; the jumping loop wants
everything in memory, and then gives the same run from the same seed, bit for bit.
"""

import asyncio
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

Ts = TypeVarTuple("Ts")
T = TypeVar("T")
Ready = list[tuple[selectors.SelectorKey, int]]


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
    timing could change the order of events.
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s

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


class _JumpingSelector(selectors.SelectSelector):
    """Holds only the loop's own wake-up pipe, which nobody writes to in one thread."""

    now_s = 0.0

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        if self.get_map():
            raise RuntimeError("no descriptor in the jumping loop: join the wire in memory")
        return super().register(fileobj, events, data)

    def select(self, timeout: float | None = None) -> Ready:
        if timeout is None:
            raise Stalled("no task can run and no timer is set")
        self.now_s += max(timeout, 0.0)
        return []
