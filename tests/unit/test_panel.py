"""Wishes as the panel grants them: power and its epoch, and sites made active or retired."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from controller.archive import Archive
from controller.panel import Panel
from controller.snapshot import Newsstand, Snapshot
from controller.states import Event, State
from controller.store import Store
from controller.wishes import NoSuchSite, NotNow
from mapping.catalogue import SiteState
from optics.faults import OutOfReach
from tests.unit.catalogue_maker import site

pytestmark = pytest.mark.clocks("jumping")


class Bench:
    """A panel over a real store, and a supervisor that notes what it was asked for."""

    def __init__(self, store: Store, archive: Archive) -> None:
        self.store, self.archive = store, archive
        self.news = Newsstand(Snapshot(state=State.EMITTING, power_set_uw=1000.0))
        self.asked: list[tuple[Event, Any]] = []
        self.refuses = False
        laser = SimpleNamespace(range_uw=(50.0, 2000.0))
        desk: Any = SimpleNamespace(
            news=self.news, store=store, archive=archive, light=SimpleNamespace(laser=laser)
        )
        self.promised = State.EMITTING
        supervisor: Any = self
        self.panel = Panel(desk, supervisor)

    def request(self, event: Event, target: Any = None) -> Any:
        """As the supervisor's: LOCKING begins at once, and selects what it was asked for."""
        if self.refuses:
            raise NotNow("not now")
        self.asked.append((event, target))
        self.news.publish(state=State.LOCKING, selected=target or "")
        begun = asyncio.get_running_loop().create_future()
        begun.set_result(None)
        return SimpleNamespace(begun=begun)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    store = await Store.open(tmp_path)
    await store.begin_run()
    archive = await Archive.open(store)
    await archive.begin_chip()
    for name in ("E0001", "E0002"):
        await archive.record(site(name), "survey")
    await archive.select("E0001", "the best")
    yield Bench(store, archive)
    await store.aclose()


async def test_another_power_is_another_epoch_and_kept(bench: Bench) -> None:
    before = bench.archive.epoch
    await bench.panel.set_power(800.0)
    assert (bench.news.latest.power_set_uw, bench.news.latest.epoch) == (800.0, before + 1)
    assert bench.store.setting("power_uw", "") == "800.0"
    await bench.panel.set_power(800.0)
    assert bench.archive.epoch == before + 1


@pytest.mark.parametrize("power_uw", [49.0, 2001.0, float("nan")])
async def test_a_power_out_of_reach_changes_nothing(bench: Bench, power_uw: float) -> None:
    before = bench.archive.epoch
    with pytest.raises(OutOfReach):
        await bench.panel.set_power(power_uw)
    assert (bench.news.latest.power_set_uw, bench.archive.epoch) == (1000.0, before)


async def test_making_a_site_active_goes_there(bench: Bench) -> None:
    await bench.panel.set_site_state("E0002", SiteState.ACTIVE)
    assert bench.asked == [(Event.SELECT, "E0002")]


async def test_where_it_cannot_be_gone_to_nothing_is_selected(bench: Bench) -> None:
    bench.refuses = True
    with pytest.raises(NotNow):
        await bench.panel.set_site_state("E0002", SiteState.ACTIVE)
    assert bench.archive.selected == "E0001"
    with pytest.raises(NoSuchSite):
        await bench.panel.set_site_state("E0009", SiteState.RETIRED)


async def test_the_retired_site_is_left_and_a_reserve_is_not_bothered(bench: Bench) -> None:
    await bench.panel.set_site_state("E0002", SiteState.RETIRED)
    assert bench.asked == []
    await bench.panel.set_site_state("E0001", SiteState.RETIRED)
    assert bench.asked == [(Event.SELECT, None)]
    assert bench.archive.catalogue.sites["E0001"].state is SiteState.RETIRED
