"""From gates to brightness and photon number."""

import pytest

from controller.brightness import Clicks, light_path
from controller.config import OutputConfig
from optics.quantities import CountGate

KNOWN = OutputConfig(
    trigger_hz=1e6, efficiency=(0.5, 0.25), tap=0.2, tap_sigma=0.02, onward=0.9, onward_sigma=0.0
)


def clicks() -> Clicks:
    """A second in two gates."""
    found = Clicks()
    found.add(CountGate((300, 150), 0, 0.4, 1, 0.4))
    found.add(CountGate((450, 225), 0, 0.6, 2, 1.0))
    return found


def test_brightness_is_of_both_detectors() -> None:
    assert clicks().brightness_cps(7.0) == pytest.approx((1125.0, 1125**0.5, 7.0))
    assert Clicks().brightness_cps(7.0) == (0.0, 0.0, 7.0)


def test_photons_follow_from_the_calibration() -> None:
    """750 and 375 clicks are of 3000 that were tapped, so that 12,000 went on."""
    told = clicks().photons(light_path(KNOWN), 7.0)
    assert told is not None
    assert told.mean == pytest.approx(12_000 * 0.9 * 1e-6, rel=1e-9)
    assert told.low < told.mean < told.high
    assert told.at_s == 7.0


@pytest.mark.parametrize("unknown", [{"trigger_hz": 0.0}, {"tap": 0.0}, {"efficiency": (0.5, 0.0)}])
def test_without_a_calibration_nothing_is_said(unknown: dict[str, float]) -> None:
    path = light_path(OutputConfig(**{**vars(KNOWN), **unknown}))
    assert clicks().photons(path, 7.0) is None


def test_what_cannot_be_is_not_told() -> None:
    path = light_path(OutputConfig(**{**vars(KNOWN), "dead_s": 1e-3}))
    crowded = Clicks()
    crowded.add(CountGate((5000, 0), 0, 1.0, 1, 1.0))
    assert crowded.photons(path, 7.0) is None
