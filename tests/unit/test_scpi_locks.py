"""Who may change something, and who has to wait."""

import asyncio

import pytest

from controller.scpi_locks import Locks

pytestmark = pytest.mark.clocks("jumping")


class Host:
    def __init__(self, name: str) -> None:
        self.name = name


A, B, C = Host("a"), Host("b"), Host("c")


def test_an_exclusive_lock_keeps_all_others_out_until_it_is_given_back() -> None:
    locks = Locks()
    assert locks.keeps_out(A) is None
    assert locks.take(A)
    assert locks.take(A), "again"
    assert (locks.keeps_out(A), locks.keeps_out(B), locks.exclusive) == (None, A, A)
    assert not locks.take(B)
    assert not locks.take(B, "key")
    assert locks.release(B) == ""
    assert locks.release(A) == "exclusive"
    assert locks.take(B)


def test_a_shared_lock_is_for_all_who_know_the_key() -> None:
    locks = Locks()
    assert locks.take(A, "key")
    assert locks.take(B, "key")
    assert not locks.take(C, "other")
    assert not locks.take(C)
    assert (locks.keeps_out(A), locks.keeps_out(B), locks.keeps_out(C)) == (None, None, A)
    assert locks.holders == 2
    assert [locks.release(A), locks.release(A), locks.release(B)] == ["shared", "", "shared"]
    assert locks.take(C, "other")


def test_one_who_shares_may_take_the_exclusive_lock_too() -> None:
    locks = Locks()
    assert locks.take(A, "key")
    assert locks.take(B, "key")
    assert locks.take(A)
    assert locks.keeps_out(B) is A
    assert locks.holders == 2
    assert not locks.take(C, "key"), "nobody joins while one has it for himself"
    assert [locks.release(A), locks.keeps_out(B)] == ["exclusive", None]


async def test_those_who_wait_are_served_in_order_or_too_late() -> None:
    locks = Locks()
    locks.take(A)
    first = asyncio.create_task(locks.wait(B, "", 5.0))
    second = asyncio.create_task(locks.wait(C, "", 1.0))
    await asyncio.sleep(2.0)
    assert second.done()
    assert not await second
    locks.release(A)
    assert await first
    assert locks.exclusive is B
    assert await locks.wait(B, "", 0.0)


async def test_one_who_has_gone_holds_nothing_and_waits_for_nothing() -> None:
    locks = Locks()
    locks.take(A, "key")
    locks.take(A)
    waiting = asyncio.create_task(locks.wait(B, "", 5.0))
    await asyncio.sleep(0)
    locks.forget(B)
    locks.forget(A)
    assert locks.holders == 0
    assert locks.take(C)
    assert not await waiting
    assert locks.exclusive is C
