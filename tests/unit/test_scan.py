"""Plans run without a device: the world's response answers their asks with Poisson counts."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from hil.confocal import Confocal
from hil.nature import OpticsNature
from mapping.peak import Tally
from mapping.response import dipole, saturation
from mapping.scan import Ask, Centred, Centring, Plan, centre, serpentine
from optics.quantities import StageBox, StagePoint

CONFOCAL = Confocal(OpticsNature())
TRUE = StagePoint(50.06, 49.93, 10.31)
START = StagePoint(50.0, 50.0, 10.0)

Rate = Callable[[StagePoint], float]


def emitter(at: StagePoint, height_cps: float, saturated: float = 0.0) -> Rate:
    """Excitation, blunted by saturation, times collection: not what the fit believes."""

    def rate(point: StagePoint) -> float:
        aside = np.array([math.hypot(point.x_um - at.x_um, point.y_um - at.y_um)])
        excited, collected = CONFOCAL.at(aside, np.array([point.z_um - at.z_um]))
        share = excited * (1 + saturated) / (1 + saturated * excited)
        return height_cps * float(share[0] * collected[0])

    return rate


def performed(plan: Plan[Centred], rate: Rate, rng: np.random.Generator) -> tuple[Centred, float]:
    """What the plan concludes, and the time it counted."""
    spent_s = 0.0
    ask: Ask = next(plan)
    while True:
        spent_s += ask.dwell_s
        clicks = int(rng.poisson(rate(ask.at) * ask.dwell_s))
        try:
            ask = plan.send(Tally(ask.at, clicks, ask.dwell_s))
        except StopIteration as end:
            return end.value, spent_s


def on_ground(*emitters: Rate, ground_cps: float = 13e3) -> Rate:
    return lambda point: ground_cps + sum(rate(point) for rate in emitters)


@pytest.fixture
def nprng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("saturated", [0.0, 1.5])
def test_an_emitter_is_centred_with_honest_errors(
    nprng: np.random.Generator, saturated: float
) -> None:
    """Errors over stated sigmas, 40 runs: near one in the mean square, along every axis."""
    scene = on_ground(emitter(TRUE, 150e3, saturated))
    pulls = []
    for _ in range(40):
        found, spent_s = performed(centre(START, Centring()), scene, nprng)
        assert found.doubt == ""
        assert spent_s < 1.5
        off = np.array(found.peak.at) - np.array(TRUE)
        assert np.hypot(off[0], off[1]) < 0.035
        pulls.append(off / np.array(found.peak.sigma_um))
    square = (np.array(pulls) ** 2).mean(axis=0)
    assert (square > 0.4).all(), square
    assert (square < 2.2).all(), square


def test_empty_ground_is_no_emitter(nprng: np.random.Generator) -> None:
    for _ in range(40):
        found, _ = performed(centre(START, Centring()), on_ground(), nprng)
        assert found.doubt


def test_a_pair_half_a_micrometre_off_does_not_pass_for_the_candidate(
    nprng: np.random.Generator,
) -> None:
    elsewhere = emitter(StagePoint(50.75, 50.0, 10.0), 150e3)
    for _ in range(10):
        found, _ = performed(centre(START, Centring()), on_ground(elsewhere), nprng)
        assert found.doubt


def test_tiles_cover_the_box_and_overlap() -> None:
    box = StageBox(StagePoint(0.0, 0.0, 5.0), StagePoint(100.0, 60.0, 15.0))
    tiles = serpentine(box, (33.0, 30.0), overlap=0.1)
    assert {tile.z_um for tile in tiles} == {10.0}
    for x_um, y_um in np.random.default_rng(1).uniform((0, 0), (100, 60), (500, 2)):
        assert any(abs(t.x_um - x_um) <= 16.5 and abs(t.y_um - y_um) <= 15.0 for t in tiles)
    steps = [math.dist(a, b) for a, b in pairwise(tiles)]
    assert max(steps) <= 30.0, "to and fro, never back to the start of a row"
    assert len(tiles) == 4 * 3


def test_a_field_larger_than_the_box_is_one_tile_in_its_middle() -> None:
    box = StageBox(StagePoint(10.0, 20.0, 0.0), StagePoint(12.0, 24.0, 0.0))
    assert serpentine(box, (33.0, 33.0), 0.1) == [StagePoint(11.0, 22.0, 0.0)]


def test_saturation_is_found_within_its_errors(nprng: np.random.Generator) -> None:
    powers = np.array([150.0, 300.0, 600.0, 1200.0, 2400.0])
    mean = (427e3 * powers / (powers + 900.0) + 16.0 * powers) * 0.1
    pulls = []
    for _ in range(30):
        clicks = nprng.poisson(mean).tolist()
        found = saturation(powers.tolist(), clicks, 0.1, ground_cps_per_uw=16.0)
        pulls.append((found.half_uw - 900.0) / found.half_sigma_uw)
        assert found.saturated_cps == pytest.approx(427e3, rel=0.1)
    assert 0.4 < float(np.mean(np.square(pulls))) < 2.2


def test_the_pumps_best_direction_is_found(nprng: np.random.Generator) -> None:
    angles = [0.0, math.pi / 4, math.pi / 2, 3 * math.pi / 4]
    for best in (0.05, 1.2, 3.1):
        rates = [9e4 * (1 + 0.9 * math.cos(2 * (angle - best))) for angle in angles]
        counted = [float(nprng.poisson(rate * 0.1)) / 0.1 for rate in rates]
        found = dipole(angles, counted, [math.sqrt(rate / 0.1) + 10 for rate in rates])
        assert math.sin(found.best_rad - best) == pytest.approx(0.0, abs=0.03)
        assert found.visibility == pytest.approx(0.9, abs=0.03)
