"""Where an axis has been: one law of motion after the other, each from its own instant on.

The world asks for light that fell some time ago, when the axis obeyed an earlier command.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
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
        since, ramp_s = np.maximum(times_s - self.since_s, 0.0), self.ramp_s
        speed = math.copysign(self.velocity_um_per_s, self.target_um - self.start_um)
        on_way_um = speed * (since + self.lag_s * np.expm1(-since / self.lag_s))
        behind_um = -speed * self.lag_s * math.expm1(-ramp_s / self.lag_s)
        late_um = behind_um * np.exp(np.minimum(ramp_s - since, 0.0) / self.lag_s)
        place_um = np.where(since < ramp_s, self.start_um + on_way_um, self.target_um - late_um)
        return np.asarray(place_um)


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
        first = bisect_right(self._since_s, times_s[0]) - 1
        end = bisect_right(self._since_s, times_s[-1])
        if end - first == 1:
            law = self._laws[first]
            return law.over(times_s[:1] if law.rests_s <= times_s[0] else times_s)
        cuts = np.searchsorted(times_s, self._since_s[first + 1 : end]).tolist()
        spans = zip([0, *cuts], [*cuts, len(times_s)], self._laws[first:end], strict=True)
        return np.concatenate([law.over(times_s[a:b]) for a, b, law in spans if a < b])


def joined(trails: tuple[Trail, ...], times_s: Floats) -> Floats:
    """A row for each time, or one for all; a column for each axis."""
    places_um = [trail.over(times_s) for trail in trails]
    if all(len(place_um) == 1 for place_um in places_um):
        return np.array([[place_um[0] for place_um in places_um]])
    return np.column_stack([np.broadcast_to(place_um, times_s.shape) for place_um in places_um])
