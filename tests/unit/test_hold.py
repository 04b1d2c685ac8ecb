"""The law of holding: what moves it, what must not, and what it loses."""

import math

import numpy as np
import pytest

from mapping.dither import best_um, least_loss
from mapping.drift_filter import Known
from mapping.hold import Gate, Hold, Pointed, Start
from mapping.peak import Response
from optics.quantities import StagePoint

CPS, GATE_S = 1e5, 0.1
MIDDLE = (100.0, 100.0, 100.0)
RESPONSE = Response(0.13, 0.35)


class Room:
    """An emitter with a Gaussian response; `at`, `dim` and `power` may be changed at any time."""

    def __init__(self, seed: int = 1) -> None:
        self.rng, self.at, self.dim, self.power = np.random.default_rng(seed), MIDDLE, 1.0, 1.0
        known = Known(RESPONSE, 0.01 * CPS, 0.5)
        start = Start(StagePoint(*MIDDLE), (0.005, 0.005, 0.02), CPS, 0.01 * CPS, known)
        self.hold, self.now_s = Hold(start), 0.0

    def pass_(self, for_s: float) -> Pointed:
        told = None
        for _ in range(round(for_s / GATE_S)):
            self.now_s += GATE_S
            target = self.hold.target
            pumped = self.power / (1 + 0.5 * (self.power - 1))
            mean = (CPS * self.dim * pumped * self._share(target) + 1e3 * self.power) * GATE_S
            clicks = int(self.rng.poisson(mean))
            told = self.hold.add(Gate(target, clicks, GATE_S, self.now_s, self.power))
        assert told is not None
        return told

    def _share(self, target: StagePoint) -> float:
        x, y, z = (a - b for a, b in zip(target, self.at, strict=True))
        return math.exp(-(x * x + y * y) / 2 / 0.13**2 - z * z / 2 / 0.35**2)

    def off_nm(self) -> tuple[float, float, float]:
        x, y, z = (1e3 * (a - b) for a, b in zip(self.hold.place, self.at, strict=True))
        return x, y, z


def test_the_best_amplitude_loses_least_of_all() -> None:
    width_um, rate, walk = 0.13, 3e5, 4e-7
    best = best_um(width_um, 0.0, rate, walk)
    amplitudes = np.geomspace(best / 10, best * 10, 4001)
    loss = (amplitudes**2 + width_um**2 * math.sqrt(walk / rate) / amplitudes) / (2 * width_um**2)
    assert best == pytest.approx(amplitudes[np.argmin(loss)], rel=2e-3)
    assert least_loss(width_um, rate, walk) == pytest.approx(loss.min(), rel=1e-6)


def test_it_follows_a_step_of_the_emitter_along_each_axis() -> None:
    """By 20 nm aside and 60 nm in depth, which is a tenth of the light; told by the sigmas."""
    room = Room()
    room.pass_(60.0)
    room.at = (100.02, 99.98, 100.06)
    told = room.pass_(240.0)
    for off, sigma in zip(room.off_nm(), told.sigma_um, strict=True):
        assert abs(off) < 5 * 1e3 * sigma
    assert max(abs(off) for off in room.off_nm()[:2]) < 10.0


@pytest.mark.parametrize("power", [0.8, 1.2])
def test_a_laser_that_is_seen_to_sag_moves_nothing(power: float) -> None:
    room = Room()
    room.pass_(60.0)
    before = room.hold.place
    room.power = power
    told = room.pass_(1.0)
    assert math.dist(before, room.hold.place) < 0.01
    assert told.brightness_cps == pytest.approx(CPS, rel=0.01)


def test_an_emitter_that_dims_is_not_chased() -> None:
    """A fifth of the light goes, nobody says why: what becomes dimmer is believed, not a move."""
    room = Room()
    room.pass_(60.0)
    room.dim = 0.8
    told = room.pass_(120.0)
    assert max(abs(off) for off in room.off_nm()[:2]) < 10.0
    assert told.brightness_cps == pytest.approx(0.8 * CPS, rel=0.02)


def test_a_dark_emitter_tells_nothing_and_is_known_to_be_dark() -> None:
    room = Room()
    room.pass_(60.0)
    place = room.hold.place
    room.dim = 0.0
    told = room.pass_(3.0)
    assert room.hold.place == place
    assert told.dark_s == pytest.approx(3.0, abs=0.2)
    room.dim = 1.0
    assert room.pass_(1.0).dark_s == 0.0


def test_its_errors_are_as_large_as_it_says() -> None:
    """Over many seeds, squares of errors over variances are one on average."""
    pulls = []
    for seed in range(8):
        room = Room(seed)
        told = room.pass_(120.0)
        pulls += [o / s / 1e3 for o, s in zip(room.off_nm(), told.sigma_um, strict=True)]
    assert np.mean(np.square(pulls)) < 2.5


def test_a_restless_emitter_is_learned_to_be_so() -> None:
    """Ten times more restless than was expected: at least thrice is learned in 25 minutes."""
    room, steps = Room(), np.random.default_rng(3)
    for _ in range(3000):
        x, y, z = steps.normal(0.0, math.sqrt(4e-6 * 0.5), 3)
        room.at = (room.at[0] + x, room.at[1] + y, room.at[2] + z)
        room.pass_(0.5)
    x, y, _ = room.hold.walk_um2_per_s
    assert min(x, y) > 1.2e-6
