"""Sites, visits, poses and the epoch: as told, and the same after the next start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from controller.archive import Archive
from controller.ledger import StoreFault
from controller.store import Store
from mapping.catalogue import Kind, SiteState, catalogue_of
from mapping.placement import Placement
from optics.quantities import ChipPoint
from tests.unit.catalogue_maker import site

pytestmark = pytest.mark.clocks("wall", "jumping")

ONE, TWO = site("E0001"), site("E0002", g2=None, kind=Kind.UNDECIDED)
LYING = Placement((1.0, 0.01, 5.0, -0.01, 1.0, -7.5), 3.0, (1e-3, -2e-3), 0.004, 0.02, 1e-8)


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Archive]:
    store = await Store.open(folder)
    await store.begin_run()
    try:
        yield await Archive.open(store)
    finally:
        await store.aclose()


async def test_a_blank_memory_knows_no_chip(tmp_path: Path) -> None:
    async with started(tmp_path) as archive:
        assert (archive.chip, archive.selected, archive.epoch) == (0, "", 0)
        assert archive.catalogue.sites == {}


async def test_sites_and_what_was_chosen_are_there_at_the_next_start(tmp_path: Path) -> None:
    async with started(tmp_path) as archive:
        await archive.begin_chip()
        for one in (ONE, TWO):
            await archive.record(one, "survey")
        await archive.select("E0002", "the best")
        await archive.select("E0001", "better still")
        await archive.lay(LYING)
        known = archive.catalogue
    async with started(tmp_path) as archive:
        assert archive.catalogue == known
        assert (archive.selected, archive.epoch) == ("E0001", 2)
        states = {name: one.state for name, one in archive.catalogue.sites.items()}
        assert states == {"E0001": SiteState.ACTIVE, "E0002": SiteState.RESERVE}
        assert await archive.placements() == [LYING]


async def test_every_visit_is_kept(tmp_path: Path) -> None:
    async with started(tmp_path) as archive:
        await archive.begin_chip()
        await archive.record(ONE, "survey")
        moved = ONE.revisited(ONE.seen._replace(rate_cps=1.0, place=ChipPoint(1.0, 2.0, 3.0)))
        await archive.record(moved, "verify", "dim")
    async with started(tmp_path) as archive:
        first, second = await archive.visits("E0001")
        assert (first.seen, first.purpose, first.run) == (ONE.seen, "survey", 1)
        assert (second.seen, second.words) == (moved.seen, "dim")
        assert archive.catalogue.sites["E0001"] == moved


async def test_each_chip_keeps_its_own(tmp_path: Path) -> None:
    async with started(tmp_path) as archive:
        await archive.begin_chip()
        await archive.record(ONE, "survey")
        await archive.select("E0001", "")
        await archive.begin_chip()
        assert (archive.catalogue.sites, archive.selected) == ({}, "")
        await archive.record(TWO, "survey")
        await archive.use_chip(1)
    async with started(tmp_path) as archive:
        assert (list(archive.catalogue.sites), archive.selected) == (["E0001"], "E0001")
        assert list(archive.chips[2].sites) == ["E0002"]


async def test_states_and_imports_replace(tmp_path: Path) -> None:
    async with started(tmp_path) as archive:
        await archive.begin_chip()
        await archive.record(ONE, "survey")
        await archive.set_state("E0001", SiteState.RETIRED, "bleached")
        assert archive.catalogue.sites["E0001"].why == "bleached"
        with pytest.raises(KeyError):
            await archive.set_state("E0009", SiteState.ACTIVE, "")
        await archive.adopt(catalogue_of(99, [TWO]))
    async with started(tmp_path) as archive:
        assert archive.catalogue == catalogue_of(1, [TWO])


async def test_who_watches_is_told_of_every_change(tmp_path: Path) -> None:
    async with started(tmp_path) as archive:
        epochs: list[int] = []
        archive.changed = lambda: epochs.append(archive.epoch)
        await archive.grow_epoch({})
        await archive.grow_epoch({})
        assert epochs == [1, 2]


async def test_what_grows_the_epoch_is_kept_with_it(tmp_path: Path) -> None:
    async with started(tmp_path) as archive:
        await archive.grow_epoch({"power_uw": "800.0"})
    store = await Store.open(tmp_path)
    assert (store.setting("power_uw", ""), store.setting("epoch", "")) == ("800.0", "1")
    await store.aclose()


async def test_what_is_not_written_is_not_known(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    archive = await Archive.open(store)
    await archive.begin_chip()
    await store.write(lambda database: database.execute("DROP TABLE visit"))
    with pytest.raises(StoreFault):
        await archive.record(ONE, "survey")
    assert archive.catalogue.sites == {}
    await store.aclose()
