"""Grants the wishes of outsiders with what this controller has: its supervisor and its desk."""

import asyncio
import contextlib
import json
from collections.abc import Sequence

from controller.desk import Desk
from controller.figures import Purity
from controller.purity import measured
from controller.self_test import self_test
from controller.snapshot import Snapshot
from controller.states import IN_SERVICE, Event, State
from controller.supervisor import Supervisor
from controller.wishes import Area, BadCatalogue, Check, Granted, NoSuchSite, NotNow
from mapping import catalogue_json
from mapping.catalogue import SiteState
from optics.faults import DeviceLost, OutOfReach
from optics.quantities import StagePoint

AWAY = {State.CONNECTING, State.SAFE, State.LATCHED}
LIT = {State.EMITTING}


class Panel:
    """The controller's side of `Wishes`."""

    def __init__(self, desk: Desk, supervisor: Supervisor) -> None:
        self._desk, self._supervisor = desk, supervisor
        self._news, self._store, self._archive = desk.news, desk.store, desk.archive

    async def set_output(self, *, on: bool) -> None:
        """Off, it is dark when this returns; on, it acknowledges a latch whose cause is gone."""
        await self._store.set_setting("output", str(int(on)))
        self._news.publish(output=on)
        if not on:
            await self._news.until(self._is_dark)
        elif self._supervisor.promised is State.LATCHED and self._news.latest.interlock_closed:
            self._supervisor.request(Event.RESET)

    def _is_dark(self, now: Snapshot) -> bool:
        """No photons of the source; READY lights just before EMITTING is told."""
        is_kindled = now.state is State.READY and self._desk.light.is_lit
        return now.state not in LIT and not is_kindled

    async def set_power(self, power_uw: float) -> None:
        """Another power is another epoch, known before the light changes."""
        low_uw, high_uw = self._desk.light.laser.range_uw
        if not low_uw <= power_uw <= high_uw:
            raise OutOfReach("laser", f"{power_uw:g} uW is not within {low_uw:g} to {high_uw:g}")
        if power_uw == self._news.latest.power_set_uw:
            return
        await self._archive.grow_epoch({"power_uw": repr(power_uw)})
        self._news.publish(power_set_uw=power_uw, epoch=self._archive.epoch)

    async def hold_off(self, for_s: float) -> None:
        self._news.publish(hold_off_until_s=asyncio.get_running_loop().time() + for_s)

    def select_site(self, name: str) -> Granted:
        if name not in self._archive.catalogue.sites:
            raise NoSuchSite(name)
        return self._ask(Event.SELECT, name)

    async def set_site_state(self, name: str, state: SiteState) -> None:
        if name not in self._archive.catalogue.sites:
            raise NoSuchSite(name)
        if state is SiteState.ACTIVE:
            await self._go_to(name)
            return
        await self._archive.set_state(name, state, "set by a host")
        if state is SiteState.RETIRED and name == self._archive.selected:
            with contextlib.suppress(NotNow, DeviceLost):  # then it is left at the next locking
                self._ask(Event.SELECT)

    async def _go_to(self, name: str) -> None:
        """As SITE:SELect, done once it is the selected one; the way there takes longer."""
        going = self._ask(Event.SELECT, name)
        await going.begun
        await self._news.until(lambda now: now.selected == name or now.state is not State.LOCKING)

    def export_catalogue(self) -> bytes:
        return json.dumps(catalogue_json.as_json(self._archive.catalogue)).encode()

    async def import_catalogue(self, document: bytes) -> None:
        try:
            value = json.loads(document)
            catalogue = catalogue_json.from_json(value, self._archive.chip)
        except (ValueError, RecursionError, catalogue_json.BadCatalogue) as err:
            raise BadCatalogue(str(err)) from err
        if not self._archive.chip:
            await self._archive.begin_chip()
        await self._archive.adopt(catalogue)

    def survey(self, area: Area | None) -> Granted:
        self._desk.eye_or_lost()
        return self._ask(Event.SURVEY, area)

    async def abort_survey(self) -> None:
        if self._supervisor.promised is not State.SURVEYING:
            raise NotNow("no survey is under way")
        await self._archive.end_open_survey("aborted")
        await self._supervisor.request(Event.ABORT).ended

    def register(self) -> Granted:
        self._desk.eye_or_lost()
        return self._ask(Event.REGISTER)

    async def track(self, *, on: bool) -> None:
        await self._store.set_setting("tracking", str(int(on)))
        self._news.publish(tracking=on)

    async def set_gate(self, gate_s: float) -> None:
        self._check_there()
        await self._desk.counter.set_gate(gate_s)

    async def measure_purity(self, for_s: float | None) -> Purity:
        if self._supervisor.state not in LIT:
            raise NotNow("nothing is lit: OUTPut ON, and wait for EMITTING")
        return await measured(self._desk, for_s)

    def serve(self, *, on: bool) -> Granted | None:
        if on is (self._supervisor.promised in IN_SERVICE):
            return None
        return self._ask(Event.SERVE if on else Event.RESUME)

    def move(self, target: StagePoint) -> Granted:
        self._check_there()
        if self._supervisor.promised not in IN_SERVICE:
            raise NotNow("service mode is off: SYSTem:SERVice ON")
        if self._supervisor.promised is State.MOVING:
            raise NotNow("a move is under way: wait for it with *WAI or *OPC?")
        return self._supervisor.request(Event.MOVE, target)

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
        return await self_test(self._desk)

    def _ask(self, event: Event, target: object = None) -> Granted:
        self._check_there()
        return self._supervisor.request(event, target)

    def _check_there(self) -> None:
        """While the devices are not there no other word would help."""
        if self._supervisor.promised is State.LATCHED:
            raise NotNow(self._news.latest.latched)
        if self._supervisor.promised in AWAY:
            fault = self._news.latest.fault
            why = str(fault) if fault else "is not connected yet"
            raise DeviceLost(getattr(fault, "device", "stage"), why)
