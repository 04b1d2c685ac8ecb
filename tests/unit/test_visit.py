"""A visit finds what an emitter is like, and a glance the same in less time; nothing is doubted."""

import math

import numpy as np
import pytest

from mapping.peak import Tally
from mapping.placement import Placement
from mapping.scan import Ask, Centring, Ended, Plan, advanced
from mapping.visit import Visited, as_seen, glance, visit
from optics.quantities import StagePoint

AT = StagePoint(100.03, 99.96, 50.1)
SATURATED_CPS, HALF_UW, PUMP_RAD, VISIBILITY, GROUND_CPS_PER_UW = 400e3, 1300.0, 1.1, 0.9, 16.0
POWER_UW = 1000.0


class Bench:
    """One emitter in a Gaussian focus, pumped and turned as asked for."""

    def __init__(self, seed: int, saturated_cps: float = SATURATED_CPS) -> None:
        self.rng, self.saturated_cps = np.random.default_rng(seed), saturated_cps
        self.power_uw, self.pump_rad, self.asked = POWER_UW, 0.0, 0

    def mean_cps(self, at: StagePoint, power_uw: float, pump_rad: float) -> float:
        aside, depth = math.dist(at[:2], AT[:2]) / 0.11, (at.z_um - AT.z_um) / 0.32
        lit = math.exp(-(aside**2 + depth**2) / 2)
        pumped = (1 + VISIBILITY * math.cos(2 * (pump_rad - PUMP_RAD))) / 2 * power_uw / HALF_UW
        return self.saturated_cps * lit * pumped / (1 + pumped) + GROUND_CPS_PER_UW * power_uw

    def perform(self, plan: Plan[Visited]) -> Visited:
        step = advanced(plan, None)
        while isinstance(step, Ask):
            self.asked += 1
            self.power_uw = self.power_uw if step.power_uw is None else step.power_uw
            self.pump_rad = self.pump_rad if step.pump_rad is None else step.pump_rad
            mean = self.mean_cps(step.at, self.power_uw, self.pump_rad) * step.dwell_s
            tally = Tally(step.at, int(self.rng.poisson(mean)), step.dwell_s)
            step = advanced(plan, tally)
        assert isinstance(step, Ended)
        found: Visited = step.value
        return found


def test_a_visit_finds_place_rate_dipole_and_ground(seed: int) -> None:
    bench = Bench(seed)
    aim = AT._replace(x_um=AT.x_um + 0.12, z_um=AT.z_um - 0.4)
    found = bench.perform(visit(aim, Centring(), POWER_UW, 2000.0))
    assert found.doubt == ""
    assert math.dist(found.peak.at[:2], AT[:2]) < 0.02
    best_cps = bench.mean_cps(AT, POWER_UW, PUMP_RAD)
    assert found.rate_cps + found.ground_cps == pytest.approx(best_cps, rel=0.03)
    assert found.ground_cps == pytest.approx(GROUND_CPS_PER_UW * POWER_UW, rel=0.15)
    assert found.background == pytest.approx(GROUND_CPS_PER_UW * POWER_UW / best_cps, rel=0.2)
    assert abs(math.remainder(found.dipole.best_rad - PUMP_RAD, math.pi)) < 0.05
    assert found.flicker < 0.05
    assert (bench.power_uw, found.saturation is None) == (POWER_UW, False)


def test_a_glance_agrees_with_the_visit_and_is_shorter(seed: int) -> None:
    bench = Bench(seed)
    known = bench.perform(visit(AT, Centring(), POWER_UW, 2000.0))
    asked, bench.asked = bench.asked, 0
    found = bench.perform(glance(known.peak, POWER_UW, known.dipole.best_rad))
    assert bench.asked < asked / 3
    assert found.rate_cps == pytest.approx(known.rate_cps, rel=0.04)
    assert found.dipole.visibility == pytest.approx(known.dipole.visibility, abs=0.05)
    assert found.peak == known.peak


def test_where_nothing_shines_nothing_is_found(seed: int) -> None:
    found = Bench(seed, saturated_cps=0.0).perform(visit(AT, Centring(), POWER_UW, 2000.0))
    assert found.doubt != ""


def test_on_the_chip_the_dipole_is_the_chips(seed: int) -> None:
    turn_rad = 0.2
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    lying = Placement((cos, -sin, 3.0, sin, cos, -2.0), lift_um=40.0)
    found = Bench(seed).perform(visit(AT, Centring(), POWER_UW, 2000.0))
    seen = as_seen(found, lying)
    assert lying.on_stage(seen.place) == pytest.approx(found.peak.at)
    assert seen.pump_rad == pytest.approx((found.dipole.best_rad - turn_rad) % math.pi)
