"""Plans: where to look next, given what was seen so far. They yield asks and are sent tallies.

Whoever performs a plan moves, counts, and sends what was counted; a plan knows neither device nor
clock, so it runs in a test without either.
"""

import math
from collections.abc import Generator, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from mapping.peak import Peak, Response, Tally, peak
from optics.quantities import StageBox, StagePoint

T = TypeVar("T")
Asked = TypeVar("Asked")
Told = TypeVar("Told")


class Ask(NamedTuple):
    """Stand there, lit so, and count so long; None leaves the light as it is."""

    at: StagePoint
    dwell_s: float
    power_uw: float | None = None
    pump_rad: float | None = None


Plan = Generator[Ask, Tally, T]


class Ended(NamedTuple):
    """A plan's conclusion."""

    value: Any


def advanced(plan: Generator[Asked, Told, Any], told: Told | None) -> Asked | Ended:
    """Tell a plan what was seen, or nothing to begin it; what it asks next."""
    try:
        return next(plan) if told is None else plan.send(told)
    except StopIteration as end:
        return Ended(end.value)


DEPTHS = (-3, -2, -1, 0, 1, 2, 3)
DEPTH_STEP = 1.1  # widths of the response along z
STAR = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
STAR_REACH = 0.9  # of a width: near where a Gaussian's slope tells most
GROUND_REACH = 5.0
MISFIT_SD = 4.0
HEIGHT_SD = 5.0
RING_STEP, OUTSTANDING_SD = 1.2, 8.0
BLUNT = 1.6  # a peak so many times wider than usual is no point


class Centring(NamedTuple):
    """How well and how long to look for the peak."""

    response: Response = Response()
    reach_um: float = 0.25
    dwell_s: float = 0.02
    wanted_um: float = 0.006  # standard deviation to the side
    rounds: int = 6


class Centred(NamedTuple):
    """The peak, and why it is not to be believed; empty when it is."""

    peak: Peak
    doubt: str
    tallies: tuple[Tally, ...]


def serpentine(box: StageBox, field_um: tuple[float, float], overlap: float) -> list[StagePoint]:
    """Middles of tiles that cover the box, in rows to and fro; z is the middle of the box's."""
    z_um = (box.low.z_um + box.high.z_um) / 2
    columns = _middles(box.low.x_um, box.high.x_um, field_um[0], overlap)
    rows = _middles(box.low.y_um, box.high.y_um, field_um[1], overlap)
    return [
        StagePoint(x_um, y_um, z_um)
        for number, y_um in enumerate(rows)
        for x_um in (columns if number % 2 == 0 else reversed(columns))
    ]


def _middles(low_um: float, high_um: float, field_um: float, overlap: float) -> list[float]:
    """Evenly spaced; their fields just reach both ends."""
    way_um = high_um - low_um - field_um
    if way_um <= 0:
        return [(low_um + high_um) / 2]
    steps = math.ceil(way_um / (field_um * (1 - overlap)) - 1e-9)
    return [low_um + field_um / 2 + way_um * step / steps for step in range(steps + 1)]


def hunt(start: StagePoint, reach_um: float, how: Centring) -> Plan[StagePoint | None]:
    """Look around in growing rings until one place is far brighter than most; None if none is."""
    tallies: list[Tally] = []
    step_um = RING_STEP * how.response.side_um
    for ring in range(math.ceil(reach_um / step_um) + 1):
        tallies += yield from each(
            Ask(at, how.dwell_s) for at in _ring(start, ring * step_um, ring)
        )
        best = max(tallies, key=lambda tally: tally.clicks / tally.counted_s)
        aside_um = math.hypot(best.at.x_um - start.x_um, best.at.y_um - start.y_um)
        if ring >= 3 and _stands_out(best, tallies) and aside_um < (ring - 0.5) * step_um:
            return best.at
    return None


def _ring(start: StagePoint, radius_um: float, ring: int) -> list[StagePoint]:
    if ring == 0:
        return [start]
    number = 6 * ring
    angles = [2 * math.pi * n / number for n in range(number)]
    return [_moved(start, radius_um * math.cos(a), radius_um * math.sin(a), 0.0) for a in angles]


def _stands_out(best: Tally, tallies: Sequence[Tally]) -> bool:
    """Against the middle of all rates, most of which are ground."""
    rates = sorted(tally.clicks / tally.counted_s for tally in tallies)
    usual = rates[len(rates) // 2] * best.counted_s
    return best.clicks > usual + OUTSTANDING_SD * math.sqrt(usual + 1) and best.clicks > 1.5 * usual


def centre(start: StagePoint, how: Centring) -> Plan[Centred]:
    """Find the peak of the counts near `start`, first in depth, then by stars about the best."""
    tallies = yield from _ground(start, how)
    depth_um = DEPTH_STEP * how.response.depth_um
    places = [_moved(start, 0.0, 0.0, depth * depth_um) for depth in DEPTHS]
    tallies += yield from each(Ask(place, how.dwell_s) for place in places)
    found = peak(tallies, start, how.response, how.reach_um)
    for number in range(how.rounds):
        tallies += yield from _star(_kept(found.at, start, how), how, number)
        found = peak(tallies, start, how.response, how.reach_um)
        if number and max(found.sigma_um[:2]) <= how.wanted_um and not doubt(found, start, how):
            break
    return Centred(found, doubt(found, start, how), tuple(tallies))


def _ground(start: StagePoint, how: Centring) -> Plan[list[Tally]]:
    """Beside it on all sides; the brighter ones may show a neighbour and are left out."""
    aside_um = GROUND_REACH * how.response.side_um
    ways = ((aside_um, 0.0), (0.0, aside_um), (-aside_um, 0.0), (0.0, -aside_um))
    around = yield from each(Ask(_moved(start, dx, dy, 0.0), how.dwell_s) for dx, dy in ways)
    return sorted(around, key=lambda tally: tally.clicks)[: len(around) // 2]


def doubt(found: Peak, start: StagePoint, how: Centring) -> str:
    """The acceptance test: what speaks against a peak's being a point emitter near `start`."""
    off_um = math.hypot(found.at.x_um - start.x_um, found.at.y_um - start.y_um)
    if found.height_cps < HEIGHT_SD * found.height_sigma_cps:
        return "no peak that stands out of the noise"
    if off_um > 2 * how.reach_um:
        return f"the peak lies {off_um:.2f} um off"
    blunt = max(
        found.response.side_um / how.response.side_um,
        found.response.depth_um / how.response.depth_um,
    )
    if blunt > BLUNT:
        return f"{blunt:.1f} times wider than a point"
    if max(found.sigma_um[:2]) > how.response.side_um / 2:
        return "not centred to half a width"
    return ""


def _star(middle: StagePoint, how: Centring, number: int) -> Plan[list[Tally]]:
    """The middle and both sides along each axis, in another order each time."""
    side_um, depth_um = (STAR_REACH * width for width in how.response)
    points = [_moved(middle, x * side_um, y * side_um, z * depth_um) for x, y, z in STAR]
    turn = 2 * number % len(points)
    places = (middle, *points[turn:], *points[:turn])
    return (yield from each(Ask(place, how.dwell_s) for place in places))


def _kept(at: StagePoint, start: StagePoint, how: Centring) -> StagePoint:
    """No farther from the start than the plan may search."""
    reach = (2 * how.reach_um, 2 * how.reach_um, 6 * how.reach_um)
    sides = zip(at, start, reach, strict=True)
    return StagePoint(*(min(max(a, s - far), s + far) for a, s, far in sides))


def each(asks: Iterable[Ask]) -> Plan[list[Tally]]:
    """One after the other; what was counted at each."""
    tallies = []
    for ask in asks:
        tallies.append((yield ask))  # noqa: PERF401 - no comprehension can yield
    return tallies


def _moved(point: StagePoint, dx: float, dy: float, dz: float) -> StagePoint:
    return StagePoint(point.x_um + dx, point.y_um + dy, point.z_um + dz)
