"""What must be so in the end: the scenario's limits, and those that no scenario may break."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hil.scenario import Limit, Scenario

ALWAYS = (Limit("wrong_emitter_s", most=0.0), Limit("facts_lost", most=0.0))
Faults = Sequence[Mapping[str, Any]]


def checks(
    scenario: Scenario, truth: Mapping[str, Any], faults: Faults, extra: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The report's `checks`; what could not be measured has not passed."""
    settled_s, crashes = extra["settled_s"], len(extra["crashes"])
    found = [
        _check("settled_s at most", settled_s, scenario.settled_within_s, settled_s is not None),
        _check("crashes at most", crashes, 0, crashes == 0),
    ]
    measured = measures(truth, faults, extra)
    for limit in (*ALWAYS, *scenario.check):
        value = measured[limit.of]
        for words, bound, sign in (("at least", limit.least, 1), ("at most", limit.most, -1)):
            if math.isfinite(bound):
                passed = value is not None and sign * value >= sign * bound
                found.append(_check(f"{limit.of} {words}", value, bound, passed))
    return found


def measures(
    truth: Mapping[str, Any], faults: Faults, extra: Mapping[str, Any]
) -> dict[str, float | None]:
    """Everything a scenario may set a limit to."""
    off_nm = [truth["final_error_nm"][axis] for axis in "xyz"]
    return {
        "final_error_nm": None if None in off_nm else round(math.hypot(*off_nm[:2]), 2),
        "on_target": float(truth["on_target"]),
        "time_to_photons_s": truth["time_to_photons_s"],
        "wrong_emitter_s": truth["wrong_emitter_s"],
        "delivered_fraction": truth["delivered_fraction"],
        "shortfall_over_limit": _over(truth["delivered_fraction"], truth["limit_fraction"]),
        "time_below_90pct_s": truth["time_below_90pct_s"],
        "brightness_sd_share": extra["brightness_sd_share"],
        "faults_noticed": _share(faults, "noticed_s"),
        "faults_recovered": _share(faults, "recovered_s"),
        "facts_lost": float(extra["facts_lost"]),
        "shines": extra["shines"],
    }


def _over(delivered: float | None, limit: float | None) -> float | None:
    """How many times the least that must be lost was lost."""
    if delivered is None or limit is None or limit >= 1.0:
        return None
    return round((1.0 - delivered) / (1.0 - limit), 3)


def _share(faults: Faults, what: str) -> float | None:
    return sum(fault[what] is not None for fault in faults) / len(faults) if faults else None


def _check(name: str, value: float | None, limit: float, passed: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "limit": limit, "passed": passed}
