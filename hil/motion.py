"""Piezo axes as functions of time: a start, a target and a law; no tick.

Closed loop: a ramp at the set velocity behind a first-order lag (`trail.py`), with sensor noise.
Open loop: hysteresis and logarithmic creep with the figures of PI Ceramic's tutorial and
data sheets: loop opening 2 % of a small stroke growing to 15 % of the full one;
L(t) = L(0.1 s) * (1 + gamma * log10(t / 0.1 s)), gamma 0.01 to 0.02.
"""

import math
from dataclasses import dataclass
from operator import mul

from hil.chance import keyed_normal
from hil.trail import CREEP_FROM_S, Creep, Law, Leg, Trail


@dataclass(frozen=True)
class AxisNature:
    """What an axis is like; the defaults are a 200 um class scanner with capacitive sensor."""

    low_um: float = 0.0
    high_um: float = 200.0
    lag_s: float = 0.004
    noise_um: float = 0.001
    noise_bandwidth_hz: float = 10_000.0
    creep_per_decade: float = 0.015
    small_loop: float = 0.02
    full_loop: float = 0.15


class Axis:
    """One axis; may be asked about the present and, until the next command, any later time.

    It begins at rest, which is where it stands as long as there never was a voltage.
    """

    def __init__(self, nature: AxisNature, seed: int, rest_um: float = 0.0) -> None:
        self.nature, self._seed, self._rest_um = nature, seed, rest_um
        self._leg = self._stand(rest_um)
        self._open: OpenLoop | None = None
        self._jammed_um: float | None = None
        self.trail = Trail(self._leg)

    @property
    def target_um(self) -> float:
        return self._leg.target_um

    @property
    def level_um(self) -> float:
        """The voltage in open loop, as the place where an ideal actuator would then be."""
        return self._rest_um if self._open is None else self._open.level_um

    @property
    def is_jammed(self) -> bool:
        return self._jammed_um is not None

    def move(self, now_s: float, target_um: float, velocity_um_per_s: float) -> None:
        """Closed loop: go there."""
        start_um, self._open = self.true_um(now_s), None
        self._leg = Leg(now_s, start_um, target_um, velocity_um_per_s, self.nature.lag_s)
        self._turn(now_s, self._leg)

    def stop(self, now_s: float) -> None:
        """Stand still where it is."""
        self._leg, self._open = self._stand(self.true_um(now_s)), None
        self._turn(now_s, self._leg)

    def let_go(self, now_s: float) -> None:
        """Open the loop: the voltage stays what it is, and is what the way from rest took."""
        self.stop(now_s)
        self._open = OpenLoop(self.nature, self._rest_um)
        self._open.bring_to(self._leg.target_um)
        self._turn(now_s, self._open.law())

    def drive(self, now_s: float, level_um: float) -> None:
        """Open loop: set the voltage that an ideal actuator would need for that place."""
        if self._open is None:
            self.let_go(now_s)
        if self._open is not None:
            self._open.drive(now_s, level_um)
            self._turn(now_s, self._open.law())

    def jam(self, now_s: float) -> None:
        """Whatever it is told, it stays where it is."""
        at_um = self.true_um(now_s)
        self._turn(now_s, self._stand(at_um))
        self._jammed_um = at_um

    def free(self, now_s: float) -> None:
        """No longer jammed; it stands there and waits to be told again."""
        self._leg = self._stand(self.true_um(now_s))
        self._open = self._jammed_um = None
        self._turn(now_s, self._leg)

    def true_um(self, now_s: float) -> float:
        """Where it is."""
        if self._jammed_um is not None:
            return self._jammed_um
        if self._open is not None:
            wanted_um = self._open.at(now_s)
            return min(max(wanted_um, self.nature.low_um), self.nature.high_um)
        return self._leg.at(now_s)

    def sensed_um(self, now_s: float) -> float:
        """Where its sensor sees it; the same instant asked twice gives the same reading."""
        instant = int(now_s * self.nature.noise_bandwidth_hz)
        return self.true_um(now_s) + self.nature.noise_um * keyed_normal(self._seed, instant)

    def settled(self, now_s: float, within_um: float) -> bool:
        return self._open is None and abs(self.true_um(now_s) - self.target_um) <= within_um

    def _stand(self, at_um: float) -> Leg:
        return Leg(-math.inf, at_um, at_um, 1.0, self.nature.lag_s)

    def _turn(self, now_s: float, law: Law) -> None:
        if self._jammed_um is None:
            self.trail.turn(now_s, law)


class OpenLoop:
    """Prandtl-Ishlinskii hysteresis with creep after every step.

    Play operators of radius r, weighted c/r + w, open a loop of c*ln2*A + w*A*A/8 for a
    stroke A: the first term is the small-signal share, the second makes it grow.
    """

    REMEMBERED_STEPS = 64
    OPERATORS = 24
    BISECTIONS = 50

    def __init__(self, nature: AxisNature, rest_um: float) -> None:
        self._span_um = nature.high_um - nature.low_um
        self._ends_um = nature.low_um, nature.high_um
        self._radii_um = [self._span_um / 2 * 2.0 ** (-k / 2) for k in range(self.OPERATORS)]
        self._gain, self._weights = _gain_and_weights(self._radii_um, self._span_um, nature)
        self._plays_um = [rest_um] * len(self._radii_um)
        self.level_um, self._gamma = rest_um, nature.creep_per_decade
        self._shift_um = 0.0
        self._shift_um = rest_um - self._static_um(rest_um, self._plays_um)
        self._steps: list[tuple[float, float]] = []

    def bring_to(self, place_um: float) -> None:
        """From rest, by whatever level it takes, and so long ago that creep has ended."""
        level_um, reach_um = self.level_um, math.copysign(self._span_um, place_um - self.level_um)
        for _ in range(self.BISECTIONS):
            reach_um /= 2
            plays_um = self._led(level_um + reach_um)
            if (self._static_um(level_um + reach_um, plays_um) - place_um) * reach_um <= 0.0:
                level_um += reach_um
        self.level_um, self._plays_um = level_um, self._led(level_um)

    def drive(self, now_s: float, level_um: float) -> None:
        before_um = self._static_um(self.level_um, self._plays_um)
        self.level_um, self._plays_um = level_um, self._led(level_um)
        if step_um := self._static_um(level_um, self._plays_um) - before_um:
            self._steps.append((now_s, step_um))
        if len(self._steps) > self.REMEMBERED_STEPS:
            self._unite_two_steps(now_s)

    def at(self, now_s: float) -> float:
        creep_um = sum(
            step_um * math.log10(max((now_s - then_s) / CREEP_FROM_S, 1.0))
            for then_s, step_um in self._steps
        )
        return self._static_um(self.level_um, self._plays_um) + self._gamma * creep_um

    def law(self) -> Creep:
        """What holds until the next command."""
        static_um = self._static_um(self.level_um, self._plays_um)
        return Creep(static_um, self._gamma, tuple(self._steps), self._ends_um)

    def _unite_two_steps(self, now_s: float) -> None:
        """Those of most nearly equal age, in whose creep it is least seen; no jump by now."""
        ages_s = [max(now_s - then_s, CREEP_FROM_S) for then_s, _ in self._steps]
        first = min(range(len(ages_s) - 1), key=lambda k: ages_s[k] / ages_s[k + 1])
        before_um = self.at(now_s)
        (then_s, one_um), (_, other_um) = self._steps[first : first + 2]
        self._steps[first : first + 2] = [(then_s, one_um + other_um)]
        self._shift_um += before_um - self.at(now_s)

    def _led(self, level_um: float) -> list[float]:
        """The plays after a change of level."""
        return [
            min(max(play, level_um - radius), level_um + radius)
            for play, radius in zip(self._plays_um, self._radii_um, strict=True)
        ]

    def _static_um(self, level_um: float, plays_um: list[float]) -> float:
        lagging_um: float = sum(map(mul, self._weights, plays_um))
        return self._gain * level_um + lagging_um + self._shift_um


def _gain_and_weights(
    radii_um: list[float], span_um: float, nature: AxisNature
) -> tuple[float, list[float]]:
    """Shares of the plain and of the lagging response, such that a full stroke is the span.

    Both densities are integrated over the radii's spacing of half an octave. The 2 % are
    meant of a small stroke, to which only the plain gain contributes.
    """
    spacing = math.log(2.0) / 2
    growing = 8.0 * (nature.full_loop - nature.small_loop) / span_um
    growing_weights = [growing * radius * spacing for radius in radii_um]
    small_per_gain = nature.small_loop / math.log(2.0) * spacing
    moved = [1.0 - 2.0 * radius / span_um for radius in radii_um]  # share of a full stroke
    gain = (1.0 - sum(map(mul, growing_weights, moved))) / (1.0 + small_per_gain * sum(moved))
    return gain, [weight + small_per_gain * gain for weight in growing_weights]
