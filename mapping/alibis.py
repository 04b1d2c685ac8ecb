"""How likely it is that devices, camera and a small search say what they say, under each cause."""

import math
from collections.abc import Callable, Mapping

from mapping.causes import Around, Cause, Framed, Stood, Weights

Density = Callable[[float], float]

OUTLIER = 1e-3


def normal(off_sd: float) -> float:
    """The density of a standard Gaussian."""
    return math.exp(-off_sd * off_sd / 2) / math.sqrt(2 * math.pi)


def _about(middle: float, sd: float, over: float = OUTLIER) -> Density:
    return lambda x: (1 - over) * normal((x - middle) / sd) / sd + over


def _aside(sd: float, over: float = OUTLIER) -> Density:
    """Of a distance that is none but for errors along two axes."""
    return lambda r: (1 - over) * max(r, sd / 10) / sd**2 * math.exp(-((r / sd) ** 2) / 2) + over


def _between(low: float, high: float) -> Density:
    """Any power of ten alike."""
    length = math.log(high / low)
    return lambda x: 1 / (x * length) if low <= x <= high else OUTLIER


def _flat(low: float, high: float) -> Density:
    return lambda x: 1 / (high - low) if low <= x <= high else OUTLIER


def _both(share: float, one: Density, other: Density) -> Density:
    return lambda x: share * one(x) + (1 - share) * other(x)


def _of(p: float, happened: bool) -> float:
    return p if happened else 1 - p


EMITS: Weights = {Cause.LASER_OFF: 0.002, Cause.INTERLOCK: 0.01, Cause.UNKNOWN: 0.5}
CLOSED: Weights = {Cause.INTERLOCK: 0.001, Cause.UNKNOWN: 0.5}
STANDS = _both(0.999, lambda x: 2 * normal(x / 0.02) / 0.02, _flat(0.0, 1.0))
STOOD_UM: Mapping[Cause, Density] = {
    Cause.STAGE: _both(0.98, _between(0.06, 300.0), STANDS),
    Cause.UNKNOWN: _flat(0.0, 2.0),
}
WALKED: Mapping[Cause, Density] = {
    Cause.RUNAWAY: _between(1.0, 1000.0),
    Cause.UNKNOWN: _flat(0.0, 2.0),
}
POWER: Mapping[Cause, Density] = {Cause.SAG: _flat(0.0, 0.97), Cause.UNKNOWN: _flat(0.0, 2.0)}


def stood(cause: Cause, seen: Stood) -> float:
    """Of what the devices say."""
    p = _of(EMITS.get(cause, 0.999), seen.emits) * _of(CLOSED.get(cause, 0.999), seen.closed)
    p *= STOOD_UM.get(cause, STANDS)(seen.off_um)
    p *= WALKED.get(cause, _about(0.0, 0.4, 1e-6))(seen.walked)
    return p * POWER.get(cause, _about(1.0, 0.03))(seen.power) if seen.emits else p


UNLIT_CAUSES = {Cause.NO_LIGHT, Cause.LASER_OFF, Cause.INTERLOCK}
UNSEEN: Weights = {
    **dict.fromkeys(UNLIT_CAUSES, 0.9),
    Cause.SAG: 0.1,
    Cause.PATH: 0.1,
    Cause.STRAY: 0.5,
    Cause.UNKNOWN: 0.3,
}
OWN: Weights = {
    **dict.fromkeys(UNLIT_CAUSES, 0.05),
    Cause.DARK: 0.05,
    Cause.JUMP: 0.5,
    Cause.VIBRATION: 0.8,
    Cause.UNKNOWN: 0.5,
}
OWN_WELL, OWN_DARK = 0.9, 0.05
SEEN_AT = _aside(0.035)
MOVED = _both(0.95, _between(0.06, 10.0), SEEN_AT)  # the rest moved along z alone
FRAMED_UM: Mapping[Cause, Density] = {
    Cause.LOST: MOVED,
    Cause.STAGE: MOVED,
    Cause.RUNAWAY: _both(0.9, _between(0.06, 10.0), SEEN_AT),
    Cause.UNKNOWN: _flat(0.0, 2.0),
}


def framed(cause: Cause, seen: Framed, gone: float) -> float:
    """Of what the wide field shows; `gone` is the chance that a blink still lasts."""
    unseen = UNSEEN.get(cause, 0.05)
    if seen.off_um is None:
        return unseen
    p = (1 - unseen) * FRAMED_UM.get(cause, SEEN_AT)(seen.off_um)
    if seen.own is None:
        return p
    if cause is Cause.BLINK:
        return p * _of(gone * OWN_DARK + (1 - gone) * OWN_WELL, seen.own)
    return p * _of(OWN.get(cause, OWN_WELL), seen.own)


FOUND: Weights = {
    **dict.fromkeys((*UNLIT_CAUSES, Cause.BLIND), 0.02),
    Cause.DARK: 0.05,
    Cause.JUMP: 0.85,
    Cause.LOST: 0.75,
    Cause.VIBRATION: 0.8,
    Cause.STAGE: 0.5,
    Cause.RUNAWAY: 0.1,
    Cause.STRAY: 0.5,
    Cause.UNKNOWN: 0.5,
}
FOUND_WELL, FOUND_DARK = 0.96, 0.05
HERE = _aside(0.02, 0.01)
THERE = _between(0.04, 2.0)
FOUND_UM: Mapping[Cause, Density] = {
    **dict.fromkeys((Cause.LOST, Cause.RUNAWAY, Cause.STAGE), THERE),
    Cause.DARK: _flat(0.0, 1.0),
    Cause.UNKNOWN: _flat(0.0, 2.0),
}
ANY, LESS = _flat(0.0, 2.0), _flat(0.0, 0.95)
HEIGHT: Mapping[Cause, Density] = {
    **dict.fromkeys((Cause.JUMP, Cause.SAG, Cause.PATH, Cause.VIBRATION), LESS),
    **dict.fromkeys((Cause.DARK, Cause.STRAY, Cause.STAGE, Cause.RUNAWAY, Cause.UNKNOWN), ANY),
    Cause.DETECTOR: _about(0.5, 0.1),
}
GROUND: Mapping[Cause, Density] = {
    **dict.fromkeys((Cause.SAG, Cause.PATH), LESS),
    **dict.fromkeys((Cause.STRAY, Cause.UNKNOWN), _flat(0.0, 10.0)),
    Cause.DETECTOR: _about(0.5, 0.2),
}


def around(cause: Cause, seen: Around, gone: float) -> float:
    """Of what a search found; `gone` as above."""
    likely = FOUND.get(cause, FOUND_WELL)
    if cause is Cause.BLINK:
        likely = gone * FOUND_DARK + (1 - gone) * FOUND_WELL
    if not seen.found:
        return 1 - likely
    p = likely * FOUND_UM.get(cause, HERE)(seen.off_um)
    p *= HEIGHT.get(cause, _about(1.0, 0.15))(seen.share)
    return p * GROUND.get(cause, _about(1.0, 0.15))(seen.ground)
