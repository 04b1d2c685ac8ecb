"""The frozen picture of everything an outsider may know, and the one place it is published."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from controller.states import State
from optics.devices import Identity
from optics.faults import DeviceFault
from optics.quantities import StageBox, StagePoint


@dataclass(frozen=True)
class Snapshot:
    """All of one instant; whoever reads two fields of it reads them of the same instant."""

    state: State = State.CONNECTING
    started_s: float = 0.0
    fault: DeviceFault | None = None
    stage: Identity | None = None
    travel: StageBox | None = None
    position: StagePoint | None = None
    position_at_s: float = 0.0
    label: str = ""
    run_id: int = 0
    loop_lag_s: float = 0.0


class Newsstand:
    """Holds the latest snapshot; readers never wait and never touch a device."""

    def __init__(self, first: Snapshot) -> None:
        self.latest = first
        self._readers: list[Callable[[Snapshot], None]] = []

    def publish(self, **changes: Any) -> None:
        """Replace what has changed; readers are told at once, before anything else happens."""
        self.latest = replace(self.latest, **changes)
        for tell in tuple(self._readers):
            tell(self.latest)

    def subscribe(self, tell: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Be told of every snapshot from now on; returns what ends it."""
        self._readers.append(tell)
        return lambda: self._readers.remove(tell)

    async def until(self, condition: Callable[[Snapshot], bool]) -> Snapshot:
        """The first snapshot, the present one included, that fulfils the condition."""
        if condition(self.latest):
            return self.latest
        found: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()

        def look(snapshot: Snapshot) -> None:
            if condition(snapshot) and not found.done():
                found.set_result(snapshot)

        end = self.subscribe(look)
        try:
            return await found
        finally:
            end()
