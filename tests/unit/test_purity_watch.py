"""g2(0) measured on while light is lit."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from controller.compute import Compute
from controller.config import Config, StageConfig, TaggerConfig
from controller.desk import Desk, Locked
from controller.purity_watch import AGAIN_S, watch
from controller.snapshot import Newsstand, Snapshot
from controller.wishes import Unable
from optics.devices import Identity
from optics.faults import DeviceLost
from optics.quantities import TagRun
from tests.unit.toy_desk import PEAK, POWER_UW, SITE

pytestmark = pytest.mark.clocks("jumping")
CPS, OVER_S = 50e3, 4.0


class Tagger:
    """Poisson light, or light without any pairs; fails once when told to."""

    def __init__(self, rng: np.random.Generator, *, pairs: bool) -> None:
        self._rng, self._pairs = rng, pairs
        self.fails, self.connected = False, 0

    async def connect(self) -> Identity:
        self.connected += 1
        return Identity("", "", "", "")

    async def tags(self, for_s: float) -> TagRun:
        if self.fails:
            self.fails = False
            raise DeviceLost("tagger", "unplugged")
        await asyncio.sleep(for_s)
        count = self._rng.poisson(CPS * for_s)
        times = np.sort(self._rng.integers(0, round(for_s * 1e12), count))
        channels = self._rng.integers(0, 2, count).astype(np.uint8)
        if not self._pairs:
            close = np.flatnonzero(np.diff(times, prepend=-(10**6)) < 100_000)
            times, channels = np.delete(times, close), np.delete(channels, close)
        return TagRun(times, channels, for_s, 0)


def desk_with(tagger: Tagger | None) -> Desk:
    """What watching needs of a desk."""
    toy = SimpleNamespace(
        devices=SimpleNamespace(tagger=tagger),
        config=Config(StageConfig("memory://stage"), tagger=TaggerConfig(g2_over_s=OVER_S)),
        news=Newsstand(Snapshot()),
        compute=Compute(),
        now_s=asyncio.get_running_loop().time,
        late=set[str](),
        failed=dict[str, str](),
    )
    return cast(Desk, toy)


def watching(desk: Desk) -> "asyncio.Task[Any]":
    return asyncio.create_task(watch(desk, Locked(SITE, PEAK, POWER_UW)))


async def test_photons_of_several_end_the_light(seed: int) -> None:
    desk = desk_with(Tagger(np.random.default_rng(seed), pairs=True))
    with pytest.raises(Unable, match="not those of one emitter"):
        await asyncio.wait_for(watching(desk), 60.0)
    assert desk.failed


async def test_those_of_one_are_told_as_long_as_there_is_light(seed: int) -> None:
    desk = desk_with(Tagger(np.random.default_rng(seed), pairs=False))
    task = watching(desk)
    await asyncio.sleep(OVER_S / 2)
    told = desk.news.latest.purity
    assert told is not None
    await asyncio.sleep(2 * OVER_S)
    later = desk.news.latest.purity
    assert later is not None
    assert later.at_s > told.at_s + OVER_S
    assert later.upper95 < told.upper95
    assert not task.done()
    task.cancel()


async def test_a_tagger_that_fails_is_taken_up_again(seed: int) -> None:
    tagger = Tagger(np.random.default_rng(seed), pairs=False)
    desk = desk_with(tagger)
    tagger.fails = True
    task = watching(desk)
    await asyncio.sleep(AGAIN_S + 2 * OVER_S)
    assert tagger.connected == 1
    assert desk.news.latest.purity is not None
    task.cancel()


async def test_without_a_tagger_light_goes_on(seed: int) -> None:
    task = watching(desk_with(None))
    await asyncio.sleep(3600.0 + seed % 2)
    assert not task.done()
    task.cancel()
