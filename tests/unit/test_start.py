"""How holding begins, and what another power makes of what was found."""

import pytest

from mapping.catalogue import Seen
from mapping.peak import Peak, Response
from mapping.start import at_power, start
from optics.quantities import ChipPoint, StagePoint

AT = StagePoint(100.0, 100.0, 100.0)
PEAK = Peak(AT, StagePoint(0.004, 0.005, 0.03), 1e5, 300.0, 2e3, Response(), 1.0)
SEEN = Seen(ChipPoint(0, 0, 0), ChipPoint(0.005, 0.005, 0.03), 1000.0, 1e5, 300.0, 2e3)


def saturating(half_uw: float | None) -> Seen:
    return SEEN._replace(saturation_uw=half_uw)


def test_it_begins_with_what_was_found_but_trusts_no_height_to_the_last_photon() -> None:
    begun = start(PEAK, saturating(1000.0), 1000.0)
    assert begun.at == AT
    assert begun.sigma_um == (0.004, 0.005, 0.03)
    assert begun.height_sigma_cps == 1e3
    assert begun.known == (PEAK.response, 2e3, 0.5)


def test_where_saturation_is_not_known_light_follows_power() -> None:
    assert start(PEAK, saturating(None), 1000.0).known.saturation == 0.0
    assert at_power(PEAK, saturating(None), 1000.0, 2000.0).height_cps == pytest.approx(2e5)


def test_another_power_saturates_the_emitter_and_not_the_ground() -> None:
    other = at_power(PEAK, saturating(1000.0), 1000.0, 3000.0)
    assert other.height_cps == pytest.approx(1.5e5)
    assert other.ground_cps == pytest.approx(6e3)
    assert other.height_sigma_cps > 1e4
    assert at_power(PEAK, saturating(1000.0), 500.0, 500.0) is PEAK
