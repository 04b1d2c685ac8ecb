"""Tracking at a toy desk: what it moves, what it tells, and when it asks for help."""

import asyncio
import math

import pytest

from controller.figures import Busy, Doubt
from controller.tracking import Tracking
from mapping.placement import Placement
from optics.quantities import StagePoint
from tests.unit.toy_desk import MIDDLE, ToyDesk

pytestmark = pytest.mark.clocks("jumping")
TURN_S = 0.05


class Bench:
    """Tracking that has begun."""

    def __init__(self) -> None:
        self.toy = ToyDesk()
        self.tracking = Tracking(self.toy.desk(), self.toy.locked)

    async def pass_(self, for_s: float) -> None:
        for _ in range(round(for_s / TURN_S)):
            await asyncio.sleep(TURN_S)
            await self.tracking.turn()

    @property
    def doubts(self) -> Doubt:
        return self.toy.news.latest.doubts

    def seems_lost(self) -> bool:
        return self.tracking.seems_lost

    def off_nm(self) -> float:
        """Of the place where it is believed to be."""
        return 1e3 * math.dist(self.tracking.believed().peak.at[:2], self.toy.at[:2])


async def test_it_follows_the_emitter_and_tells_how_well() -> None:
    bench = Bench()
    for _ in range(60):
        x, y, z = bench.toy.at
        bench.toy.at = StagePoint(x + 1e-3, y - 1e-3, z)
        await bench.pass_(2.0)
    told = bench.toy.news.latest.pointing
    assert told is not None
    assert bench.off_nm() < 10.0
    assert 0.95 < told.share_of_peak < 1.0
    assert told.at_s == pytest.approx(bench.toy.now_s(), abs=0.2)
    assert told.aged_um(100.0)[0] > told.sigma_um[0]
    assert bench.toy.epochs == 0
    assert Busy.TRACKING in bench.toy.news.latest.busy


async def test_told_not_to_track_it_stands_still_at_the_best_place() -> None:
    bench = Bench()
    await bench.pass_(5.0)
    bench.toy.news.publish(tracking=False)
    await bench.pass_(0.1)
    bench.toy.nudges.clear()
    await bench.pass_(20.0)
    assert not bench.toy.nudges
    assert math.dist(bench.toy.stands, MIDDLE) < 0.02
    assert Busy.TRACKING not in bench.toy.news.latest.busy
    loss = bench.toy.news.latest.tracking_loss
    assert loss is not None
    assert loss.value == 0.0
    bench.toy.news.publish(tracking=True)
    await bench.pass_(5.0)
    assert bench.toy.nudges


async def test_a_dark_emitter_is_one_epoch_and_asked_about_after_a_second() -> None:
    bench = Bench()
    await bench.pass_(5.0)
    bench.toy.dim = 0.0
    await bench.pass_(0.8)
    assert not bench.seems_lost()
    await bench.pass_(1.0)
    assert bench.seems_lost()
    assert bench.doubts == Doubt.BRIGHTNESS | Doubt.POINTING
    assert bench.toy.epochs <= 2
    epochs = bench.toy.epochs
    await bench.pass_(5.0)
    assert bench.toy.epochs == epochs
    bench.toy.dim = 1.0
    await bench.pass_(3.0)
    assert not bench.doubts
    assert bench.toy.epochs == epochs


async def test_while_a_host_holds_care_off_only_ten_seconds_of_darkness_are_asked_about() -> None:
    bench = Bench()
    bench.toy.news.publish(hold_off_until_s=bench.toy.now_s() + 600.0)
    await bench.pass_(5.0)
    bench.toy.dim = 0.6
    await bench.pass_(20.0)
    assert not bench.seems_lost()
    bench.toy.dim = 0.0
    await bench.pass_(9.0)
    assert not bench.seems_lost()
    assert Doubt.POINTING in bench.doubts
    await bench.pass_(2.0)
    assert bench.seems_lost()


async def test_a_laser_that_sags_moves_nothing_and_is_told() -> None:
    bench = Bench()
    await bench.pass_(20.0)
    bench.toy.pump = 0.8
    await bench.pass_(30.0)
    assert bench.off_nm() < 10.0
    assert bench.doubts == Doubt.LASER_POWER
    assert bench.toy.epochs == 1


async def test_what_was_lost_and_found_where_it_was_is_held_on() -> None:
    bench = Bench()
    await bench.pass_(5.0)
    bench.toy.dim = 0.0
    await bench.pass_(2.0)
    believed = bench.tracking.believed()
    bench.toy.dim = 1.0
    bench.tracking.resume(believed)
    assert not bench.seems_lost()
    await bench.pass_(3.0)
    assert not bench.seems_lost()
    assert not bench.doubts


async def test_when_it_ends_the_chip_lies_where_the_emitter_went() -> None:
    bench = Bench()
    bench.toy.lying = Placement()
    for _ in range(40):
        x, y, z = bench.toy.at
        bench.toy.at = StagePoint(x + 1e-3, y, z)
        await bench.pass_(2.0)
    bench.tracking.leave()
    assert bench.toy.lying.matrix[2] == pytest.approx(0.040, abs=0.01)
    assert bench.toy.locked.peak.at.x_um == pytest.approx(MIDDLE.x_um + 0.040, abs=0.01)
