"""The frozen picture of everything an outsider may know, and the one place it is published."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controller.figures import (
    IDLE,
    NO_DOUBT,
    Busy,
    Doubt,
    Figure,
    PhotonNumber,
    Picture,
    Pointing,
    PoseTold,
    Purity,
    SiteTold,
    SurveyProgress,
)
from controller.states import State
from controller.wishes import Tripped, Unable
from optics.devices import Identity
from optics.faults import DeviceFault
from optics.quantities import CountGate, StageBox, StagePoint


@dataclass(frozen=True)
class Snapshot:
    """All of one instant; whoever reads two fields of it reads them of the same instant.

    None is not known. An empty text is that there is none.
    """

    state: State = State.CONNECTING
    busy: Busy = IDLE
    doubts: Doubt = NO_DOUBT
    fault: DeviceFault | Unable | Tripped | None = None
    latched: str = ""  # what an operator must acknowledge before there is light again
    interlock_closed: bool | None = None

    output: bool = True  # the wish; whether there is light the state tells
    power_set_uw: float | None = None
    power_range_uw: tuple[float, float] | None = None
    power_uw: Figure | None = None
    wavelength_um: float | None = None
    trigger_hz: float | None = None  # of the pump's pulses, or of the host's slots
    epoch: int = 0
    hold_off_until_s: float = 0.0

    brightness_cps: Figure | None = None
    purity: Purity | None = None
    photons: PhotonNumber | None = None
    pointing: Pointing | None = None
    tracking: bool = True  # the wish; Busy.TRACKING tells whether it goes on
    tracking_loss: Figure | None = None  # share of the photons

    sites: Mapping[str, SiteTold] = field(default_factory=dict)  # by name, the best first
    selected: str = ""
    pose: PoseTold | None = None
    survey: SurveyProgress | None = None
    picture: Picture | None = None

    gate_s: float | None = None
    gate: CountGate | None = None  # the newest
    temperatures_k: Mapping[str, Figure] = field(default_factory=dict)

    stage: Identity | None = None
    travel: StageBox | None = None
    position: StagePoint | None = None
    position_at_s: float = 0.0

    started_s: float = 0.0
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
