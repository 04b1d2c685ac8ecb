"""Devices are taken into service side by side, each waited for by itself and not for ever."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from controller.arriving import WITHIN_S, arrived, side_by_side
from controller.snapshot import Newsstand, Snapshot
from optics.devices import Identity
from optics.faults import DeviceLost, DeviceRefused

pytestmark = pytest.mark.clocks("jumping")
ME = Identity("maker", "model", "1", "2")


class Starting:
    """Answers from some instant on; each try before takes a while."""

    def __init__(self, device: str, awake_s: float) -> None:
        self.device, self.awake_s, self.tries = device, awake_s, 0

    async def connect(self) -> Identity:
        self.tries += 1
        if asyncio.get_running_loop().time() >= self.awake_s:
            return ME
        await asyncio.sleep(0.5)
        raise DeviceLost(self.device, "cannot be reached")


def desk(**devices: Any) -> Any:
    """As much of one as an arrival needs."""
    loop = asyncio.get_running_loop()
    news = Newsstand(Snapshot())
    return SimpleNamespace(devices=SimpleNamespace(**devices), news=news, now_s=loop.time)


async def test_late_ones_are_waited_for_together() -> None:
    at = desk(stage=Starting("stage", 10.0), laser=Starting("laser", 3.0))
    await side_by_side(arrived(at, "stage"), arrived(at, "laser"))
    assert 10.0 <= asyncio.get_running_loop().time() < 11.0
    assert at.news.latest.fault is None


async def test_outsiders_are_told_who_is_awaited() -> None:
    at = desk(stage=Starting("stage", 10.0))
    waiting = asyncio.create_task(arrived(at, "stage"))
    await asyncio.sleep(2.0)
    assert at.news.latest.fault.device == "stage"
    assert await waiting == ME
    assert at.news.latest.fault is None


async def test_one_that_never_comes_is_lost_and_ends_the_others() -> None:
    laser = Starting("laser", 1e9)
    at = desk(stage=Starting("stage", 1e9), laser=laser)
    with pytest.raises(DeviceLost):
        await side_by_side(arrived(at, "stage"), arrived(at, "laser"))
    tries = laser.tries
    assert WITHIN_S < asyncio.get_running_loop().time() < WITHIN_S + 2
    await asyncio.sleep(5.0)
    assert laser.tries == tries


async def test_one_that_refuses_is_told_at_once() -> None:
    class Refusing(Starting):
        async def connect(self) -> Identity:
            raise DeviceRefused("laser", "is none of ours")

    at = desk(stage=Starting("stage", 1e9), laser=Refusing("laser", 0.0))
    with pytest.raises(DeviceRefused):
        await side_by_side(arrived(at, "stage"), arrived(at, "laser"))
    assert asyncio.get_running_loop().time() == 0.0
