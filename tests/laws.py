"""The physics table: what a law expects, what was found, and whether the two agree.

A test that takes `law` judges by it and leaves a row; `./gansource test -m physics` runs all of
them and prints the table.
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import pytest

SIGMAS = 5.0
"""Seeds are fixed, so this bound never flickers; errors follow from counting statistics."""
ROW = "law"
HEAD = ("law", "found", "expected", "error", "off by")


class Row(NamedTuple):
    """One figure; `error` is a standard deviation, or what the law's own approximations allow."""

    name: str
    found: float
    expected: float
    error: float
    allowed: float  # errors

    def cells(self) -> tuple[str, ...]:
        """As the table has them: as many digits as the error is worth."""
        decimals = 1 - math.floor(math.log10(self.error))
        off = (self.found - self.expected) / self.error
        told = f"{off:+.1f} sd" if self.allowed > 1.0 else f"{off:+.0%} of it"
        numbers = (self.found, self.expected, self.error)
        return (self.name, *(_rounded(number, decimals) for number in numbers), told)


class Law:
    """Compares a figure with what the textbook says, and keeps both."""

    def __init__(self, keep: Callable[[str, object], None]) -> None:
        self._keep = keep

    def within_errors(self, name: str, found: float, expected: float, sd: float) -> None:
        """`sd` follows from counting statistics alone."""
        self._judge(Row(name, float(found), float(expected), float(sd), SIGMAS))

    def within(self, name: str, found: float, expected: float, at_most: float) -> None:
        """Nothing is random, or the law itself is only so good."""
        self._judge(Row(name, float(found), float(expected), float(at_most), 1.0))

    def _judge(self, row: Row) -> None:
        self._keep(ROW, tuple(row))  # workers hand on plain types only
        assert abs(row.found - row.expected) <= row.allowed * row.error, row


@pytest.fixture
def law(record_property: Callable[[str, object], None]) -> Law:
    return Law(record_property)


def told(reports: Iterable[pytest.TestReport]) -> list[str]:
    """The table, from the reports of all tests; none where no law was asked."""
    kept = [value for report in reports for name, value in report.user_properties if name == ROW]
    rows: list[tuple[str, ...]] = [HEAD, *(_row(value).cells() for value in kept)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return lines if kept else []


def _row(value: object) -> Row:
    """Workers of pytest-xdist hand tuples on as lists."""
    assert isinstance(value, list | tuple)
    return Row(*value)


def _rounded(number: float, decimals: int) -> str:
    return f"{round(number, decimals):.{max(decimals, 0)}f}"
