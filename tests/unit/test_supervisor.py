"""The supervisor: one activity at a time, safe before anyone hears of it, every promise kept."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from controller.states import Event, State
from controller.wishes import NotNow, Overtaken
from optics.faults import DeviceFault, DeviceLost, DeviceRefused
from tests.unit.toy_supervisor import GARBLED, LOST, REFUSED, TARGET, Toy

pytestmark = pytest.mark.clocks("jumping")


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    toy = Toy()
    yield toy
    toy.running.cancel()
    await asyncio.gather(toy.running, return_exceptions=True)


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


async def test_the_table_is_walked_one_activity_at_a_time(toy: Toy) -> None:
    request = toy.supervisor.request
    await toy.in_service()
    request(Event.MOVE, TARGET)
    (await toy.work_in(State.MOVING)).set_result(None)
    await toy.work_in(State.SERVICE)
    request(Event.RESUME)
    (await toy.work_in(State.CONNECTING)).set_exception(LOST)
    (await toy.work_in(State.SAFE)).set_result(None)
    await toy.work_in(State.CONNECTING)
    assert toy.diary == [
        *("READY", "READY halted", "SERVICE", "SERVICE halted", "MOVING", "SERVICE"),
        *("SERVICE halted", "CONNECTING", "making safe", "safe", "SAFE", "CONNECTING"),
    ]
    assert toy.targets == [None, TARGET, *[None] * 4], "only the move is told where to"


async def test_what_the_table_lacks_is_refused_and_never_queued(toy: Toy) -> None:
    with pytest.raises(NotNow, match="SERVE while CONNECTING"):
        toy.supervisor.request(Event.SERVE)
    await toy.ready()
    with pytest.raises(NotNow, match="MOVE while READY"):
        toy.supervisor.request(Event.MOVE, TARGET)
    await toy.supervisor.request(Event.SERVE).ended
    await toy.work_in(State.SERVICE)
    await asyncio.sleep(3600.0)
    assert toy.diary == ["READY", "READY halted", "SERVICE"]


async def test_of_two_wishes_in_one_instant_the_later_wins_and_the_other_is_told(toy: Toy) -> None:
    await toy.in_service()
    moving = toy.supervisor.request(Event.MOVE, TARGET)
    with pytest.raises(NotNow, match="MOVE while MOVING"):
        toy.supervisor.request(Event.MOVE, TARGET)
    resuming = toy.supervisor.request(Event.RESUME)
    await moving.begun
    with pytest.raises(Overtaken, match="MOVE was ended by RESUME"):
        await moving.ended
    await resuming.ended
    assert toy.diary[-1] == "CONNECTING"
    assert "MOVING" not in toy.diary, "it was never begun"


async def test_service_that_is_left_again_at_once_was_no_failure(toy: Toy) -> None:
    await toy.ready()
    serving = toy.supervisor.request(Event.SERVE)
    await toy.supervisor.request(Event.RESUME).ended
    await serving.ended
    assert toy.supervisor.state is State.CONNECTING


async def test_a_state_is_left_only_when_its_work_has_wound_up(toy: Toy) -> None:
    toy.halt_takes_s = 5.0
    await toy.ready()
    serving = toy.supervisor.request(Event.SERVE)
    await asyncio.sleep(4.9)
    assert toy.supervisor.state is State.READY
    with pytest.raises(NotNow):
        toy.supervisor.request(Event.SERVE)
    await serving.ended
    assert toy.diary == ["READY", "READY halted", "SERVICE"]


@pytest.mark.parametrize("fault", [LOST, GARBLED, REFUSED])
async def test_everything_is_safe_before_safe_is_announced(toy: Toy, fault: DeviceFault) -> None:
    toy.safe_takes_s = 5.0
    (await toy.ready()).set_exception(fault)
    await toy.work_in(State.SAFE)
    assert toy.diary == ["READY", "making safe", "safe", "SAFE"]
    assert toy.news.latest.fault is fault


async def test_a_wish_is_begun_with_the_work_and_ended_with_it(toy: Toy) -> None:
    await toy.in_service()
    wish = toy.supervisor.request(Event.MOVE, TARGET)
    assert not wish.begun.done()
    await wish.begun
    assert toy.diary[-1] == "MOVING"
    moving = await toy.work_in(State.MOVING)
    await asyncio.sleep(3600.0)
    assert not wish.ended.done()
    moving.set_result(None)
    await wish.ended
    assert toy.diary[-1] == "SERVICE"


async def test_a_wish_that_another_overtakes_is_told_so(toy: Toy) -> None:
    await toy.in_service()
    moving = toy.supervisor.request(Event.MOVE, TARGET)
    await toy.work_in(State.MOVING)
    resuming = toy.supervisor.request(Event.RESUME)
    with pytest.raises(Overtaken, match="MOVE was ended by RESUME"):
        await moving.ended
    await resuming.ended
    assert toy.supervisor.state is State.CONNECTING


@pytest.mark.parametrize(
    ("fault", "then"), [(LOST, State.SAFE), (GARBLED, State.SAFE), (REFUSED, State.SERVICE)]
)
async def test_a_wish_that_fails_is_told_why(toy: Toy, fault: DeviceFault, then: State) -> None:
    await toy.in_service()
    wish = toy.supervisor.request(Event.MOVE, TARGET)
    (await toy.work_in(State.MOVING)).set_exception(fault)
    with pytest.raises(type(fault), match=str(fault)):
        await wish.ended
    assert toy.supervisor.state is then


async def test_a_failure_that_nobody_waits_for_is_no_loose_end(toy: Toy) -> None:
    await toy.in_service()
    toy.supervisor.request(Event.MOVE, TARGET)
    (await toy.work_in(State.MOVING)).set_exception(LOST)
    await toy.work_in(State.SAFE)


async def test_work_done_in_the_instant_of_a_new_wish_counts_as_done(toy: Toy) -> None:
    await toy.in_service()
    moving = toy.supervisor.request(Event.MOVE, TARGET)
    (await toy.work_in(State.MOVING)).set_result(None)
    resuming = toy.supervisor.request(Event.RESUME)
    await asyncio.gather(moving.ended, resuming.ended)
    await toy.work_in(State.CONNECTING)
    assert toy.diary[-2:] == ["MOVING", "CONNECTING"]


async def test_a_wish_in_the_instant_of_a_fault_is_told_of_it(toy: Toy) -> None:
    (await toy.ready()).set_exception(LOST)
    serving = toy.supervisor.request(Event.SERVE)
    with pytest.raises(DeviceLost, match="the wire is gone"):
        await serving.ended
    await toy.work_in(State.SAFE)
    assert "SERVICE" not in toy.diary


async def test_a_wish_that_comes_while_things_are_made_safe_is_refused(toy: Toy) -> None:
    toy.safe_takes_s = 5.0
    (await toy.ready()).set_exception(LOST)
    await asyncio.sleep(1.0)
    assert (toy.supervisor.state, toy.diary[-1]) == (State.READY, "making safe")
    with pytest.raises(NotNow):
        toy.supervisor.request(Event.SERVE)


async def test_cancellation_makes_safe_once_and_leaves_neither_work_nor_promise(toy: Toy) -> None:
    await toy.in_service()
    wish = toy.supervisor.request(Event.MOVE, TARGET)
    await toy.work_in(State.MOVING)
    toy.safe_takes_s = toy.halt_takes_s = 5.0
    toy.running.cancel()
    await asyncio.wait({toy.running})
    assert toy.running.cancelled()
    assert toy.diary[-4:] == ["MOVING", "MOVING halted", "making safe", "safe"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with pytest.raises(Overtaken):
        await wish.ended
    with pytest.raises(NotNow):
        toy.supervisor.request(Event.RESUME)


async def test_a_wish_in_the_instant_of_the_end_is_told_of_it(toy: Toy) -> None:
    await toy.ready()
    wish = toy.supervisor.request(Event.SERVE)
    toy.running.cancel()
    for promise in (wish.begun, wish.ended):
        with pytest.raises(Overtaken):
            await promise


async def test_a_defect_ends_the_run_with_its_error_after_making_safe(toy: Toy) -> None:
    await toy.in_service()
    wish = toy.supervisor.request(Event.MOVE, TARGET)
    (await toy.work_in(State.MOVING)).set_exception(ValueError("a defect"))
    with pytest.raises(ValueError, match="a defect"):
        await toy.running
    assert toy.diary[-3:] == ["MOVING", "making safe", "safe"]
    with pytest.raises(Overtaken):
        await wish.ended


async def test_one_outage_is_one_warning_however_often_it_is_tried(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    gone, refused = DeviceLost("stage", "no such file"), DeviceRefused("stage", "wrong model")
    for fault in (gone, gone, gone, refused, gone):
        (await toy.work_in(State.CONNECTING)).set_exception(fault)
        (await toy.work_in(State.SAFE)).set_result(None)
    assert warnings_in(caplog) == [str(gone), str(refused), str(gone)]
    (await toy.ready()).set_exception(gone)
    await toy.work_in(State.SAFE)
    assert warnings_in(caplog)[3:] == [str(gone)], "a new outage, though it looks the same"


async def test_a_fault_is_published_until_it_is_healed(toy: Toy) -> None:
    (await toy.work_in(State.CONNECTING)).set_exception(LOST)
    (await toy.work_in(State.SAFE)).set_result(None)
    connecting = await toy.work_in(State.CONNECTING)
    assert toy.news.latest.fault is LOST
    connecting.set_result(None)
    await toy.work_in(State.REGISTERING)
    assert toy.news.latest.fault is None
