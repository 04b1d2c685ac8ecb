"""Mean photon number per trigger at the output, from what the tapped detectors count."""

import math
from typing import NamedTuple

from optics.poisson_bounds import lower_limit, upper_limit

SIGMAS = 2.0  # bounds hold two standard deviations of every calibration, added in squares
RISK = 0.025  # of the counts, on each side; as much as two standard deviations


class Calibrated(NamedTuple):
    """A factor that somebody has measured, and its standard uncertainty."""

    value: float
    sigma: float = 0.0

    @property
    def relative(self) -> float:
        return self.sigma / self.value


class LightPath(NamedTuple):
    """From the splitter to the detectors and to the output."""

    triggers_hz: float
    efficiency: tuple[Calibrated, Calibrated]  # of each detector, all that lies before it included
    tap: Calibrated  # share of the light that the splitter sends to the detectors
    onward: Calibrated  # share of the rest that leaves at the output
    halves: float = 0.5  # of the tapped light, what the first detector gets
    dead_s: float = 0.0
    dark_cps: tuple[float, float] = (0.0, 0.0)
    afterpulsing: float = 0.0  # clicks that each click brings about on the average


class MeanPhotons(NamedTuple):
    """Per trigger; the ends are those that security may use."""

    low: float
    value: float
    high: float


class Impossible(Exception):
    """No light can have been counted like this; says what is wrong."""


def mean_photons(clicks: tuple[int, int], counted_s: float, path: LightPath) -> MeanPhotons:
    """What leaves at the output with each trigger, background light included."""
    shares = path.halves, 1 - path.halves
    weights = [
        share * efficiency.value for share, efficiency in zip(shares, path.efficiency, strict=True)
    ]
    gain = path.tap.value * sum(weights) * path.triggers_hz
    if gain <= 0 or counted_s <= 0 or not 0 < path.tap.value < 1:
        raise Impossible("nothing of the light reaches the detectors; check the calibration")
    passed = (1 - path.tap.value) * path.onward.value / gain
    low, value, high = (
        passed * sum(_light_cps(clicks[arm], counted_s, path, arm, side) for arm in (0, 1))
        for side in (-1, 0, 1)
    )
    spread = SIGMAS * _calibration(path, weights)
    below, above = math.hypot(value - low, spread * value), math.hypot(high - value, spread * value)
    return MeanPhotons(max(0.0, value - below), value, value + above)


def _light_cps(clicks: int, counted_s: float, path: LightPath, arm: int, side: int) -> float:
    """Photons per second that one detector would count if it never rested; an end of the interval.

    Each detector's end by itself, and both added, is a little more than the end of the sum.
    """
    likely = clicks if side == 0 else (lower_limit if side < 0 else upper_limit)(clicks, RISK)
    rate_cps = likely / counted_s
    awake = 1 - rate_cps * path.dead_s
    if awake <= 0:
        raise Impossible(f"detector {arm} counts more than its dead time allows")
    return max(0.0, (rate_cps / awake) / (1 + path.afterpulsing) - path.dark_cps[arm])


def _calibration(path: LightPath, weights: list[float]) -> float:
    """Relative standard uncertainty of all factors together."""
    detectors = [
        weight / sum(weights) * efficiency.relative
        for weight, efficiency in zip(weights, path.efficiency, strict=True)
    ]
    tap = path.tap.relative / (1 - path.tap.value)  # of (1 - tap) / tap
    return math.hypot(*detectors, tap, path.onward.relative)
