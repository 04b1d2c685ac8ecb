"""Both clocks of the rig: one hurries, one jumps, and neither is early or out of order."""

import asyncio
import os
import selectors
import socket
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from hil.clock import JumpingLoop, ScaledLoop, Stalled

T = TypeVar("T")
SPEED = 20.0


def jumping(coroutine: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(coroutine)


class WallByHand:
    """Stands in for the wall's clock; passes only while a selector waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr("hil.clock.time", self)
        monkeypatch.setattr(selectors.DefaultSelector, "select", self._select)

    def monotonic(self) -> float:
        return self.now_s

    def _select(self, timeout: float | None) -> list[object]:
        assert timeout is not None, "the loop would wait for ever"
        self.now_s += max(timeout, 0.0)
        return []


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> WallByHand:
    return WallByHand(monkeypatch)


def test_the_scaled_loop_starts_with_the_wall_and_goes_some_times_faster(wall: WallByHand) -> None:
    loop = ScaledLoop(SPEED)
    try:
        assert loop.time() == pytest.approx(1000.0)
        wall.now_s += 3.0
        assert loop.time() == pytest.approx(1060.0)
    finally:
        loop.close()


def test_an_hour_on_the_scaled_loop_costs_the_wall_three_minutes(wall: WallByHand) -> None:
    async def an_hour() -> float:
        began_s = asyncio.get_running_loop().time()
        await asyncio.sleep(3600.0)
        return asyncio.get_running_loop().time() - began_s

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(SPEED)) as runner:
        assert runner.run(an_hour()) == pytest.approx(3600.0)
    assert wall.now_s - 1000.0 == pytest.approx(180.0)


def test_timers_of_the_scaled_loop_ring_in_order_and_not_early(wall: WallByHand) -> None:
    async def three_timers() -> list[tuple[float, float]]:
        loop, rung = asyncio.get_running_loop(), list[tuple[float, float]]()
        for delay_s in (3.0, 1.0, 2.0):
            loop.call_later(delay_s, lambda due_s: rung.append((due_s, loop.time())), delay_s)
        await asyncio.sleep(4.0)
        return rung

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(SPEED)) as runner:
        rung = runner.run(three_timers())
    assert [delay_s for delay_s, _ in rung] == [1.0, 2.0, 3.0]
    assert [rung_s for _, rung_s in rung] == pytest.approx([1001.0, 1002.0, 1003.0])


@pytest.mark.clocks("hurried")
async def test_a_real_wire_wakes_the_scaled_loop_before_its_timer() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        reading = asyncio.create_task(asyncio.get_running_loop().sock_recv(near, 10))
        await asyncio.sleep(0)
        far.send(b"hello")
        assert await asyncio.wait_for(reading, 1000.0) == b"hello"


def test_six_hours_on_the_jumping_loop_begin_at_zero_and_pass_at_once() -> None:
    async def six_hours() -> list[float]:
        loop, moments = asyncio.get_running_loop(), []
        for _ in range(6):
            moments.append(loop.time())
            await asyncio.sleep(3600.0)
        return [*moments, loop.time()]

    assert jumping(six_hours()) == pytest.approx([3600.0 * hour for hour in range(7)])


def test_the_jumping_loop_rings_timers_in_order_and_equal_ones_always_alike() -> None:
    async def many_timers() -> list[tuple[float, int]]:
        loop, rung = asyncio.get_running_loop(), list[tuple[float, int]]()
        for number in range(50):
            due_s = float(number * 7 % 5)
            loop.call_at(due_s, lambda *what: rung.append(what), due_s, number)
        await asyncio.sleep(10.0)
        return rung

    first, second = jumping(many_timers()), jumping(many_timers())
    assert [due_s for due_s, _ in first] == sorted(due_s for due_s, _ in first)
    assert len(first) == 50
    assert first == second


def test_time_stands_still_on_the_jumping_loop_while_anything_can_run() -> None:
    async def busy() -> float:
        rung = asyncio.create_task(asyncio.sleep(1e-6))
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not rung.done()
        rung.cancel()
        return asyncio.get_running_loop().time()

    assert jumping(busy()) == 0.0


def test_a_jumping_loop_that_nothing_can_wake_says_so_instead_of_hanging() -> None:
    loop = JumpingLoop()
    try:
        with pytest.raises(Stalled, match="no timer is set"):
            loop.run_until_complete(loop.create_future())
    finally:
        loop.close()


@pytest.mark.clocks("jumping")
async def test_the_jumping_loop_runs_executor_work_inline() -> None:
    here = threading.get_ident()
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, divmod, 7, 3) == (2, 1)
    assert await asyncio.to_thread(threading.get_ident) == here
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(None, divmod, 7, 0)


@pytest.mark.clocks("jumping")
async def test_the_jumping_loop_refuses_a_descriptor() -> None:
    reader, writer = os.pipe()
    try:
        with pytest.raises(RuntimeError, match="join the wire in memory"):
            asyncio.get_running_loop().add_reader(reader, print)
        with pytest.raises(RuntimeError, match="join the wire in memory"):
            asyncio.get_running_loop().add_writer(writer, print)
    finally:
        os.close(reader)
        os.close(writer)
