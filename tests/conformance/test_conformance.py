"""Every case of the table, on a session with the real vocabulary."""

import pytest

from tests.conformance.cases import Case, all_cases
from tests.conformance.desk import Bench

CASES = list(all_cases())


def test_there_are_enough_cases_and_each_names_its_clause() -> None:
    assert len(CASES) >= 600
    assert all(case.clause for case in CASES)


@pytest.mark.clocks("jumping")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.line[:60])
async def test_a_case(case: Case) -> None:
    bench = Bench()
    for step in case.steps:
        if isinstance(step, bytes):
            bench.session.feed(step)
            await bench.settle()
        else:
            await bench.do(step)
    assert case.answers.fullmatch(bytes(bench.said)), (case.clause, bytes(bench.said)[:300])
    found = [error.number for error in bench.session.status.errors.drain()]
    assert found == (list(case.errors) or [0]), case.clause
    for work in bench.desk.under_way:
        work.cancel()
