"""What is tried next after a loss: each step once, the nearest first, and an honest end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.archive import Archive
from controller.config import SurveyConfig
from controller.desk import Desk
from controller.recovering import recover
from controller.snapshot import Newsstand, Snapshot
from controller.states import Event
from controller.store import Store
from controller.visiting import WENT_DARK, revived
from controller.wishes import Unable
from mapping.catalogue import Kind, SiteState
from mapping.causes import Cause
from mapping.doubt import REMEDIES, Verdict
from tests.unit.catalogue_maker import site

pytestmark = pytest.mark.clocks("jumping")


@asynccontextmanager
async def lost(folder: Path, cause: Cause | None, *names: str) -> AsyncIterator[Any]:
    """A desk whose first site was selected, and then lost for that cause."""
    store = await Store.open(folder)
    await store.begin_run()
    try:
        archive = await Archive.open(store)
        await archive.begin_chip()
        for name in names:
            await archive.record(site(name), "survey")
        await archive.select(names[0], "the best")
        if cause is Cause.DARK:
            await archive.set_state(names[0], SiteState.RETIRED, cause.value)
        verdict = cause and Verdict(cause, REMEDIES[cause], (), {cause: 1.0})
        yield SimpleNamespace(
            archive=archive,
            verdict=verdict,
            failed={names[0]: "lost"},
            news=Newsstand(Snapshot()),
            config=SimpleNamespace(survey=SurveyConfig()),
        )
    finally:
        await store.aclose()


async def recovered(desk: Any) -> Event:
    return await recover(cast(Desk, desk), None)


async def test_the_best_reserve_takes_over_from_a_dead_emitter_and_the_epoch_grows(
    tmp_path: Path,
) -> None:
    async with lost(tmp_path, Cause.DARK, "E0001", "E0002") as desk:
        epoch = desk.archive.epoch
        assert await recovered(desk) is Event.DONE
        assert (desk.archive.selected, desk.archive.epoch) == ("E0002", epoch + 1)
        assert desk.archive.catalogue.sites["E0001"].state is SiteState.RETIRED
        assert desk.verdict is None


async def test_what_the_camera_saw_elsewhere_is_locked_again(tmp_path: Path) -> None:
    async with lost(tmp_path, Cause.LOST, "E0001", "E0002") as desk:
        assert await recovered(desk) is Event.DONE
        assert desk.archive.selected == "E0001"
        assert not desk.failed
        desk.failed["E0001"] = "no peak"  # as LOCKING would say
        assert await recovered(desk) is Event.BLANK
        desk.failed["E0001"] = "no peak"
        assert await recovered(desk) is Event.DONE
        assert desk.archive.selected == "E0002"


async def test_a_loss_that_nobody_understands_is_registered_first(tmp_path: Path) -> None:
    async with lost(tmp_path, Cause.UNKNOWN, "E0001") as desk:
        assert await recovered(desk) is Event.BLANK
        desk.failed["E0001"] = "no peak"
        with pytest.raises(Unable, match="no peak"):
            await recovered(desk)


async def test_without_a_reserve_the_chip_is_surveyed(tmp_path: Path) -> None:
    async with lost(tmp_path, Cause.DARK, "E0001") as desk:
        assert await recovered(desk) is Event.SURVEY


def test_only_what_was_given_up_for_darkness_is_revived() -> None:
    dark = site("E0001")
    for why in WENT_DARK:
        gone = dark.__class__(dark.id, dark.seen, SiteState.RETIRED, why)
        assert revived(gone).state is SiteState.RESERVE
    gone = dark.__class__(dark.id, dark.seen, SiteState.RETIRED, "an operator's wish")
    assert revived(gone) is gone
    assert dark.seen.kind in Kind
