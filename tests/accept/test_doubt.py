"""The right diagnosis in a world whose truth is known: each cause, many seeds."""

import collections

import pytest

from tests.accept.doubt_world import TROUBLES, diagnosed

CUT = ("bleach", "laser_sags", "shaken", "moved")
SEEDS, RIGHT = 100, 95


@pytest.mark.parametrize("name", CUT)
def test_one_rack_is_diagnosed(name: str) -> None:
    right, verdict = diagnosed(name, 3)
    assert verdict.cause in right, verdict.reasons


@pytest.mark.full
@pytest.mark.parametrize("name", TROUBLES)
def test_of_a_hundred_racks_95_are_diagnosed(name: str) -> None:
    found: collections.Counter[str] = collections.Counter()
    for seed in range(SEEDS):
        right, verdict = diagnosed(name, seed)
        found["right" if verdict.cause in right else verdict.cause.name] += 1
    assert found["right"] >= RIGHT, dict(found)
