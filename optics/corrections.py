"""From g2(0) as measured to that of the emitter: each thing taken out is named, with its size."""

import math
from typing import NamedTuple

from optics.same_channel import Detector
from optics.shape_average import Estimate


class Correction(NamedTuple):
    """By how much g2(0) changed; `applied` False if it is told and was not asked for."""

    name: str
    size: float
    applied: bool
    detail: dict[str, float | list[float]]


class Lights(NamedTuple):
    """What is known of the clicks that are no photons of the emitter."""

    dark_cps: tuple[float, float]
    background: float


class NothingLeft(Exception):
    """Dark clicks and background are all there is."""


def without_dead_time(
    measured: Estimate, beside: float, detectors: list[Detector]
) -> tuple[Estimate, Correction]:
    """g2(0) as detectors without rest would see it.

    In bunched light a click of one channel says that the other is more often at rest than it is on
    the average; `beside` is g2 at such distances. In other light the channels rest independently.
    """
    resting = sum(detector.rate_cps * detector.dead_ps * 1e-12 for detector in detectors)
    corrected = measured.scaled(1 + resting * (beside - 1))
    times = {"dead_ps": [detector.dead_ps for detector in detectors]}
    rates = [1 / (1 - d.rate_cps * d.dead_ps * 1e-12) for d in detectors]
    size = corrected.value - measured.value
    return corrected, Correction("dead time", size, True, {**times, "rate_factors": rates})


def without_afterpulses(
    measured: Estimate, beside: float, detectors: list[Detector]
) -> tuple[Estimate, Correction]:
    """g2(0) of the clicks that light made; `beside` is g2 at the distance of an afterpulse.

    An afterpulse makes a pair with what the other channel saw of the light a little earlier.
    """
    first, second = (detector.afterpulsing for detector in detectors)
    added = (1 + first.value) * (1 + second.value)
    value = added * measured.value - (added - 1) * beside
    spread = (measured.value - beside) ** 2 * (first.variance + second.variance)
    corrected = measured.scaled(added, value - added * measured.value).wider(spread)
    shares = {"shares": [first.value, second.value], "errors": [first.error, second.error]}
    return corrected, Correction("afterpulsing", value - measured.value, True, {**shares})


def without_background(
    measured: Estimate, lights: Lights, rates_cps: list[float], detectors: list[Detector] | None
) -> tuple[Estimate, list[Correction]]:
    """g2(0) of the light alone: (measured - (1 - rho)) / rho, rho the share of pairs with both."""
    shares = _emitter_shares(lights, rates_cps, detectors)
    if min(shares) <= 0:
        raise NothingLeft
    bright = 1 - lights.background
    rho, rho_background = math.prod(shares), bright * bright
    lit = (measured.value - (1 - rho_background)) / rho_background
    corrected = measured.scaled(1 / rho, -(1 - rho) / rho)
    return corrected, [
        Correction("background", lit - measured.value, True, {"share": lights.background}),
        Correction("dark", corrected.value - lit, True, {"cps": list(lights.dark_cps)}),
    ]


def _emitter_shares(
    lights: Lights, rates_cps: list[float], detectors: list[Detector] | None
) -> list[float]:
    """Of each channel's clicks, afterpulses aside, since they follow each kind alike."""
    added = [d.afterpulsing.value for d in detectors] if detectors else [0.0, 0.0]
    rates = [rate / (1 + more) for rate, more in zip(rates_cps, added, strict=True)]
    dark = [cps / rate for cps, rate in zip(lights.dark_cps, rates, strict=True)]
    return [1 - lights.background - share for share in dark]
