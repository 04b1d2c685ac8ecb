"""Where an axis has been: one law of motion after the other, each from its own instant on.

The world asks for light that fell some time ago, when the axis obeyed an earlier command.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from hil.keyed import Floats

REMEMBERED = 4096
"""Laws kept at least; older ones are forgotten, as many at a time."""
RESTED_LAGS = 20.0
CREEP_FROM_S = 0.1


class Law(Protocol):
    """Where an axis is at any instant from that of its command on."""

    @property
    def rests_s(self) -> float:
        """From when on it stands still."""

    def over(self, times_s: Floats) -> Floats:
        """Its place at each time."""


@dataclass(frozen=True)
class Leg:
    """One closed-loop move: a ramp behind a first-order lag."""

    since_s: float
    start_um: float
    target_um: float
    velocity_um_per_s: float
    lag_s: float

    @property
    def ramp_s(self) -> float:
        return abs(self.target_um - self.start_um) / self.velocity_um_per_s

    @property
    def rests_s(self) -> float:
        if self.start_um == self.target_um:
            return self.since_s
        return self.since_s + self.ramp_s + RESTED_LAGS * self.lag_s

    def at(self, now_s: float) -> float:
        """As `over`, for one time, and quicker."""
        way_um, lag_s = self.target_um - self.start_um, self.lag_s
        if not way_um:
            return self.target_um
        ramp_s, since = self.ramp_s, max(now_s - self.since_s, 0.0)
        speed = math.copysign(self.velocity_um_per_s, way_um)
        if since < ramp_s:
            return self.start_um + speed * (since + lag_s * math.expm1(-since / lag_s))
        behind_um = -speed * lag_s * math.expm1(-ramp_s / lag_s)
        return self.target_um - behind_um * math.exp(-(since - ramp_s) / lag_s)

    def over(self, times_s: Floats) -> Floats:
        if times_s[0] >= self.rests_s:
            return np.full(len(times_s), self.target_um)
        return np.asarray(legs_over((self,), times_s)[0])


def legs_over(legs: Sequence[Leg], times_s: Floats) -> Floats:
    """A row for each leg: its axis' place at each time."""
    numbers = [(g.since_s, g.start_um, g.target_um, g.velocity_um_per_s, g.lag_s) for g in legs]
    since_s, start_um, target_um, velocity, lag_s = np.array(numbers).T[:, :, None]
    since = np.maximum(times_s - since_s, 0.0)
    way_um = target_um - start_um
    ramp_s, speed = np.abs(way_um) / velocity, np.copysign(velocity, way_um)
    on_way_um = speed * (since + lag_s * np.expm1(-since / lag_s))
    behind_um = -speed * lag_s * np.expm1(-ramp_s / lag_s)
    late_um = behind_um * np.exp(np.minimum(ramp_s - since, 0.0) / lag_s)
    return np.asarray(np.where(since < ramp_s, start_um + on_way_um, target_um - late_um))


@dataclass(frozen=True)
class Creep:
    """Open loop: where the voltage has brought it, and what still follows of its steps."""

    static_um: float
    per_decade: float
    steps: tuple[tuple[float, float], ...]  # when, and by how much
    ends_um: tuple[float, float]

    @property
    def rests_s(self) -> float:
        return math.inf if self.steps and self.per_decade else -math.inf

    def over(self, times_s: Floats) -> Floats:
        place_um = np.full(len(times_s), self.static_um)
        for then_s, step_um in self.steps:
            age = np.maximum((times_s - then_s) / CREEP_FROM_S, 1.0)
            place_um += self.per_decade * step_um * np.log10(age)
        return np.asarray(np.clip(place_um, *self.ends_um))


class Trail:
    """The laws of one axis and since when each holds."""

    def __init__(self, first: Law) -> None:
        self._since_s, self._laws = [-math.inf], [first]
        self.turned: Callable[[float], None] = lambda _now_s: None

    def turn(self, now_s: float, law: Law) -> None:
        """Another law from now on; the last one given for an instant counts."""
        self.turned(now_s)
        while self._since_s[-1] >= now_s:
            self._since_s.pop()
            self._laws.pop()
        self._since_s.append(now_s)
        self._laws.append(law)
        if len(self._laws) > 2 * REMEMBERED:
            del self._since_s[:REMEMBERED], self._laws[:REMEMBERED]
            self._since_s[0] = -math.inf

    def over(self, times_s: Floats) -> Floats:
        """Its place at rising times; one figure stands for all while it does not move."""
        since_s, laws = self.laws(times_s)
        if len(laws) == 1:
            return laws[0].over(times_s[:1] if laws[0].rests_s <= times_s[0] else times_s)
        pieces = zip(_cut(times_s, since_s), laws, strict=True)
        return np.concatenate([law.over(times) for times, law in pieces if len(times)])

    def laws(self, times_s: Floats) -> tuple[list[float], list[Law]]:
        """All that hold from the first time to the last, and since when the later ones do."""
        first = bisect_right(self._since_s, times_s[0]) - 1
        end = bisect_right(self._since_s, times_s[-1])
        return self._since_s[first + 1 : end], self._laws[first:end]


def joined(trails: tuple[Trail, ...], times_s: Floats) -> Floats:
    """A row for each time, or one for all; a column for each axis."""
    since_s, laws = zip(*(trail.laws(times_s) for trail in trails), strict=True)
    legs = list(zip(*laws, strict=False))
    if any(since != since_s[0] for since in since_s) or not all(map(_are_legs, legs)):
        places_um = [trail.over(times_s) for trail in trails]
        if all(len(place_um) == 1 for place_um in places_um):
            return np.array(places_um).T
        return np.column_stack([np.broadcast_to(um, times_s.shape) for um in places_um])
    if len(legs) == 1 and all(leg.rests_s <= times_s[0] for leg in legs[0]):
        return np.array([[leg.target_um for leg in legs[0]]])
    pieces = zip(_cut(times_s, since_s[0]), legs, strict=True)
    return np.concatenate([legs_over(three, times) for times, three in pieces], axis=1).T


def _are_legs(laws: tuple[Law, ...]) -> bool:
    return all(isinstance(law, Leg) for law in laws)


def _cut(times_s: Floats, at_s: Sequence[float]) -> list[Floats]:
    """At rising instants; one more piece than those."""
    if not at_s:
        return [times_s]
    cuts = np.searchsorted(times_s, at_s).tolist()
    return [times_s[a:b] for a, b in pairwise([0, *cuts, len(times_s)])]
