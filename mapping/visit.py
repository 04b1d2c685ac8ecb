"""A visit: everything the focus can learn of one candidate, as one plan."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from mapping.catalogue import Kind, Seen
from mapping.peak import Peak, Tally
from mapping.placement import Placement
from mapping.response import Dipole, Saturation, dipole, saturation
from mapping.scan import Ask, Centred, Centring, Plan, centre, each
from optics.quantities import ChipPoint, StagePoint

ANGLES = 4
SWEEP_S = 0.05
GROUND_UM = 0.9
POWERS = (0.25, 0.5, 1.0, 2.0)  # of the power that the source works at
STEADY_GATES = 12
STEADY_S = 0.02
SATURATION_S = 0.05


class Visited(NamedTuple):
    """What was found, all under the stage; `doubt` is empty when it is to be believed."""

    peak: Peak
    doubt: str
    power_uw: float
    rate_cps: float
    rate_sigma_cps: float
    ground_cps: float
    flicker: float
    dipole: Dipole
    saturation: Saturation | None
    tallies: tuple[Tally, ...]

    @property
    def background(self) -> float:
        """Share of the clicks that would come without the emitter."""
        return self.ground_cps / max(self.rate_cps + self.ground_cps, self.ground_cps, 1.0)


def visit(start: StagePoint, how: Centring, power_uw: float, most_uw: float) -> Plan[Visited]:
    """Centre, turn the pump to its best, centre again, and see how light follows power."""
    first = yield from _found(start, how)
    if first.doubt:
        return _nothing(first, power_uw)
    ground = yield from _ground(first.peak.at)
    turned = yield from _dipole(first.peak.at, _rate(ground))
    close = how._replace(reach_um=min(how.reach_um, 0.1), rounds=3)
    yield Ask(first.peak.at, how.dwell_s, pump_rad=turned.best_rad)
    final = yield from centre(first.peak.at, close)
    if final.doubt:
        return _nothing(final, power_uw)
    steady = yield from each(Ask(final.peak.at, STEADY_S) for _ in range(STEADY_GATES))
    saturated = yield from _saturation(final.peak.at, power_uw, most_uw, _rate(ground) / power_uw)
    rate_cps = _rate(steady) - _rate(ground)
    counted_s = sum(tally.counted_s for tally in steady)
    return Visited(
        peak=final.peak,
        doubt="" if rate_cps > 0.3 * final.peak.height_cps else "the light went away",
        power_uw=power_uw,
        rate_cps=rate_cps,
        rate_sigma_cps=math.sqrt(_rate(steady) / counted_s),
        ground_cps=_rate(ground),
        flicker=_flicker(steady, rate_cps),
        dipole=turned,
        saturation=saturated,
        tallies=(*first.tallies, *final.tallies, *steady),
    )


def glance(peak: Peak, power_uw: float, pump_rad: float) -> Plan[Visited]:
    """Only what proves a known site that was just centred: rate, ground, the pump's worst angle."""
    yield Ask(peak.at, STEADY_S, power_uw=power_uw, pump_rad=pump_rad)
    ground = yield from _ground(peak.at)
    turned = yield from _dipole(peak.at, _rate(ground))
    yield Ask(peak.at, STEADY_S, pump_rad=pump_rad)
    steady = yield from each(Ask(peak.at, STEADY_S) for _ in range(STEADY_GATES))
    rate_cps = _rate(steady) - _rate(ground)
    counted_s = sum(tally.counted_s for tally in steady)
    return _nothing(Centred(peak, "", tuple(steady)), power_uw)._replace(
        rate_cps=rate_cps,
        rate_sigma_cps=math.sqrt(_rate(steady) / counted_s),
        ground_cps=_rate(ground),
        flicker=_flicker(steady, rate_cps),
        dipole=turned,
    )


def as_seen(visited: Visited, lying: Placement, kind: Kind = Kind.UNDECIDED) -> Seen:
    """The same on the chip."""
    place = lying.on_chip(visited.peak.at)
    side_um = math.hypot(*visited.peak.sigma_um[:2]) / math.sqrt(2)
    saturated = visited.saturation
    return Seen(
        place=place,
        sigma_um=ChipPoint(side_um, side_um, visited.peak.sigma_um.z_um),
        power_uw=visited.power_uw,
        rate_cps=visited.rate_cps,
        rate_sigma_cps=visited.rate_sigma_cps,
        background_cps=visited.ground_cps,
        kind=kind,
        saturated_cps=saturated.saturated_cps if saturated else None,
        saturation_uw=saturated.half_uw if saturated else None,
        pump_rad=(visited.dipole.best_rad - lying.turn_rad) % math.pi,
        visibility=visited.dipole.visibility,
        flicker=visited.flicker,
    )


def _found(start: StagePoint, how: Centring) -> Plan[Centred]:
    """Under either direction of the pump: one alone misses what lies across it."""
    yield Ask(start, how.dwell_s, pump_rad=0.0)
    first = yield from centre(start, how)
    if not first.doubt:
        return first
    yield Ask(start, how.dwell_s, pump_rad=math.pi / 2)
    second = yield from centre(start, how)
    return second if not second.doubt else first


def _ground(at: StagePoint) -> Plan[list[Tally]]:
    """Around the site; what another emitter lights is left out."""
    places = [
        at._replace(x_um=at.x_um + GROUND_UM * x, y_um=at.y_um + GROUND_UM * y)
        for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1))
    ]
    around = yield from each(Ask(place, SWEEP_S) for place in places)
    return sorted(around, key=lambda tally: tally.clicks)[: len(around) // 2]


def _dipole(at: StagePoint, ground_cps: float) -> Plan[Dipole]:
    angles = [math.pi * n / ANGLES for n in range(ANGLES)]
    tallies = yield from each(Ask(at, SWEEP_S, pump_rad=angle) for angle in angles)
    rates = [tally.clicks / tally.counted_s - ground_cps for tally in tallies]
    sigmas = [math.sqrt(tally.clicks + 1) / tally.counted_s for tally in tallies]
    return dipole(angles, rates, sigmas)


def _saturation(
    at: StagePoint, power_uw: float, most_uw: float, ground_cps_per_uw: float
) -> Plan[Saturation | None]:
    powers = [share * power_uw for share in POWERS if share * power_uw <= most_uw]
    tallies = yield from each(Ask(at, SATURATION_S, power_uw=power) for power in powers)
    yield Ask(at, SATURATION_S, power_uw=power_uw)
    clicks = [round(t.clicks * SATURATION_S / t.counted_s) for t in tallies]
    return saturation(powers, clicks, SATURATION_S, ground_cps_per_uw)


def _nothing(found: Centred, power_uw: float) -> Visited:
    """As far as the centring went."""
    peak = found.peak
    return Visited(
        peak=peak,
        doubt=found.doubt,
        power_uw=power_uw,
        rate_cps=peak.height_cps,
        rate_sigma_cps=peak.height_sigma_cps,
        ground_cps=peak.ground_cps,
        flicker=0.0,
        dipole=Dipole(0.0, math.pi / 2, 0.0, peak.height_cps),
        saturation=None,
        tallies=found.tallies,
    )


def _rate(tallies: Sequence[Tally]) -> float:
    return sum(tally.clicks for tally in tallies) / sum(tally.counted_s for tally in tallies)


def _flicker(tallies: Sequence[Tally], rate_cps: float) -> float:
    """Of the rate beyond what counting alone would scatter, as a share of the site's own."""
    mean = sum(tally.clicks for tally in tallies) / len(tallies)
    variance = sum((tally.clicks - mean) ** 2 for tally in tallies) / (len(tallies) - 1)
    over = math.sqrt(max(variance - mean, 0.0)) * len(tallies)
    counted_s = sum(tally.counted_s for tally in tallies)
    return over / max(rate_cps * counted_s, 1.0)
