"""Verdicts: what is measured passes by its limits, what could not be measured has not passed."""

from typing import Any

import pytest

from hil.report import checks, measures
from hil.scenario import Limit, Scenario

TRUTH: dict[str, Any] = {
    "final_error_nm": {"x": 3.0, "y": -4.0, "z": 90.0},
    "on_target": True,
    "time_to_photons_s": 20.0,
    "wrong_emitter_s": 0.0,
    "delivered_fraction": 0.998,
    "limit_fraction": 0.999,
    "time_below_90pct_s": 1.5,
}
EXTRA: dict[str, Any] = {
    "settled_s": 100.0,
    "brightness_sd_share": 0.01,
    "facts_lost": 0,
    "crashes": [],
    "shines": 1.0,
}
FAULTS: list[dict[str, Any]] = [
    {"noticed_s": 1.0, "recovered_s": 2.0},
    {"noticed_s": 0.5, "recovered_s": None},
]


def failed(*limits: Limit, truth: dict[str, Any] = TRUTH, **extra: Any) -> list[str]:
    found = checks(Scenario(check=limits), truth, FAULTS, EXTRA | extra)
    return [check["name"] for check in found if not check["passed"]]


def test_measures_are_what_the_report_tells() -> None:
    found = measures(TRUTH, FAULTS, EXTRA)
    assert found["final_error_nm"] == 5.0, "across; the focus is forgiven more"
    assert found["shortfall_over_limit"] == pytest.approx(2.0)
    assert (found["faults_noticed"], found["faults_recovered"]) == (1.0, 0.5)
    assert (found["on_target"], found["shines"]) == (1.0, 1.0)


def test_limits_hold_on_both_sides_and_at_their_edge() -> None:
    assert failed(Limit("final_error_nm", 5.0, 5.0)) == []
    assert failed(Limit("final_error_nm", most=4.9)) == ["final_error_nm at most"]
    assert failed(Limit("faults_recovered", least=0.6)) == ["faults_recovered at least"]


def test_what_could_not_be_measured_has_not_passed() -> None:
    unknown = TRUTH | {"delivered_fraction": None}
    assert failed(Limit("delivered_fraction", least=0.0), truth=unknown) == [
        "delivered_fraction at least"
    ]


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"settled_s": None}, "settled_s at most"),
        ({"crashes": ["ValueError: a defect"]}, "crashes at most"),
        ({"facts_lost": 1}, "facts_lost at most"),
    ],
)
def test_some_things_no_scenario_forgives(extra: dict[str, Any], name: str) -> None:
    assert failed(**extra) == [name]
    assert failed(truth=TRUTH | {"wrong_emitter_s": 0.1}) == ["wrong_emitter_s at most"]
