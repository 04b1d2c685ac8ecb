"""What a witness makes of a host's answers, and of none."""

import asyncio
from collections.abc import Mapping

import pytest

from hil.claims import LABEL, PATIENCE_S, QUERY, SILENT, Witness
from hil.truth import Claim

pytestmark = pytest.mark.clocks("jumping")


class Told:
    """A host who is answered from a table, and never where the table has nothing."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers, self.asked, self.cleared = answers, list[str](), 0

    async def tell(self, message: str) -> None:
        self.asked.append(message)

    async def ask(self, message: str) -> str:
        self.asked.append(message)
        if message not in self.answers:
            await asyncio.sleep(1e6)
        return self.answers[message]

    def clear(self) -> None:
        self.cleared += 1


def witness(host: Told) -> Witness:
    return Witness(host, host.clear)


async def test_a_claim_is_state_site_and_fault_as_they_are_said() -> None:
    host = Told({QUERY: 'EMITTING;"s7";""'})
    assert await witness(host).claim() == Claim("EMITTING", "s7", "")
    assert Claim("EMITTING").shines
    assert Claim("READY").shines
    assert not Claim("VERIFYING").shines


async def test_a_fault_may_hold_what_parts_answers() -> None:
    host = Told({QUERY: 'SAFE;"";"stage: lost; tried again"'})
    assert (await witness(host).claim()).fault == "stage: lost; tried again"


async def test_no_answer_in_time_is_silence_and_what_came_late_is_thrown_away() -> None:
    host, loop = Told({}), asyncio.get_running_loop()
    began_s = loop.time()
    assert await witness(host).claim() is SILENT
    assert loop.time() - began_s == pytest.approx(PATIENCE_S)
    assert host.cleared == 1


async def test_half_an_answer_is_silence() -> None:
    assert await witness(Told({QUERY: "EMITTING"})).claim() is SILENT


async def test_all_claims_have_the_reports_keys_and_null_for_what_is_not_known() -> None:
    answers = {
        QUERY: 'READY;"s1";""',
        "FETC:BRIG?": "1.5E5,200,0.1",
        "FETC:PUR?": "9.91E+37,9.91E+37",
    }
    assert await witness(Told(answers)).all_claims() == {
        "state": "READY",
        "site": "s1",
        "brightness_cps": 1.5e5,
        "brightness_err_cps": 200.0,
        "g2": None,
        "g2_upper95": None,
    }


@pytest.mark.parametrize(
    ("label", "sites", "lost"),
    [
        (f'"{LABEL}"', "3", []),
        (f'"{LABEL}"', "4", []),
        ('""', "3", ["label"]),
        ('""', "2", ["label", "sites"]),
    ],
)
async def test_facts_that_were_acknowledged_and_are_gone_are_named(
    label: str, sites: str, lost: list[str]
) -> None:
    host = Told({"SYST:LAB?": label, "SITE:COUN?": sites})
    assert await witness(host).lost_facts(3) == lost


async def test_who_does_not_answer_has_lost_what_was_acknowledged() -> None:
    """Whoever cannot say it any more does not keep it; of sites nothing is known then."""
    assert await witness(Told({})).lost_facts(3) == ["label"]


async def test_a_fact_is_left_and_acknowledged() -> None:
    host = Told({f'SYST:LAB "{LABEL}";*OPC?': "1"})
    await witness(host).leave_a_fact()
    assert host.asked == [f'SYST:LAB "{LABEL}";*OPC?']
