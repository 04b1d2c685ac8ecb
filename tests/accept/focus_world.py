"""A rack in which one emitter is held: a world that drifts, and a stage that goes at once."""

import math
from dataclasses import replace

import numpy as np

from hil.nature import EnvironmentNature, OpticsNature, WorldNature
from hil.world import World
from tests.unit.dark_room import CHIP, IDEAL, Floats, loneliest

WALK_NM2_PER_S = 25.0 / 60.0  # 5 nm after a minute
WANDER_UM_PER_S = 5e-3 / 60.0
WANDER_PERIOD_S = 2400.0
POWER_UW = 2000.0  # half of saturation in this chip


def nature(cps: float) -> WorldNature:
    """One rate at the peak; a laser, a vibration and a temperature as usual."""
    walk = (WALK_NM2_PER_S,) * 3
    return replace(
        IDEAL,
        chip=replace(CHIP, saturated_cps=2 * cps, background_cps_per_uw=0.02 * cps / POWER_UW),
        optics=OpticsNature(filter_nm=(500.0, 800.0)),
        laser=WorldNature().laser,
        environment=EnvironmentNature(
            walk_nm2_per_s=walk, day_amplitude_k=0.0, wander_rms_k=0.0, warm_up_k=0.0
        ),
    )


class FocusWorld:
    """`at_um` is where the stage is told to be; the holder wanders under it."""

    def __init__(self, cps: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._phase = rng.uniform(0.0, 2 * math.pi, 3)
        self.at_um = np.full(3, 100.0)
        self.now_s = 0.0
        self.world = World(nature(cps), seed, self._stage)
        self.world.laser_uw.set(-1.0, POWER_UW)
        emitters = self.world.scene(0.0).chip.emitters
        self.emitter = loneliest(emitters)
        place_um = emitters.place_um[self.emitter]
        self.at_um = self.world.aim_um(place_um, 0.0) - self._wander(np.zeros(1))[0]
        self.delivered = self.best = 0.0
        self.worst = 1.0

    def _stage(self, times_s: Floats) -> Floats:
        return np.asarray(self.at_um + self._wander(times_s))

    def _wander(self, times_s: Floats) -> Floats:
        """5 nm/min at its fastest along each axis."""
        turn = 2 * math.pi / WANDER_PERIOD_S
        return np.asarray(
            WANDER_UM_PER_S / turn * np.sin(turn * times_s[:, None] + self._phase[None, :])
        )

    def count(self, for_s: float) -> int:
        """Stay there so long and count."""
        clicks = sum(self.world.counts(self.now_s, self.now_s + for_s))
        self.stay(for_s)
        return clicks

    def stay(self, for_s: float) -> None:
        """Deliver photons for so long."""
        got, most = self.world.signal_cps(self.emitter, self.now_s + for_s / 2)
        self.delivered += got * for_s
        self.best += most * for_s
        self.worst = min(self.worst, got / most)
        self.now_s += for_s

    @property
    def shortfall(self) -> float:
        return 1.0 - self.delivered / self.best

    def widths_um(self) -> tuple[float, float, float]:
        """Of the response near its top, by the world's truth: how the light falls 30 nm aside."""
        start, (peak, _) = self.at_um.copy(), self.world.signal_cps(self.emitter, self.now_s)
        widths = []
        for axis in range(3):
            shares = []
            for side in (-0.03, 0.03):
                self.at_um = start.copy()
                self.at_um[axis] += side
                shares.append(self.world.signal_cps(self.emitter, self.now_s)[0] / peak)
            widths.append(0.03 / math.sqrt(2.0 - sum(shares)))
        self.at_um = start
        x, y, z = widths
        return x, y, z


def least_shortfall(widths_um: tuple[float, float, float], cps: float) -> float:
    """What no dither of one amplitude can fall below: searched, not solved."""
    amplitudes_nm = np.geomspace(0.05, 50.0, 2000)
    total = 0.0
    for width_um in widths_um:
        square = (1e3 * width_um) ** 2
        place = square * math.sqrt(WALK_NM2_PER_S / cps) / amplitudes_nm
        total += float(np.min((amplitudes_nm**2 + place) / (2 * square)))
    return total
