"""Breaks among the bytes of a serial line, however they were cut."""

import os
import pty
import termios
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.scpi_breaks import BREAK, MARK, BreakFinder, mark_breaks

Heard = list[bytes | None]
"""Data, and None for each break."""


def heard(stream: bytes, cuts: list[int]) -> Heard:
    told: Heard = []

    def take(data: bytes) -> None:
        before = told.pop() if told and told[-1] is not None else b""
        told.append((before or b"") + data)

    finder = BreakFinder(take, lambda: told.append(None))
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for a, b in pairwise(edges):
        finder.read(stream[a:b])
    return told


@given(st.lists(st.binary() | st.none()), st.lists(st.integers(0)))
def test_breaks_and_what_follows_them_come_out(said: Heard, cuts: list[int]) -> None:
    """What stands before a break in one chunk may be dropped: the break would clear it at once."""
    marked = [BREAK if part is None else part.replace(MARK, 2 * MARK) for part in said]
    told = heard(b"".join(marked), cuts)
    assert told.count(None) == said.count(None)
    last = len(said) - said[::-1].index(None) if None in said else 0
    end = (told or [None])[-1] or b""
    assert end == b"".join(filter(None, said[last:]))


def test_a_byte_with_a_framing_error_stands_for_itself() -> None:
    assert heard(b"a\xff\x00Ab", []) == [b"aAb"]


@pytest.fixture
def line() -> Iterator[tuple[int, int]]:
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


class Port:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


def test_a_terminal_is_told_to_mark_breaks_and_anything_else_is_left_alone(
    line: tuple[int, int],
) -> None:
    _host, ours = line
    assert mark_breaks(Port(ours))
    flags = termios.tcgetattr(ours)[0]
    assert flags & termios.PARMRK
    assert not flags & (termios.IGNBRK | termios.BRKINT)
    reading, writing = os.pipe()
    assert not mark_breaks(Port(reading))
    os.close(reading)
    os.close(writing)
