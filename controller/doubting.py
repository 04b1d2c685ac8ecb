"""Light was lost while emitting: find out why, with the light on and the stage still."""

import asyncio
import logging
import math

from controller.desk import Desk, Locked
from controller.figures import Busy
from controller.going_rate import Usual
from controller.locking import along_dipole, failure, placement
from controller.registering import known_landmarks
from controller.wishes import Tripped, Unable
from mapping import witness
from mapping.catalogue import SiteState
from mapping.causes import Cause, Counted, Framed, Sighting, Stood
from mapping.doubt import Look, Remedy, Verdict, advanced, diagnosis
from mapping.identity import saturation
from mapping.sight import aimed
from optics.faults import DeviceLost
from optics.quantities import CountGate

log = logging.getLogger(__name__)

COUNT_S, GATE_S = 0.4, 0.005  # short gates tell a vibration
WAIT_S = 1.0
GOES_ON_SHARE = 0.25  # of the usual light: with so much the emitter can be held
MOST_WAIT_S = 600.0
WALK_UM = 5.0  # that drift may explain: 0.8 um/K in a room that changes by 6 K
SEEN_SIGMA_UM = 0.05  # of a place by the wide field
BROKEN = {
    Cause.LASER_OFF: "laser",
    Cause.NO_LIGHT: "board",
    Cause.STAGE: "stage",
}


async def resolved(desk: Desk, locked: Locked, usual: Usual) -> Locked:
    """What to hold now: the same object where all is as before, a dimmer one where it has to be.

    Lit already; what can be told without a move is told, and nothing is moved. Unable when the
    emitter is lost or given up, which says in `desk.verdict` what must be done.
    """
    desk.news.publish(busy=desk.news.latest.busy | Busy.CALIBRATING)
    try:
        doubting = Doubting(desk, locked, usual)
        verdict = await doubting.verdict()
        await doubting.light_as_before()
        return await _remedied(desk, doubting, verdict)
    finally:
        desk.news.publish(busy=desk.news.latest.busy & ~Busy.CALIBRATING)


class Doubting:
    """One loss, looked into."""

    def __init__(self, desk: Desk, locked: Locked, usual: Usual) -> None:
        self._desk, self.locked, self._usual = desk, locked, usual
        record = locked.site.seen
        self.known = witness.usual(
            usual.channels_cps,
            usual.ground_cps,
            saturation(record, locked.power_uw),
            record.flicker or 0.0,
        )
        self._began_s = desk.now_s()
        self.framed: Framed | None = None

    async def verdict(self) -> Verdict:
        """By the cheapest looks that tell; the reasons are logged."""
        plan = diagnosis(await self.count(), self.known)
        step = await self._desk.compute(advanced, plan, None)
        while isinstance(step, Look):
            step = await self._desk.compute(advanced, plan, await self._seen(step))
        name = self.locked.site.id
        log.warning("%s: %s: %s", name, step.words, step.remedy.value)
        for reason in step.reasons:
            log.info("%s: %s", name, reason)
        return step

    async def light_as_before(self) -> None:
        """In the focus, along the dipole."""
        await along_dipole(self._desk, self.locked.site, self.locked.power_uw)

    async def count(self) -> Counted:
        """Both detectors, as everything stands."""
        return witness.counted(await self._gates(), self._age_s)

    @property
    def _age_s(self) -> float:
        return self._desk.now_s() - self._began_s

    async def _seen(self, look: Look) -> Sighting | None:
        if look is Look.STAND:
            return await self._stood()
        if look is Look.COUNT:
            return await self.count()
        if look is Look.WAIT:
            await asyncio.sleep(WAIT_S - COUNT_S)
            return await self.count()
        if look is Look.DARK:
            async with self._desk.light.shaded():
                return witness.counted(await self._gates(), self._age_s, lit=False)
        if look is Look.FRAME and self._desk.devices.camera is not None:
            return await self._looked()
        return None  # a search moves away from what may shine again: LOCKING does it

    async def _stood(self) -> Stood:
        desk, at = self._desk, self.locked.peak.at
        await desk.probe.nudge(at)
        status = await desk.light.laser.status()
        closed = await desk.board.interlock_closed()
        off_um = math.dist(await desk.devices.stage.position(), at)
        full_uw = self._usual.laser_uw or status.set_uw
        power = status.power_uw / full_uw if full_uw else 1.0
        way_um = math.dist(at[:2], placement(desk).on_stage(self.locked.site.place)[:2])
        return Stood(self._age_s, off_um, status.emitting, power, closed, way_um / WALK_UM)

    async def _looked(self) -> Framed | None:
        """The wide field from here, then the focus again."""
        desk, chart, at = self._desk, self._desk.knowledge.chart, self.locked.peak.at
        if chart is None:
            return None
        age_s = self._age_s
        try:
            await desk.eye.open_up()
            spots = aimed(await desk.eye.look(await desk.eye.pair_here(at)), chart, at)
        finally:
            await self.light_as_before()
        lying = placement(desk)
        landmarks = await known_landmarks(desk, desk.archive.chip)
        others = [lying.on_stage(place) for place, _ in landmarks]
        known = (lying.on_stage(self.locked.site.place), others)
        self.framed = await desk.compute(witness.framed, spots, known, at, age_s)
        return self.framed

    async def _gates(self) -> list[CountGate]:
        """Short ones that began after this was called."""
        desk, counter, gates = self._desk, self._desk.counter, list[CountGate]()
        await desk.board.set_gate(GATE_S)
        try:
            since_s = desk.now_s()
            while sum(gate.counted_s for gate in gates) < COUNT_S - GATE_S / 2:
                await asyncio.sleep(COUNT_S / 4)
                fresh = await counter.fresh()
                gates += [gate for gate in fresh if gate.began_s >= since_s]
        finally:
            await desk.board.set_gate(counter.gate_s)
        return gates


async def _remedied(desk: Desk, doubting: Doubting, verdict: Verdict) -> Locked:
    locked = doubting.locked
    if verdict.remedy is Remedy.STAY:
        return locked
    if verdict.remedy is Remedy.WAIT:
        return await _waited(desk, doubting, verdict)
    if verdict.cause is Cause.INTERLOCK:
        raise Tripped("the interlock is open")
    if verdict.remedy is Remedy.MEND:
        raise DeviceLost(BROKEN[verdict.cause], verdict.words)
    desk.verdict = verdict
    if verdict.remedy is Remedy.RETIRE:
        await _retire(desk, locked, verdict)
    framed = doubting.framed
    if verdict.remedy is Remedy.CENTRE and framed is not None and desk.lying is not None:
        moved = desk.lying.shifted(*framed.way_um, 0.0)
        desk.lying = moved._replace(sigma_um=max(moved.sigma_um, SEEN_SIGMA_UM))
    raise failure(desk, locked.site, verdict.words)


async def _waited(desk: Desk, doubting: Doubting, verdict: Verdict) -> Locked:
    """Until there is light enough to hold by, however dim; nothing moves meanwhile."""
    locked, until_s = doubting.locked, desk.now_s() + MOST_WAIT_S
    usual_cps = sum(doubting.known.signal_cps) + sum(doubting.known.ground_cps)
    while desk.now_s() < until_s:
        counted = await doubting.count()
        share = sum(counted.clicks) / counted.counted_s / usual_cps
        if share > GOES_ON_SHARE:
            return locked if share > 1 - GOES_ON_SHARE else _dimmer(locked, share)
        await asyncio.sleep(WAIT_S)
    raise Unable(f"{locked.site.id}: {verdict.words}, for {MOST_WAIT_S:.0f} s by now")


def _dimmer(locked: Locked, share: float) -> Locked:
    peak = locked.peak
    dimmer = peak._replace(
        height_cps=share * peak.height_cps,
        height_sigma_cps=0.1 * share * peak.height_cps,
        ground_cps=share * peak.ground_cps,
    )
    return Locked(locked.site, dimmer, locked.power_uw)


async def _retire(desk: Desk, locked: Locked, verdict: Verdict) -> None:
    """Its history stays, and says why."""
    site = locked.site
    await desk.archive.note(site, site.seen, "given up", "; ".join(verdict.reasons))
    await desk.archive.set_state(site.id, SiteState.RETIRED, verdict.cause.value)
