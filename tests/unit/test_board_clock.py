"""The board's clock against one that is known: late answers, a crystal that is off, a restart."""

import random

import pytest

from optics.board_clock import BoardClock, ClockWentBack

BEGUN_S = 7300.0  # of the loop, when the board started
DELAYS_S = 0.001  # each way, up to


class Board:
    """A clock that runs too fast, behind a line whose delays are never the same."""

    def __init__(self, rng: random.Random, too_fast: float) -> None:
        self._rng, self._too_fast = rng, too_fast

    def us(self, now_s: float) -> int:
        return int((now_s - BEGUN_S) * (1 + self._too_fast) * 1e6)

    def exchange(self, asked_s: float) -> tuple[float, float, int]:
        there_s, back_s = (self._rng.uniform(1e-4, DELAYS_S) for _ in range(2))
        return asked_s, asked_s + there_s + back_s, self.us(asked_s + there_s)


def followed(board: Board, for_s: float, every_s: float = 0.05) -> tuple[BoardClock, float]:
    """A clock that has seen so much, and the instant at which it stopped looking."""
    clock, now_s = BoardClock(), BEGUN_S + 100.0
    while now_s < BEGUN_S + 100.0 + for_s:
        clock.note(*board.exchange(now_s))
        now_s += every_s
    return clock, now_s


@pytest.mark.parametrize("too_fast", [0.0, 4e-5, -9e-5])
@pytest.mark.parametrize("for_s", [0.2, 5.0, 300.0])
def test_the_error_is_what_it_says_it_is(rng: random.Random, too_fast: float, for_s: float) -> None:
    board = Board(rng, too_fast)
    clock, now_s = followed(board, for_s)
    us = board.us(now_s)
    assert abs(clock.loop_s(us) - now_s) < 4 * clock.sigma_s(us)
    assert clock.sigma_s(us) < 2.5e-4


def test_the_rate_is_found_and_not_assumed(rng: random.Random) -> None:
    board = Board(rng, 8e-5)
    clock, now_s = followed(board, 120.0)
    assert clock.rate_error == pytest.approx(-8e-5, abs=8e-6)
    minute_later_us = board.us(now_s + 60.0)
    assert clock.loop_s(minute_later_us) == pytest.approx(now_s + 60.0, abs=6e-4)  # else 4.8 ms


def test_one_slow_answer_moves_nothing(rng: random.Random) -> None:
    board = Board(rng, 0.0)
    clock, now_s = followed(board, 10.0)
    before_s = clock.loop_s(board.us(now_s))
    clock.note(now_s, now_s + 0.4, board.us(now_s + 0.39))
    assert clock.loop_s(board.us(now_s)) == pytest.approx(before_s, abs=1e-5)


def test_a_clock_that_went_back_has_started_anew(rng: random.Random) -> None:
    clock, now_s = followed(Board(rng, 0.0), 1.0)
    with pytest.raises(ClockWentBack):
        clock.note(now_s, now_s + 0.001, 5)


def test_before_the_first_exchange_nothing_is_known() -> None:
    assert BoardClock().sigma_s(0) == float("inf")
