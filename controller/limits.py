"""Limits of what is promised: which of them are left, with a margin on the way back."""

from collections.abc import Iterator
from typing import NamedTuple

from controller.config import LimitsConfig
from controller.figures import Doubt

MARGIN = 0.05  # so much further back inside, before a limit counts as kept again
NONE_AT_ALL = 1e-9


class Readings(NamedTuple):
    """What limits are set to; None is not known now, and leaves the doubt as it was."""

    laser_share: float | None = None  # of the power that is set
    mount_k: float | None = None
    brightness_share: float | None = None  # of what was found when it was locked
    pointing_share: float | None = None  # of the peak
    g2_upper95: float | None = None


UNKNOWN = Readings()


def outside(readings: Readings, limits: LimitsConfig, before: Doubt) -> Doubt:
    """The doubts of now; those that no reading is about stay."""
    doubts = before
    for doubt, excess in _excesses(readings, limits):
        most = 1.0 - MARGIN if doubt in before else 1.0
        is_left = not excess <= most  # so is what is no number
        doubts = doubts | doubt if is_left else doubts & ~doubt
    return doubts


def _excesses(readings: Readings, limits: LimitsConfig) -> Iterator[tuple[Doubt, float]]:
    """Each reading as a share of what is allowed."""
    laser, mount_k, brightness, pointing, g2 = readings
    if laser is not None:
        yield Doubt.LASER_POWER, abs(laser - 1.0) / limits.laser_share
    if mount_k is not None:
        middle_k = (limits.coldest_k + limits.warmest_k) / 2
        yield Doubt.TEMPERATURE, abs(mount_k - middle_k) / (limits.warmest_k - middle_k)
    if brightness is not None:
        yield Doubt.BRIGHTNESS, limits.brightness_share / max(brightness, NONE_AT_ALL)
    if pointing is not None:
        yield Doubt.POINTING, limits.pointing_share / max(pointing, NONE_AT_ALL)
    if g2 is not None:
        yield Doubt.PURITY, g2 / limits.g2_upper95
