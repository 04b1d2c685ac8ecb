"""Which limits are left, and when they count as kept again."""

import math

import pytest

from controller.config import LimitsConfig
from controller.figures import NO_DOUBT, Doubt
from controller.limits import Readings, outside

LIMITS = LimitsConfig(
    brightness_share=0.5,
    pointing_share=0.9,
    laser_share=0.05,
    g2_upper95=0.4,
    coldest_k=290.0,
    warmest_k=300.0,
)
WELL = Readings(1.0, 295.0, 0.98, 0.99, 0.1)
CASES = [
    (WELL, NO_DOUBT),
    (Readings(), NO_DOUBT),
    (WELL._replace(laser_share=0.94), Doubt.LASER_POWER),
    (WELL._replace(laser_share=1.06), Doubt.LASER_POWER),
    (WELL._replace(mount_k=301.0), Doubt.TEMPERATURE),
    (WELL._replace(mount_k=289.0), Doubt.TEMPERATURE),
    (WELL._replace(mount_k=math.nan), Doubt.TEMPERATURE),
    (WELL._replace(brightness_share=0.49), Doubt.BRIGHTNESS),
    (WELL._replace(brightness_share=0.0), Doubt.BRIGHTNESS),
    (WELL._replace(pointing_share=0.89), Doubt.POINTING),
    (WELL._replace(g2_upper95=0.41), Doubt.PURITY),
    (Readings(0.5, 400.0, 0.1, 0.1, 0.9), Doubt(0b111000011000)),
]


@pytest.mark.parametrize(("readings", "doubts"), CASES)
def test_each_limit_has_its_own_bit(readings: Readings, doubts: Doubt) -> None:
    assert outside(readings, LIMITS, NO_DOUBT) & ~Doubt.CALIBRATION == doubts & ~Doubt.CALIBRATION


def test_what_just_comes_back_is_not_yet_well() -> None:
    """A rate that scatters about its limit is not a new epoch each second."""
    low = outside(WELL._replace(brightness_share=0.49), LIMITS, NO_DOUBT)
    low = outside(WELL._replace(brightness_share=0.51), LIMITS, low)
    assert low == Doubt.BRIGHTNESS
    assert outside(WELL._replace(brightness_share=0.53), LIMITS, low) == NO_DOUBT


def test_what_is_not_known_now_stays_as_it_was() -> None:
    before = Doubt.POINTING | Doubt.CALIBRATION
    assert outside(Readings(laser_share=1.0), LIMITS, before) == before
    assert outside(WELL, LIMITS, before) == Doubt.CALIBRATION
