"""The controller at the rig: started, killed where it stands, started again; and its computer.

It is started as a customer would have it, by its configuration, and nothing of it is read.
"""

import asyncio
import contextlib
import resource
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from controller.application import Whereabouts, serve
from controller.config import Config
from hil.determinism import wall
from hil.mischief import NotHere
from hil.rack import Rack
from hil.rig import Rig
from hil.wires import Wire

RESTART_S = 0.5


class Stand:
    """Ground for troubles: rig, controller and computer."""

    def __init__(self, rig: Rig, data: Path, configured: Callable[[], Config]) -> None:
        self.rack: Rack = rig.rack
        self.wires: Mapping[str, Wire] = rig.wires
        self.clock = rig.clock
        self.found: Whereabouts | None = None
        self.restarted: Callable[[float], None] = lambda _at_s: None
        self.crashes: list[str] = []
        self._rig, self._data, self._configured = rig, data, configured
        self._running: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._deaths = self._fillings = 0
        self._room = resource.getrlimit(resource.RLIMIT_FSIZE)

    @property
    def alive(self) -> bool:
        return self._running is not None and not self._running.done()

    async def start(self) -> Whereabouts:
        """Until it says where it is found; what keeps it from starting is raised."""
        ready: asyncio.Future[Whereabouts] = asyncio.get_running_loop().create_future()
        self._begin(ready.set_result)
        if self._running is not None:
            both: set[asyncio.Future[Any]] = {self._running, ready}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self._running.done():
                self._running.result()
        return await ready

    async def aclose(self) -> None:
        """A clean stop."""
        self._deaths += 1  # nothing is restarted any more
        self._stop.set()
        self.fill_disk(full=False, all_of_it=True)
        if self._running is not None:
            self._running.remove_done_callback(self._note_end)
            await asyncio.gather(self._running, return_exceptions=True)

    def kill(self) -> None:
        """Its wires go dead first, so that nothing it does in dying reaches a device."""
        self._deaths += 1
        if self._running is not None and self.alive:
            for wire in self.wires.values():
                wire.cut()
            self._running.cancel()
            for wire in self.wires.values():
                wire.mend()

    def revive(self) -> None:
        self._deaths -= 1
        if not self._deaths:
            self.restarted(self.clock())
            self._restart()

    def fill_disk(self, *, full: bool, all_of_it: bool = False) -> None:
        """No file of this process may grow; the rest of the machine has no part in it."""
        self._fillings = 0 if all_of_it else self._fillings + (1 if full else -1)
        soft, hard = self._room
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 if self._fillings else soft, hard))

    def shift_clock(self, by_s: float) -> None:
        if not wall.sealed:
            raise NotHere("the wall clock jumps only in a sealed run: --speed max")
        wall.ahead_s += by_s

    def _begin(self, announce: Callable[[Whereabouts], None]) -> None:
        if self.alive or self._deaths:
            return
        self._stop = asyncio.Event()
        served = serve(self._configured(), self._data, self._stop, announce, self._rig.in_memory)
        self._running = asyncio.create_task(served, name="controller")
        self._running.add_done_callback(self._note_end)

    def _restart(self) -> None:
        """As the service manager does it."""
        asyncio.get_running_loop().call_later(RESTART_S, self._begin, self._now_found)

    def _now_found(self, found: Whereabouts) -> None:
        self.found = found

    def _note_end(self, task: "asyncio.Task[None]") -> None:
        """A crash is what the service manager would restart it for."""
        with contextlib.suppress(asyncio.CancelledError):
            if (error := task.exception()) is not None:
                self.crashes.append(f"{type(error).__name__}: {error}")
                self._restart()
