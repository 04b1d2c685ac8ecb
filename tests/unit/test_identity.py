"""Who is in the focus: the emitter of the record passes, others fail by what sets them apart."""

import math
from typing import Any

import numpy as np
import pytest

from mapping.identity import judged
from mapping.peak import Peak, Response
from mapping.response import Dipole
from mapping.visit import Visited
from optics.quantities import StagePoint
from tests.unit.catalogue_maker import SEEN

RECORD = SEEN._replace(pump_rad=0.5, visibility=0.9, saturation_uw=1300.0, flicker=0.0)
NOWHERE = StagePoint(0.0, 0.0, 0.0)


def found(**changes: Any) -> Visited:
    """As the record has it, but for the changes."""
    peak = Peak(NOWHERE, StagePoint(0.004, 0.004, 0.01), 180e3, 2e3, 13e3, Response(), 1.0)
    usual = Visited(
        peak=peak,
        doubt="",
        power_uw=800.0,
        rate_cps=180e3,
        rate_sigma_cps=900.0,
        ground_cps=13e3,
        flicker=0.0,
        dipole=Dipole(0.5, 0.01, 0.9, 180e3),
        saturation=None,
        tallies=(),
    )
    return usual._replace(**changes)


def test_the_same_passes_wherever_chance_puts_it(seed: int) -> None:
    """Errors as stated: refused less than once in 300."""
    rng = np.random.default_rng(seed)
    refused = 0
    for _ in range(300):
        off_um = tuple((rng.standard_normal(3) * (0.01, 0.01, 0.1)).tolist())
        rate = 180e3 * math.exp(0.08 * rng.standard_normal())
        dipole = Dipole(0.5 + 0.05 * rng.standard_normal(), 0.01, 0.9, rate)
        seen = found(rate_cps=rate, dipole=dipole)
        refused += not judged(RECORD, seen, off_um, 0.01, 0.0).accepted
    assert refused <= 1


@pytest.mark.parametrize(
    ("changes", "off_um", "word"),
    [
        ({}, (0.15, 0.0, 0.0), "x"),
        ({}, (0.0, 0.0, 0.9), "z"),
        ({"rate_cps": 90e3}, (0.0, 0.0, 0.0), "rate"),
        ({"rate_cps": 0.0}, (0.0, 0.0, 0.0), "rate"),
        ({"dipole": Dipole(0.5, 0.01, 0.4, 180e3)}, (0.0, 0.0, 0.0), "visibility"),
        ({"dipole": Dipole(0.5 + math.pi / 6, 0.01, 0.9, 180e3)}, (0.0, 0.0, 0.0), "angle"),
    ],
)
def test_another_is_refused_by_what_is_other(
    changes: dict[str, Any], off_um: tuple[float, float, float], word: str
) -> None:
    verdict = judged(RECORD, found(**changes), off_um, 0.01, 0.0)
    assert not verdict.accepted
    assert word in verdict.words


def test_a_turned_chip_turns_the_dipole_and_power_changes_the_rate() -> None:
    turned = found(dipole=Dipole(0.55, 0.01, 0.9, 180e3))
    assert abs(judged(RECORD, turned, (0, 0, 0), 0.01, 0.05).pulls["angle"]) < 0.1
    filled = (1600 / 2900) / (800 / 2100)
    brighter = found(power_uw=1600.0, rate_cps=180e3 * filled)
    assert abs(judged(RECORD, brighter, (0, 0, 0), 0.01, 0.0).pulls["rate"]) < 0.01
