"""A survey's book: what was noted is there after a cut, and means the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from controller.archive import Archive
from controller.site_tables import Candidate, Tile
from controller.store import Store
from controller.survey_book import Plan, SurveyBook, planned
from optics.quantities import ChipPoint, StagePoint
from tests.unit.catalogue_maker import site

pytestmark = pytest.mark.clocks("wall", "jumping")

SEEN = (ChipPoint(0.0, 0.0, 0.0), ChipPoint(60.0, 60.0, 0.0))
AREA = (ChipPoint(20.0, 20.0, 0.0), ChipPoint(40.0, 40.0, 0.0))
PLAN = planned(SEEN, AREA, (33.0, 33.0), 0.1)


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[tuple[Store, Archive]]:
    store = await Store.open(folder)
    await store.begin_run()
    try:
        yield store, await Archive.open(store)
    finally:
        await store.aclose()


def candidate(number: int, x_um: float, outcome: str | None = None) -> Candidate:
    return Candidate(number, 0, ChipPoint(x_um, 30.0, 0.0), 0.01, 500.0, outcome)


async def test_it_is_the_same_after_a_cut(tmp_path: Path) -> None:
    async with started(tmp_path) as (store, archive):
        await archive.begin_chip()
        book = await SurveyBook.begin(store, archive, PLAN)
        tile = Tile(0, StagePoint(16.0, 16.0, 50.0), "survey-0001/tile-0000.npz")
        await book.tile_seen(tile, [candidate(1, 25.0), candidate(2, 30.0), candidate(3, 35.0)])
        await book.visited(book.candidates[1], "site", site("E0001"))
        await book.visited(book.candidates[2], "no peak", None)
        known = (book.plan, book.seen, book.candidates)
    async with started(tmp_path) as (store, archive):
        again = await SurveyBook.resume(store, archive)
        assert again is not None
        assert (again.plan, again.seen, again.candidates) == known
        assert [number for number, _ in again.unseen] == list(range(1, len(PLAN.tiles)))
        assert [one.number for one in again.waiting] == [3]
        assert list(archive.catalogue.sites) == ["E0001"]
        await again.end("complete")
        assert await SurveyBook.resume(store, archive) is None


async def test_one_begun_anew_ends_the_one_before(tmp_path: Path) -> None:
    async with started(tmp_path) as (store, archive):
        await archive.begin_chip()
        first = await SurveyBook.begin(store, archive, PLAN)
        second = await SurveyBook.begin(store, archive, PLAN)
        resumed = await SurveyBook.resume(store, archive)
        assert resumed is not None
        assert (resumed.number, first.number) == (second.number, second.number - 1)


async def test_what_was_seen_before_is_not_new(tmp_path: Path) -> None:
    async with started(tmp_path) as (store, archive):
        await archive.begin_chip()
        book = await SurveyBook.begin(store, archive, PLAN)
        await book.tile_seen(Tile(0, StagePoint(0, 0, 0), ""), [candidate(1, 25.0)])
        assert not book.is_new(ChipPoint(25.3, 30.0, 0.0), [])
        assert book.is_new(ChipPoint(25.5, 30.0, 0.0), [])
        assert not book.is_new(ChipPoint(25.5, 30.0, 0.0), [candidate(2, 25.6)])
        assert book.asked_for(ChipPoint(25.0, 39.9, 0.0))
        assert not book.asked_for(ChipPoint(25.0, 40.1, 0.0))


def test_tiles_cover_what_is_to_be_seen_and_the_text_says_it_all() -> None:
    assert Plan.read(PLAN.text()) == PLAN
    xs = sorted({middle.x_um for middle in PLAN.tiles})
    assert (xs[0], xs[-1]) == (16.5, 43.5)
    old = Plan.read('{"tiles": [[1.0, 2.0, 0.0]]}')
    assert old.tiles == [ChipPoint(1.0, 2.0, 0.0)]
    assert old.area[0].x_um < -1e9 < 1e9 < old.area[1].y_um
