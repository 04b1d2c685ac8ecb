"""The compute door: work runs off the loop, in one thread, in order, and its errors come back."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from controller.compute import Compute


@pytest.fixture
async def compute() -> AsyncIterator[Compute]:
    compute = Compute()
    yield compute
    await compute.aclose()


async def test_the_result_comes_back_from_one_thread_that_is_not_the_loops(
    compute: Compute,
) -> None:
    assert await compute(divmod, 17, 5) == (3, 2)
    threads = {await compute(threading.get_ident) for _ in range(10)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_the_loop_goes_on_while_work_is_under_way(compute: Compute) -> None:
    go_on = threading.Event()
    working = asyncio.create_task(compute(go_on.wait, 10.0))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not working.done()
    go_on.set()
    assert await working is True


async def test_work_runs_in_the_order_in_which_it_was_handed_in(compute: Compute) -> None:
    done: list[int] = []
    await asyncio.gather(*(compute(done.append, number) for number in range(200)))
    assert done == list(range(200))


async def test_an_error_reaches_the_caller_and_the_door_stays_open(compute: Compute) -> None:
    with pytest.raises(ZeroDivisionError):
        await compute(divmod, 1, 0)
    assert await compute(divmod, 1, 1) == (1, 0)


async def test_a_caller_that_gives_up_does_not_disturb_the_next(compute: Compute) -> None:
    go_on = threading.Event()
    given_up = asyncio.create_task(compute(go_on.wait, 10.0))
    await asyncio.sleep(0)
    given_up.cancel()
    following = asyncio.create_task(compute(divmod, 17, 5))
    await asyncio.wait({given_up})
    go_on.set()
    assert await following == (3, 2)


async def test_closing_finishes_what_is_under_way_drops_the_rest_and_leaves_no_thread() -> None:
    compute, before = Compute(), threading.active_count()
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def slow() -> None:
        begun.set()
        go_on.wait(10.0)
        done.append("slow")

    working = [asyncio.create_task(compute(work)) for work in (slow, lambda: done.append("late"))]
    await asyncio.to_thread(begun.wait, 10.0)
    closing = asyncio.create_task(compute.aclose())
    await asyncio.wait({working[1]})
    asyncio.get_running_loop().call_later(0.05, go_on.set)
    await closing
    assert done == ["slow"], "closing waits for it"
    await asyncio.wait(set(working))
    assert working[1].cancelled()
    assert not any(thread.name.startswith("compute") for thread in threading.enumerate())
    assert threading.active_count() <= before + 2, "the loop's own two, which end with it"
