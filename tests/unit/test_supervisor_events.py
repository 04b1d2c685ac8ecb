"""Ends that name their event, what cannot be done, trips, and wishes that go on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.states import Event, State
from controller.wishes import Tripped, Unable
from tests.unit.toy_supervisor import Toy

pytestmark = pytest.mark.clocks("jumping")


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    toy = Toy()
    yield toy
    toy.running.cancel()
    await asyncio.gather(toy.running, return_exceptions=True)


async def test_what_cannot_be_done_is_told_and_leads_on(toy: Toy) -> None:
    (await toy.work_in(State.CONNECTING)).set_result(None)
    (await toy.work_in(State.REGISTERING)).set_exception(Unable("another chip is in"))
    await toy.work_in(State.DEGRADED)
    assert str(toy.news.latest.fault) == "another chip is in"
    assert "making safe" not in toy.diary


async def test_an_activity_may_name_the_event_it_ends_with(toy: Toy) -> None:
    (await toy.work_in(State.CONNECTING)).set_result(Event.BLANK)
    await toy.work_in(State.SURVEYING)


async def test_a_selected_site_is_there_when_it_is_verified(toy: Toy) -> None:
    await toy.ready()
    wish = toy.supervisor.request(Event.SELECT, "E0002")
    (await toy.work_in(State.LOCKING)).set_result(None)
    verifying = await toy.work_in(State.VERIFYING)
    assert not wish.ended.done()
    verifying.set_result(None)
    await wish.ended
    assert toy.targets == ["E0002", "E0002"]


async def test_a_selected_site_that_is_not_proven_is_told(toy: Toy) -> None:
    await toy.ready()
    wish = toy.supervisor.request(Event.SELECT, "E0002")
    (await toy.work_in(State.LOCKING)).set_result(None)
    (await toy.work_in(State.VERIFYING)).set_exception(Unable("twice too bright"))
    with pytest.raises(Unable, match="twice too bright"):
        await wish.ended
    await toy.work_in(State.RECOVERING)


@pytest.mark.parametrize("state", [State.SURVEYING, State.READY, State.SERVICE])
async def test_a_trip_is_dark_before_it_is_told_and_stays_until_it_is_reset(
    toy: Toy, state: State
) -> None:
    if state is State.SURVEYING:
        (await toy.work_in(State.CONNECTING)).set_result(Event.BLANK)
        work = await toy.work_in(state)
    else:
        await (toy.ready() if state is State.READY else toy.in_service())
        work = toy.latest
    work.set_exception(Tripped("the interlock is open"))
    latched = await toy.work_in(State.LATCHED)
    assert toy.diary[-3:] == ["making safe", "safe", "LATCHED"]
    assert toy.news.latest.latched == "the interlock is open"
    latched.set_result(None)
    (await toy.work_in(State.SAFE)).set_result(None)
    await toy.work_in(State.CONNECTING)
    assert toy.news.latest.latched == ""
