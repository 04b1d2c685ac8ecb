"""An emulated time controller with the driver plugged into its four sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from hil.emulators.id900 import TimeController
from hil.wires import Manners
from optics.idq_detector import IdqDetector, IdqSettings, IdqSockets
from optics.link import Patience
from tests.plugged import connected_at_last, plugged_in

PATIENCE = Patience(reply_s=0.3, open_s=0.5, longest_pause_s=0.2)


class Clicks:
    """Two detectors that click evenly, the second a little later; every click is known."""

    def __init__(self, cps: float) -> None:
        self.period_ps = round(1e12 / cps)

    def times_ps(self, channel: int, since_s: float, until_s: float) -> NDArray[np.int64]:
        shift_ps = channel * 777
        first = -((shift_ps - round(since_s * 1e12)) // self.period_ps)
        end = -((shift_ps - round(until_s * 1e12)) // self.period_ps)
        return np.arange(first, end, dtype=np.int64) * self.period_ps + shift_ps

    def counts(self, since_s: float, until_s: float) -> tuple[int, int]:
        first, second = (len(self.times_ps(channel, since_s, until_s)) for channel in (0, 1))
        return first, second

    def tags(self, since_s: float, until_s: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        parts = [self.times_ps(channel, since_s, until_s) for channel in (0, 1)]
        times_ps = np.concatenate(parts)
        order = np.argsort(times_ps, kind="stable")
        channels = np.repeat([0, 1], [len(part) for part in parts])
        return times_ps[order], channels[order]


class Bench:
    """What a test holds; `began_s` of a run is told by nobody, as with the real one."""

    def __init__(self, cps: float = 20_000.0) -> None:
        clock = asyncio.get_running_loop().time
        self.clicks = Clicks(cps)
        self.unit = TimeController(clock, self.clicks.counts, self.clicks.tags)

    @asynccontextmanager
    async def on_its_wires(self, seed: int, manners: Manners | None = None) -> AsyncIterator[None]:
        ends = {
            "tagger": self.unit.commands,
            "tagger-link": self.unit.link,
            "tagger-1": self.unit.streams[0],
            "tagger-2": self.unit.streams[1],
        }
        async with AsyncExitStack() as stack:
            plugged = [
                await stack.enter_async_context(plugged_in(name, end, seed, manners, tcp=True))
                for name, end in ends.items()
            ]
            self.wires = [wire for wire, _ in plugged]
            sockets = IdqSockets(*(opener for _, opener in plugged))
            self.tagger = IdqDetector(sockets, IdqSettings(), PATIENCE)
            stack.push_async_callback(self.tagger.aclose)
            await self.reconnect()
            yield

    async def reconnect(self) -> None:
        await connected_at_last(self.tagger)
