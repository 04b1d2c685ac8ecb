"""A rack in which one emitter was held until something took its light; who looks sees the world."""

import math
from collections.abc import Callable

import numpy as np

from hil.emission import MEV_NM
from hil.nature import ChipNature, WorldNature
from hil.world import World
from mapping import witness
from mapping.causes import Cause, Counted, Sighting, Stood, Usual
from mapping.doubt import Look, Verdict, advanced, diagnosis
from mapping.peak import Peak, Tally
from mapping.scan import Ask, Centred, Centring, Ended, centre
from mapping.scan import advanced as scanned
from mapping.sight import WideSpot
from optics.quantities import CountGate, StagePoint
from tests.unit.dark_room import Floats

POWER_UW, GATE_S, COUNT_S, FRAME_S = 1000.0, 0.005, 0.4, 1.2
NOTICED_S, NOTICED_DIM_S = 0.35, 5.0  # after which a loss is called one, dark or only dimmer
LONELY_UM, BRIGHT_CPS = 0.8, 3e4
SEEN_CPS, SPOT_UM = 2000.0, 0.015  # in the wide field, as detectors would count it
STAND_UM, MONITOR = 0.002, 0.01
NATURE = WorldNature(chip=ChipNature(width_um=60.0, blinker_share=0.0, jumper_share=0.0))


class TroubledRack:
    """`told_um` is where the stage was told to stand, `off_um` how far from there it does."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.told_um, self.off_um = np.full(3, 100.0), np.zeros(3)
        self.now_s, self.walked = 0.0, 0.0
        self.emits, self.monitor, self.closed = True, 1.0, True
        self.world = World(NATURE, seed, lambda _times_s: (self.told_um + self.off_um)[None, :])
        self.emitter = self._chosen()
        emitters = self.world.scene(0.0).chip.emitters
        turn_rad = self.world.scene(0.0).pose.turn_rad
        self.world.polarisation.set(0.0, float(emitters.dipole_rad[self.emitter]) - turn_rad, 1.0)
        self.told_um = self.world.aim_um(emitters.place_um[self.emitter], 0.0)
        self.shine(POWER_UW)
        self.peak, self.usual = self._known()
        self.known = self.peak.at, [spot.aim for spot in self._spots()]

    def shine(self, power_uw: float) -> None:
        self.world.laser_uw.set(self.now_s, power_uw)

    def move(self, by_um: Floats) -> None:
        """Without anybody's knowing."""
        self.world.changed(self.now_s)
        self.off_um = by_um

    def verdict(self, began_s: float) -> Verdict:
        """Diagnosed from the instant at which the loss would have been noticed."""
        dark = sum(self.gates(NOTICED_S)[-1].clicks) < 0.5 * sum(self.usual.signal_cps) * GATE_S
        self.now_s += 0.0 if dark else NOTICED_DIM_S
        during = self._counted(self.gates(COUNT_S), began_s)._replace(gates=0)
        plan = diagnosis(during, self.usual)
        step = advanced(plan, None)
        while isinstance(step, Look):
            step = advanced(plan, self._seen(step, began_s))
        return step

    def gates(self, for_s: float) -> list[CountGate]:
        found = []
        for number in range(round(for_s / GATE_S)):
            clicks = self.world.counts(self.now_s, self.now_s + GATE_S)
            self.now_s += GATE_S
            found.append(CountGate(clicks, 0, GATE_S, number, self.now_s))
        return found

    def _seen(self, look: Look, began_s: float) -> Sighting:
        if look is Look.STAND:
            off_um = float(np.linalg.norm(self.off_um)) if self.stage_knows else 0.0
            off_um = abs(off_um + STAND_UM * self.rng.standard_normal())
            power = self.monitor * (1 + MONITOR * self.rng.standard_normal())
            age_s = self.now_s - began_s
            return Stood(age_s, off_um, self.emits, power, self.closed, self.walked)
        if look is Look.COUNT:
            return self._counted(self.gates(COUNT_S), began_s)
        if look is Look.DARK:
            return self._dark(began_s)
        if look is Look.WAIT:
            self.now_s += 1.0 - COUNT_S
            return self._counted(self.gates(COUNT_S), began_s)
        if look is Look.FRAME:
            spots = self._spots()
            stands = StagePoint(*self.told_um.tolist())
            seen = witness.framed(spots, self.known, stands, self.now_s - began_s)
            self.way_um = (*seen.way_um, 0.0)
            self.now_s += FRAME_S
            return seen
        return witness.searched(self._search(), self.peak, self.now_s - began_s)

    stage_knows = False
    way_um = (0.0, 0.0, 0.0)

    def _counted(self, gates: list[CountGate], began_s: float) -> Counted:
        return witness.counted(gates, self.now_s - began_s)

    def _dark(self, began_s: float) -> Counted:
        power_uw = self.world.laser_uw.over(np.array([self.now_s]))[0].item()
        self.shine(0.0)
        seen = witness.counted(self.gates(0.3), self.now_s - began_s, lit=False)
        self.shine(power_uw)
        return seen

    def _search(self) -> Centred:
        start = StagePoint(*(self.told_um + self.way_um).tolist())
        plan = centre(start, Centring(reach_um=0.3))
        step, told_um = scanned(plan, None), self.told_um
        while isinstance(step, Ask):
            self.told_um = np.array(step.at)
            self.world.changed(self.now_s)
            clicks = sum(sum(gate.clicks) for gate in self.gates(step.dwell_s))
            step = scanned(plan, Tally(step.at, clicks, step.dwell_s))
        self.told_um = told_um
        assert isinstance(step, Ended)
        found = step.value
        assert isinstance(found, Centred)
        return found

    def _spots(self) -> list[WideSpot]:
        """As a camera would find them, which has a spread and a threshold."""
        world, now_s = self.world, self.now_s
        world.wide_field.set(now_s, 1.0)
        world.laser_uw.set(now_s, 200_000.0 * self.monitor * (self.emits and self.closed))
        scene, now = world.outlook(now_s + 1e-3)
        group = scene.emission.group(scene.chip.within(now.focus_um[0, :2], 14.0))
        excited, _ = scene.response(group, now)
        cps = group.are.saturated_cps * scene.excitation(group, excited, now)
        cps = (cps * scene.emission.visible(group, now.times_s))[:, -1]
        world.wide_field.set(now_s + 2e-3, 0.0)
        world.laser_uw.set(now_s + 2e-3, POWER_UW * self.monitor * (self.emits and self.closed))
        strayed_um = self.off_um if not self.stage_knows else np.zeros(3)
        spots, self.now_s = [], now_s + 3e-3
        for which, light_cps in zip(group.which, cps, strict=True):
            if light_cps > SEEN_CPS:
                place_um = scene.chip.emitters.place_um[which]
                aim_um = world.aim_um(place_um, now_s) - strayed_um
                aim_um += SPOT_UM * self.rng.standard_normal(3)
                spots.append(WideSpot(StagePoint(*aim_um.tolist()), SPOT_UM, light_cps))
        return spots

    def _chosen(self) -> int:
        """One that is bright and has no near neighbour."""
        chip = self.world.scene(0.0).chip
        place_um = chip.emitters.place_um
        middle_um = place_um[:, :2].mean(axis=0)
        order = np.argsort(np.hypot(*(place_um[:, :2] - middle_um).T))
        for which in order:
            group = self.world.scene(0.0).emission.group(np.array([which]))
            filled = POWER_UW / (POWER_UW + group.are.saturation_uw.item())
            passed = group.passed.item()
            light_cps = filled * group.are.saturated_cps.item() * passed * (passed > 0.8)
            near = chip.within(place_um[which, :2], LONELY_UM)
            if (
                light_cps > BRIGHT_CPS * max(1.0, 3 * filled)
                and len(near) == 1
                and abs(place_um[which, 2]) < 0.5
            ):
                self.filled = filled
                return int(which)
        raise AssertionError("a chip without a usable emitter")

    def _known(self) -> tuple[Peak, Usual]:
        """What a lock and a while of holding would have told."""
        peak = self._search().peak
        self.told_um = np.array(peak.at)
        self.world.changed(self.now_s)
        clicks = [gate.clicks for gate in self.gates(3.0)]
        a, b = (sum(column) / 3.0 for column in zip(*clicks, strict=True))
        return peak, witness.usual((a, b), peak.ground_cps, self.filled, 0.0)


Trouble = Callable[[TroubledRack], set[Cause]]
"""Brings it about; which verdicts are right."""


def blink(rack: TroubledRack) -> set[Cause]:
    for_s = rack.rng.uniform(0.4, 3.0)
    rack.world.blink_off(rack.emitter, rack.now_s, for_s)
    return {Cause.BLINK, Cause.PASSED}


def bleach(rack: TroubledRack) -> set[Cause]:
    rack.world.bleach(rack.emitter, rack.now_s)
    return {Cause.DARK}


def jump(rack: TroubledRack) -> set[Cause]:
    """Out of the filter, or half: either end of the band is as near as its line lies."""
    emission = rack.world.scene(rack.now_s).emission
    are = emission.chip.emitters
    low_nm, high_nm = NATURE.optics.filter_nm
    line_nm, sd_nm = float(are.wavelength_nm[rack.emitter]), float(are.line_sd_nm[rack.emitter])
    aside = rack.rng.uniform(0.2, 3.0) * sd_nm
    ends = (low_nm - aside, high_nm + aside)
    there_nm = min(ends, key=lambda end: abs(end - line_nm))
    rack.world.jump(rack.emitter, rack.now_s, MEV_NM / there_nm - MEV_NM / line_nm)
    left = 0.5 * math.erfc(aside / sd_nm / math.sqrt(2.0))
    return {Cause.JUMP} if left > 0.15 else {Cause.JUMP, Cause.DARK}


def laser_sags(rack: TroubledRack) -> set[Cause]:
    rack.monitor = rack.rng.uniform(0.2, 0.6)
    rack.shine(POWER_UW * rack.monitor)
    return {Cause.SAG}


def laser_off(rack: TroubledRack) -> set[Cause]:
    rack.emits = False
    rack.shine(0.0)
    return {Cause.LASER_OFF}


def door(rack: TroubledRack) -> set[Cause]:
    rack.closed = rack.emits = False
    rack.shine(0.0)
    return {Cause.INTERLOCK}


def blocked(rack: TroubledRack) -> set[Cause]:
    rack.world.laser_share.set(rack.now_s, 0.0)
    return {Cause.NO_LIGHT}


def path_loss(rack: TroubledRack) -> set[Cause]:
    rack.world.laser_share.set(rack.now_s, rack.rng.uniform(0.2, 0.5))
    return {Cause.PATH}


def detector_dead(rack: TroubledRack) -> set[Cause]:
    alive = (0.0, 1.0) if rack.rng.random() < 0.5 else (1.0, 0.0)
    rack.world.detectors.set(rack.now_s, *alive)
    return {Cause.DETECTOR}


def blinded(rack: TroubledRack) -> set[Cause]:
    rack.world.lamp_cps.set(rack.now_s, 2e8)
    return {Cause.BLIND, Cause.STRAY}


def lamp(rack: TroubledRack) -> set[Cause]:
    rack.world.lamp_cps.set(rack.now_s, 10 ** rack.rng.uniform(5.5, 6.5))
    return {Cause.STRAY}


def stage_off(rack: TroubledRack) -> set[Cause]:
    rack.stage_knows = True
    rack.move(rack.rng.choice((-1.0, 1.0), 3) * rack.rng.uniform(0.15, 3.0, 3))
    return {Cause.STAGE}


def shaken(rack: TroubledRack) -> set[Cause]:
    swing_um = rack.rng.uniform(0.12, 0.3)
    rack.world.shake(rack.now_s, 60.0, 37.0, (swing_um, swing_um, swing_um))
    return {Cause.VIBRATION}


def moved(rack: TroubledRack) -> set[Cause]:
    angle, way_um = rack.rng.uniform(0.0, 2 * math.pi), rack.rng.uniform(0.2, 1.5)
    depth_um = rack.rng.uniform(-0.3, 0.3)
    rack.move(np.array([way_um * math.cos(angle), way_um * math.sin(angle), depth_um]))
    return {Cause.LOST}


def ran_away(rack: TroubledRack) -> set[Cause]:
    rack.walked = rack.rng.uniform(1.5, 20.0)
    rack.told_um = rack.told_um + rack.rng.choice((-1.0, 1.0), 3) * rack.rng.uniform(0.3, 1.5, 3)
    rack.world.changed(rack.now_s)
    return {Cause.RUNAWAY}


TROUBLES: dict[str, Trouble] = {
    trouble.__name__: trouble
    for trouble in (
        *(blink, bleach, jump, laser_sags, laser_off, door, blocked, path_loss),
        *(detector_dead, blinded, lamp, stage_off, shaken, moved, ran_away),
    )
}


def diagnosed(name: str, seed: int) -> tuple[set[Cause], Verdict]:
    """What would have been right, and what was said."""
    rack = TroubledRack(seed)
    began_s = rack.now_s
    return TROUBLES[name](rack), rack.verdict(began_s)
