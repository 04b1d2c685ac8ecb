"""The newsstand: readers are told at once and in order, and may wait for what they want."""

import asyncio
import dataclasses
from collections.abc import Callable

import pytest

from controller.snapshot import Newsstand, Snapshot
from controller.states import State

pytestmark = pytest.mark.clocks("jumping")


@pytest.fixture
def news() -> Newsstand:
    return Newsstand(Snapshot(label="first"))


def labelled(label: str) -> Callable[[Snapshot], bool]:
    return lambda snapshot: snapshot.label == label


def test_publishing_replaces_what_has_changed_and_nothing_else(news: Newsstand) -> None:
    before = news.latest
    news.publish(state=State.READY, run_id=7)
    assert news.latest == dataclasses.replace(before, state=State.READY, run_id=7)
    assert before == Snapshot(label="first"), "who holds an older picture keeps it"


def test_a_snapshot_cannot_be_changed_and_knows_no_other_fields(news: Newsstand) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        news.latest.label = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        news.publish(lable="other")


def test_readers_are_told_at_once_in_order_and_until_they_end_it(news: Newsstand) -> None:
    told: list[str] = []
    end_a = news.subscribe(lambda snapshot: told.append("a " + snapshot.label))
    end_b = news.subscribe(lambda snapshot: told.append("b " + snapshot.label))
    news.publish(label="1")
    assert told == ["a 1", "b 1"]
    end_a()
    news.publish(label="2")
    end_b()
    news.publish(label="3")
    assert told == ["a 1", "b 1", "b 2"]


def test_a_reader_may_end_its_subscription_while_being_told(news: Newsstand) -> None:
    told: list[str] = []

    def once(snapshot: Snapshot) -> None:
        told.append("once " + snapshot.label)
        end()

    end = news.subscribe(once)
    news.subscribe(lambda snapshot: told.append("always " + snapshot.label))
    news.publish(label="1")
    news.publish(label="2")
    assert told == ["once 1", "always 1", "always 2"]


async def test_what_is_so_already_is_found_at_once(news: Newsstand) -> None:
    assert await news.until(labelled("first")) is news.latest


async def test_the_first_that_fits_is_found_even_if_it_is_over_by_then(news: Newsstand) -> None:
    waiting = asyncio.create_task(news.until(lambda snapshot: snapshot.run_id > 0))
    await asyncio.sleep(1.0)
    assert not waiting.done()
    for run_id in (0, 1, 2, 0):
        news.publish(run_id=run_id)
    assert (await waiting).run_id == 1


@pytest.mark.parametrize("given_up", [False, True])
async def test_who_has_found_or_given_up_is_told_no_more(news: Newsstand, given_up: bool) -> None:
    looked: list[str] = []

    def fits(snapshot: Snapshot) -> bool:
        looked.append(snapshot.label)
        return snapshot.label == "wanted"

    waiting = asyncio.create_task(news.until(fits))
    await asyncio.sleep(0)
    if given_up:
        waiting.cancel()
    else:
        news.publish(label="wanted")
    await asyncio.wait({waiting})
    news.publish(label="later")
    assert waiting.cancelled() == given_up
    assert looked == (["first"] if given_up else ["first", "wanted"])
