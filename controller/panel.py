"""Grants the wishes of outsiders with what this controller has: its supervisor and its store."""

import asyncio
from collections.abc import Sequence

from controller.figures import Purity
from controller.ledger import StoreFault
from controller.snapshot import Newsstand
from controller.states import IN_SERVICE, Event, State
from controller.store import Store
from controller.supervisor import Supervisor
from controller.wishes import Area, Check, Granted, NoSuchSite, NotNow
from mapping.catalogue import SiteState
from optics.faults import DeviceLost
from optics.quantities import StagePoint

AWAY = {State.CONNECTING, State.SAFE}
STALE_S = 1.0
"""A stage that has told nothing for so long does not answer."""


class Panel:
    """The controller's side of `Wishes`."""

    def __init__(
        self, news: Newsstand, supervisor: Supervisor, store: Store, lag_alarm_s: float
    ) -> None:
        self._news, self._supervisor, self._store = news, supervisor, store
        self._lag_alarm_s = lag_alarm_s

    async def set_output(self, *, on: bool) -> None:
        await self._store.set_setting("output", str(int(on)))
        self._news.publish(output=on)

    async def set_power(self, power_uw: float) -> None:
        raise DeviceLost("laser", f"there is none to be set to {power_uw:g} uW")

    async def hold_off(self, for_s: float) -> None:
        self._news.publish(hold_off_until_s=asyncio.get_running_loop().time() + for_s)

    def select_site(self, name: str) -> Granted:
        raise NoSuchSite(name)

    async def set_site_state(self, name: str, state: SiteState) -> None:
        raise NoSuchSite(f"{name} cannot become {state.name}")

    def export_catalogue(self) -> bytes:
        raise NotNow("this controller keeps no catalogue")

    async def import_catalogue(self, document: bytes) -> None:
        raise NotNow(f"this controller keeps no catalogue, {len(document)} bytes are dropped")

    def survey(self, area: Area | None) -> Granted:
        raise DeviceLost("camera", f"there is none to survey {area or 'the field'}")

    async def abort_survey(self) -> None:
        raise NotNow("no survey is under way")

    def register(self) -> Granted:
        raise DeviceLost("camera", "there is none to see the chip with")

    async def track(self, *, on: bool) -> None:
        await self._store.set_setting("tracking", str(int(on)))
        self._news.publish(tracking=on)

    async def set_gate(self, gate_s: float) -> None:
        raise DeviceLost("board", f"there is none to count for {gate_s:g} s")

    async def measure_purity(self, for_s: float | None) -> Purity:
        raise DeviceLost("detector", f"there is none to count for {for_s or 'long enough'}")

    def serve(self, *, on: bool) -> Granted | None:
        if on is (self._supervisor.promised in IN_SERVICE):
            return None
        self._check_stage()
        return self._supervisor.request(Event.SERVE if on else Event.RESUME)

    def move(self, target: StagePoint) -> Granted:
        self._check_stage()
        if self._supervisor.promised not in IN_SERVICE:
            raise NotNow("service mode is off: SYSTem:SERVice ON")
        if self._supervisor.promised is State.MOVING:
            raise NotNow("a move is under way: wait for it with *WAI or *OPC?")
        return self._supervisor.request(Event.MOVE, target)

    def _check_stage(self) -> None:
        """While it is not there no other word would help."""
        if self._supervisor.promised in AWAY:
            raise DeviceLost("stage", self._why_away())

    def _why_away(self) -> str:
        fault = self._news.latest.fault
        return fault.detail if fault else "is not connected yet"

    async def set_label(self, label: str) -> None:
        await self._store.set_setting("label", label)
        self._news.publish(label=label)

    async def save(self, slot: int, settings: str) -> None:
        await self._store.set_setting(f"saved.{slot}", settings)

    def saved(self, slot: int) -> str:
        return self._store.setting(f"saved.{slot}", "")

    async def audit(self, who: str, what: str) -> None:
        await self._store.audit(who, what)

    async def self_test(self) -> Sequence[Check]:
        now, clock = self._news.latest, asyncio.get_running_loop().time
        silent_s = clock() - now.position_at_s
        stage = self._why_away() if now.position is None else ""
        if not stage and silent_s > STALE_S:
            stage = f"has told nothing for {silent_s:.1f} s"
        lag_s = now.loop_lag_s
        return (
            Check("store", await self._try_store()),
            Check("stage", stage),
            Check("event loop", f"late by {lag_s:.3f} s" if lag_s > self._lag_alarm_s else ""),
        )

    async def _try_store(self) -> str:
        """Writes a line that is on the disk when it returns."""
        try:
            await self._store.audit("self-test", "the store takes writes")
        except StoreFault as fault:
            return str(fault)
        return ""
