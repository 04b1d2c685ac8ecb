"""A rack in which one emitter is held: a world that drifts, and a stage that goes at once.

Its light is the world's at random instants of each span; how many clicks that makes is drawn here,
once for a span, where the world itself counts click by click. `test_hold.py` compares the two.
"""

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
GROUND_SHARE = 0.02
LOOKS = 16  # at the world in each span


RESTLESS = EnvironmentNature(
    walk_nm2_per_s=(WALK_NM2_PER_S,) * 3,
    day_amplitude_k=0.0,
    wander_rms_k=0.0,
    warm_up_k=0.0,
)


def nature(cps: float, surroundings: EnvironmentNature) -> WorldNature:
    """One rate at the peak; a laser and its noise as usual."""
    return replace(
        IDEAL,
        chip=replace(
            CHIP, saturated_cps=2 * cps, background_cps_per_uw=GROUND_SHARE * cps / POWER_UW
        ),
        optics=OpticsNature(filter_nm=(500.0, 800.0)),
        laser=WorldNature().laser,
        environment=surroundings,
    )


class FocusWorld:
    """`at_um` is where the stage is told to be; the holder wanders under it."""

    def __init__(self, cps: float, seed: int, surroundings: EnvironmentNature = RESTLESS) -> None:
        self._rng = np.random.default_rng(seed)
        self._phase = self._rng.uniform(0.0, 2 * math.pi, 3)
        self._wander_um_per_s = WANDER_UM_PER_S if surroundings is RESTLESS else 0.0
        self._ground_cps = GROUND_SHARE * cps
        self.at_um = np.full(3, 100.0)
        self.now_s = 0.0
        self.world = World(nature(cps, surroundings), seed, self._stage)
        self.world.laser_uw.set(-1.0, POWER_UW)
        emitters = self.world.scene(0.0).chip.emitters
        self.emitter = loneliest(emitters)
        place_um = emitters.place_um[self.emitter]
        self.at_um = self.world.aim_um(place_um, 0.0) - self._wander(np.zeros(1))[0]
        self.delivered = self.best = self._squared = 0.0
        self.worst = 1.0

    def _stage(self, times_s: Floats) -> Floats:
        return np.asarray(self.at_um + self._wander(times_s))

    def _wander(self, times_s: Floats) -> Floats:
        """5 nm/min at its fastest along each axis."""
        turn = 2 * math.pi / WANDER_PERIOD_S
        return np.asarray(
            self._wander_um_per_s / turn * np.sin(turn * times_s[:, None] + self._phase[None, :])
        )

    def count(self, for_s: float) -> int:
        """Stay there so long and count."""
        mean_cps = self.stay(for_s) + self._ground_cps
        return int(self._rng.poisson(mean_cps * for_s))

    def count_clicks(self, for_s: float) -> int:
        """The same, by the world's own photons."""
        clicks = sum(self.world.counts(self.now_s, self.now_s + for_s))
        self.stay(for_s)
        return clicks

    def stay(self, for_s: float) -> float:
        """Deliver photons for so long; at which rate."""
        share = (np.arange(LOOKS) + self._rng.random(LOOKS)) / LOOKS
        got, most = self.world.signals_cps(self.emitter, self.now_s + share * for_s)
        got_cps, most_cps = float(got.mean()), float(most.mean())
        self.delivered += got_cps * for_s
        self.best += most_cps * for_s
        self._squared += got_cps * got_cps * for_s
        self.worst = min(self.worst, got_cps / most_cps)
        self.now_s += for_s
        return got_cps

    @property
    def shortfall(self) -> float:
        return 1.0 - self.delivered / self.best

    @property
    def brightness_sd(self) -> float:
        """As a share: how the light that is delivered varies, counting apart."""
        mean = self.delivered / self.now_s
        return math.sqrt(max(self._squared / self.now_s / mean**2 - 1.0, 0.0))

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
