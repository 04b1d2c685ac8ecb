"""How a trouble is heard of, and troubles at random."""

import pytest

from hil.claims import SILENT
from hil.drill import Happening, drawn
from hil.scenario import Chance, Scenario
from hil.troubles import TROUBLES
from hil.truth import Claim
from tests.laws import SIGMAS

CALM = Claim("EMITTING", "s1")


def test_a_trouble_is_noticed_by_what_is_claimed_and_over_when_that_is_calm_again() -> None:
    happening = Happening("hang", 10.0, 13.0)
    for now_s, claim in (
        (10.5, CALM),
        (11.0, Claim("SAFE", "s1", "stage: lost")),
        (12.0, CALM),  # not over yet
        (14.0, SILENT),
        (20.0, Claim("EMITTING", "s1", "camera: slow")),
        (25.0, CALM),
        (30.0, SILENT),
    ):
        happening.heard(claim, CALM, now_s)
    told = happening.told()
    assert (told["noticed_s"], told["recovered_s"]) == (1.0, 15.0)


def test_what_nobody_notices_is_not_recovered_from() -> None:
    happening = Happening("split-bytes", 10.0, 13.0)
    for now_s in (10.5, 14.0):
        happening.heard(CALM, CALM, now_s)
    assert happening.told()["noticed_s"] is happening.told()["recovered_s"] is None


@pytest.mark.parametrize("names", [(), ("hang", "power-cut")])
def test_random_troubles_are_as_many_as_named_and_leave_the_end_alone(
    names: tuple[str, ...],
) -> None:
    scenario = Scenario(for_s=7200.0, chance=Chance(60.0, names, 600.0))
    found = [fault for seed in range(100) for fault in drawn(scenario, seed)]
    expected = 100 * 60.0 * (7200.0 - 600.0) / 3600.0
    assert len(found) == pytest.approx(expected, abs=SIGMAS * expected**0.5)
    assert max(fault.at_s for fault in found) < 6600.0
    assert {fault.name for fault in found} == set(names or TROUBLES)
    assert {fault.device for fault in found} == {"stage", "board", "laser", "camera", "tagger"}
    assert drawn(scenario, 7) == drawn(scenario, 7) != drawn(scenario, 8)


def test_without_a_chance_nothing_is_drawn() -> None:
    assert drawn(Scenario(for_s=1e6), 1) == []
