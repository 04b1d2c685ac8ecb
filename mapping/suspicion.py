"""How likely each observation is under each cause of a loss of light.

Each cause is a few states of the rack: how much of the pump arrives, how much of the emitter's
light is left, which detectors live, what a lamp adds. Counts follow from a state and from how it
was before; they are gamma-Poisson, for no rate is foreseen better than by some percent.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mapping.alibis import around, framed, normal, stood
from mapping.causes import PRIOR, Around, Cause, Counted, Framed, Sighting, Stood, Usual


class State(NamedTuple):
    """How the rack may stand under a cause, and how often it does."""

    weight: float
    pump: float = 1.0
    emitter: float = 1.0
    ground: float = 1.0
    alive: tuple[float, float] = (1.0, 1.0)
    lamp_cps: float = 0.0


def _mixed(*parts: tuple[float, Iterable[State]]) -> tuple[State, ...]:
    return tuple(
        state._replace(weight=weight * state.weight) for weight, states in parts for state in states
    )


def _evenly(states: Iterable[State]) -> tuple[State, ...]:
    states = tuple(states)
    return tuple(state._replace(weight=1 / len(states)) for state in states)


WELL, UNLIT = (State(1.0),), (State(1.0, pump=0.0),)
OFF = _evenly(State(1.0, emitter=0.03 * n) for n in range(4))  # the ground is known no better
DIMMER = _evenly(State(1.0, emitter=0.03 * n) for n in range(4, 31))
BESIDE = _evenly(State(1.0, emitter=0.0, ground=0.3 + 0.1 * n) for n in range(18))
SAGGED = _evenly(State(1.0, pump=0.03 * n) for n in range(1, 32))
LAMPS = _evenly(State(1.0, lamp_cps=10 ** (3 + n / 8)) for n in range(41))
DEAD = _evenly((State(1.0, alive=(0.0, 1.0)), State(1.0, alive=(1.0, 0.0))))

STATES: Mapping[Cause, tuple[State, ...]] = {
    Cause.PASSED: WELL,
    Cause.BLINK: OFF,
    Cause.DARK: OFF,
    Cause.JUMP: _mixed((0.1, OFF), (0.9, DIMMER)),
    Cause.SAG: SAGGED,
    Cause.LASER_OFF: UNLIT,
    Cause.INTERLOCK: UNLIT,
    Cause.NO_LIGHT: UNLIT,
    Cause.PATH: SAGGED,
    Cause.DETECTOR: DEAD,
    Cause.BLIND: (State(1.0, alive=(0.0, 0.0)),),
    Cause.STRAY: LAMPS,
    Cause.STAGE: _mixed((0.7, BESIDE), (0.3, DIMMER)),
    Cause.VIBRATION: DIMMER,
    Cause.LOST: _mixed((0.6, BESIDE), (0.4, DIMMER)),
    Cause.RUNAWAY: BESIDE,
}

LIT_AGAIN = _mixed((0.8, WELL), (0.2, DIMMER))  # when it came back within the count

SIGNAL_DOUBT, GROUND_DOUBT, LAMP_DOUBT = 0.06, 0.3, 0.2  # shares by which a rate may err
DARK_CPS = (20.0, 60.0, 150.0, 400.0, 1000.0)  # of one detector, each as likely
DECADES = 18.0  # of e, over which a rate may lie that nobody foresaw
OUTLIER = 1e-3
BLINK_S = 0.8
"""Most blinks are over by then; what is dark for six times as long stays dark."""
SAME_DOUBT, CHANGED = 0.05, 0.1  # what a rate strays from look to look, and how often it is another
STEADY_SD, SHAKY_SD = 1.3, 4.0  # times what the scatter of so many gates scatters
SHAKEN = 0.3  # of the scatter in one frequency: a vibration


class Suspicion:
    """Belief in each cause, and what moves it."""

    def __init__(self, usual: Usual) -> None:
        self._usual, self._dark_until_s = usual, 0.0
        self._weights = dict(PRIOR)
        self._before: Counted | None = None  # the last count under light

    def weigh(self, seen: Sighting, *, happened: bool = False) -> None:
        """Take in what was seen; `happened` for what was counted while the light was away."""
        tells = isinstance(seen, Framed | Around) or (isinstance(seen, Counted) and seen.lit)
        gone = self._still_dark(seen.age_s) if tells else 1.0
        for cause in Cause:
            if isinstance(seen, Counted):
                p = self._counted(cause, seen, gone, happened=happened)
            elif isinstance(seen, Stood):
                p = math.log(stood(cause, seen))
            elif isinstance(seen, Framed):
                p = math.log(framed(cause, seen, gone))
            else:
                p = math.log(around(cause, seen, gone))
            self._weights[cause] += p
        if isinstance(seen, Counted) and seen.lit:
            self._before = seen

    @property
    def shares(self) -> dict[Cause, float]:
        """Of belief."""
        most = max(self._weights.values())
        weights = {cause: math.exp(weight - most) for cause, weight in self._weights.items()}
        total = sum(weights.values())
        return {cause: weight / total for cause, weight in weights.items()}

    def _still_dark(self, age_s: float) -> float:
        """The chance that a blink which lasted until the last look still lasts."""
        longer_s = max(age_s - self._dark_until_s, 0.0)
        self._dark_until_s = max(age_s, self._dark_until_s)
        return math.exp(-longer_s / BLINK_S)

    def _counted(self, cause: Cause, seen: Counted, gone: float, *, happened: bool) -> float:
        """The logarithm of a density, both detectors' counts and how they scatter together."""
        if cause is Cause.UNKNOWN or (happened and cause is Cause.PASSED):
            return sum(-math.log(DECADES * (n + 1)) for n in seen.clicks) + _log_shaken(seen)
        changed = self._of_states(LIT_AGAIN if cause is Cause.BLINK else STATES[cause], seen)
        if happened:
            level = self._of_states(STATES[cause], seen)
        elif self._before is None or not seen.lit or cause is Cause.PASSED:
            level = changed
        else:
            other = 1 - gone if cause is Cause.BLINK else CHANGED
            same = math.log(max(1 - other, 1e-9)) + _log_same(self._before, seen)
            level = _log_sum((same, math.log(max(other, 1e-9)) + changed))
        return level + _log_scatter(cause, seen, self._usual)

    def _of_states(self, states: Iterable[State], seen: Counted) -> float:
        return _log_sum(
            math.log(state.weight) + _log_clicks(state, seen, self._usual) for state in states
        )


def _log_sum(terms: Iterable[float]) -> float:
    terms = list(terms)
    most = max(terms)
    return most + math.log(sum(math.exp(term - most) for term in terms))


def _log_same(before: Counted, seen: Counted) -> float:
    """As in the count before: what was not foreseen is not held against a cause again."""
    total = 0.0
    for earlier, clicks in zip(before.clicks, seen.clicks, strict=True):
        expected = (earlier + 0.5) * seen.counted_s / before.counted_s
        share = math.hypot(SAME_DOUBT, 1 / math.sqrt(earlier + 0.5))
        total += _log_negative_binomial(clicks, expected, share)
    return total


def _log_clicks(state: State, seen: Counted, usual: Usual) -> float:
    """Over all that is likely of a detector's dark clicks."""
    total = 0.0
    for which, clicks in enumerate(seen.clicks):
        lamp = state.lamp_cps / 2
        signal, ground = _light(state, usual, which) if seen.lit else (0.0, 0.0)
        terms = []
        for dark in DARK_CPS:
            parts = ((signal, SIGNAL_DOUBT), (ground, GROUND_DOUBT), (lamp, LAMP_DOUBT))
            mean = (signal + ground + lamp + dark) * state.alive[which]
            spread = math.hypot(*(rate * doubt for rate, doubt in parts), 0.1 * dark)
            share = spread * state.alive[which] / mean if mean else 0.0
            terms.append(_log_negative_binomial(clicks, mean * seen.counted_s, share))
        total += _log_sum(terms) - math.log(len(DARK_CPS))
    return total


def _light(state: State, usual: Usual, which: int) -> tuple[float, float]:
    """Clicks per second of emitter and ground; the emitter follows the pump by its saturation."""
    pump = state.pump
    pumped = pump / (1 + usual.saturation * (pump - 1)) if pump else 0.0
    return usual.signal_cps[which] * pumped * state.emitter, usual.ground_cps[
        which
    ] * pump * state.ground


def _log_negative_binomial(clicks: int, mean: float, share: float) -> float:
    """Poisson counts of a rate that may err by that share."""
    if mean <= 0.0:
        return 0.0 if clicks == 0 else -60.0
    r = 1 / max(share, 1e-3) ** 2
    ways = math.lgamma(clicks + r) - math.lgamma(r) - math.lgamma(clicks + 1)
    return ways + r * math.log(r / (r + mean)) + clicks * math.log(mean / (r + mean))


def _log_scatter(cause: Cause, seen: Counted, usual: Usual) -> float:
    """Most causes leave the light as steady as it was."""
    if not seen.gates:
        return 0.0
    sd = STEADY_SD * math.sqrt(2 / seen.gates)
    steady = normal(seen.scatter / sd) / sd
    own = 0.5 if usual.flicker > SIGNAL_DOUBT / 2 else OUTLIER
    is_line = seen.beat > SHAKEN and seen.scatter > SHAKY_SD * sd
    if cause is Cause.VIBRATION:
        shaken = _broad(seen.scatter) * (1.3 if is_line else 0.03)
        return math.log(0.005 * steady + 0.995 * shaken)
    if cause is Cause.BLINK:
        own = 0.5
    return math.log((1 - own) * steady + own * _broad(seen.scatter) * (0.05 if is_line else 3.0))


def _log_shaken(seen: Counted) -> float:
    return math.log(_broad(seen.scatter)) if seen.gates else 0.0


def _broad(scatter: float) -> float:
    """A density over some powers of ten."""
    return 0.1 / (abs(scatter) + 0.1)
