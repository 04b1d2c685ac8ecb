"""A session with much to do lets the others have their turn."""

import asyncio
from itertools import pairwise

import pytest

from controller.scpi_turns import UNITS_AT_ONCE, UNITS_PER_TURN, Turns

pytestmark = pytest.mark.clocks("jumping")


class Worker:
    def __init__(self, name: str, units: int, done: list[str]) -> None:
        self.name, self.units, self._done = name, units, done

    def work(self, units: int) -> bool:
        self._done.extend([self.name] * min(units, self.units))
        self.units -= units
        return self.units > 0


async def test_each_gets_its_share_in_turn_and_leaves_when_it_is_done() -> None:
    turns, done = Turns(), list[str]()
    for name, units in (("long", 4 * UNITS_AT_ONCE), ("short", UNITS_AT_ONCE)):
        turns.join(Worker(name, units, done).work)
    await asyncio.sleep(1)
    assert len(done) == 5 * UNITS_AT_ONCE
    assert done[UNITS_AT_ONCE] == "short"
    turns.join(Worker("later", 1, done).work)
    await asyncio.sleep(1)
    assert done[-1] == "later"


async def test_between_turns_everybody_else_is_heard() -> None:
    turns, done = Turns(), list[str]()
    turns.join(Worker("flood", 10 * UNITS_PER_TURN, done).work)
    heard: list[int] = []
    for _ in range(5):
        await asyncio.sleep(0)
        heard.append(len(done))
    assert max(b - a for a, b in pairwise(heard)) <= UNITS_PER_TURN
    await asyncio.sleep(1)
    assert len(done) == 10 * UNITS_PER_TURN
