"""A loss of light, diagnosed: a plan that asks for one observation after the other.

The cheapest observation that can still tell the likely causes apart is asked for next; what was
seen weighs every cause by its likelihood (`suspicion.py`). Nothing is concluded before what must
be done is SURE.
"""

from collections.abc import Generator, Mapping
from enum import Enum
from typing import NamedTuple

from mapping.causes import Cause, Counted, Sighting, Usual
from mapping.suspicion import Suspicion

SURE, LIKELY = 0.95, 0.8  # of what is to be done, and of why
ALIVE = 0.01  # of the posterior: causes that the next look should tell apart
EARLY_S, PATIENCE_S = 2.0, 12.0  # since the loss began; nobody waits longer for a blink to end


class Look(Enum):
    """What may be observed; only the last moves the stage."""

    STAND = "devices"  # laser, interlock, and where the stage stands
    COUNT = "counts"  # both detectors, as everything stands
    DARK = "dark counts"  # both detectors without light
    FRAME = "camera"  # the wide field from where the stage stands
    WAIT = "counts, later"
    AROUND = "counts around"  # a small search for the peak


FIRST = (Look.STAND, Look.COUNT)
"""Always: what is loose in the rack, and whether it is over already."""
CHEAP, DEAR = (Look.STAND, Look.COUNT, Look.DARK), (Look.FRAME, Look.AROUND)


class Remedy(Enum):
    """What must be done."""

    STAY = "go on: nothing has moved"
    WAIT = "wait until it is over, and move nothing"
    MEND = "take the devices into service anew"
    CENTRE = "go where it is now, and prove it"
    REGISTER = "look where the chip lies"
    RETIRE = "take a reserve"


class Verdict(NamedTuple):
    """What it was, what to do, and why that is believed."""

    cause: Cause
    remedy: Remedy
    reasons: tuple[str, ...]
    shares: Mapping[Cause, float]  # of belief

    @property
    def words(self) -> str:
        """For a log and a host."""
        return f"{self.cause.value} ({self.shares[self.cause]:.0%})"


Diagnosis = Generator[Look, Sighting | None, Verdict]

REMEDIES: Mapping[Cause, Remedy] = {
    Cause.PASSED: Remedy.STAY,
    Cause.BLINK: Remedy.STAY,
    Cause.DARK: Remedy.RETIRE,
    Cause.JUMP: Remedy.RETIRE,
    Cause.SAG: Remedy.WAIT,
    Cause.LASER_OFF: Remedy.MEND,
    Cause.INTERLOCK: Remedy.MEND,
    Cause.NO_LIGHT: Remedy.MEND,
    Cause.PATH: Remedy.WAIT,
    Cause.DETECTOR: Remedy.WAIT,
    Cause.BLIND: Remedy.WAIT,
    Cause.STRAY: Remedy.WAIT,
    Cause.STAGE: Remedy.MEND,
    Cause.VIBRATION: Remedy.WAIT,
    Cause.LOST: Remedy.CENTRE,
    Cause.RUNAWAY: Remedy.CENTRE,
    Cause.UNKNOWN: Remedy.REGISTER,
}

_IN_PLACE = {Cause.DARK, Cause.BLINK, Cause.JUMP}
_ELSEWHERE = {Cause.LOST, Cause.STAGE, Cause.RUNAWAY}
_UNLIT = {Cause.LASER_OFF, Cause.INTERLOCK, Cause.NO_LIGHT}
_DIM = {Cause.SAG, Cause.PATH}
_BLIND = {Cause.DETECTOR, Cause.BLIND}

GROUPS: Mapping[Look, tuple[set[Cause], ...]] = {
    Look.STAND: (
        *({cause} for cause in (Cause.LASER_OFF, Cause.INTERLOCK, Cause.SAG, Cause.STAGE)),
        {Cause.RUNAWAY},
    ),
    Look.COUNT: (
        {Cause.PASSED, Cause.BLINK},
        _UNLIT | {Cause.BLIND},
        {Cause.DETECTOR},
        {Cause.STRAY},
        {Cause.VIBRATION},
        _IN_PLACE - {Cause.BLINK} | _ELSEWHERE,
    ),
    Look.DARK: (_BLIND, {Cause.STRAY}),
    Look.FRAME: (_IN_PLACE, _ELSEWHERE, _UNLIT, _BLIND | _DIM | {Cause.STRAY}),
    Look.WAIT: ({Cause.BLINK, Cause.PASSED},),
    Look.AROUND: ({Cause.DARK}, {Cause.JUMP}, _DIM, _ELSEWHERE, {Cause.VIBRATION}),
}
"""Causes that a look cannot tell apart; those not named are one more group."""

MOST: Mapping[Look, int] = {Look.STAND: 1, Look.COUNT: 1, Look.DARK: 1, Look.FRAME: 1} | {
    Look.WAIT: 6,
    Look.AROUND: 1,
}


NEEDED: Mapping[Cause, tuple[Look, ...]] = dict.fromkeys((Cause.DARK, Cause.JUMP), (Look.FRAME,))
"""No emitter is given up before the camera has looked whether all is where it was."""


def diagnosis(during: Counted, usual: Usual) -> Diagnosis:
    """What took the light away; `during` is what was counted while it was away.

    A look that cannot be made is answered by None.
    """
    suspicion = Suspicion(usual)
    suspicion.weigh(during, happened=True)
    age_s, asked, reasons = during.age_s, list[Look](), list[str]()
    while True:
        shares = suspicion.shares
        leader = max(shares, key=lambda cause: shares[cause])
        is_sure = shares[leader] >= LIKELY and _of_remedy(REMEDIES[leader], shares) >= SURE
        look = _missing(leader, asked) if is_sure else _next(shares, asked, age_s)
        if look is None:
            cause = leader if is_sure else Cause.UNKNOWN
            return Verdict(cause, REMEDIES[cause], tuple(reasons), shares)
        asked.append(look)
        seen = yield look
        if seen is not None:
            age_s = max(age_s, seen.age_s)
            suspicion.weigh(seen)
            reasons.append(f"{look.value}: {seen.words}; {_leaders(suspicion.shares)}")


def advanced(plan: Diagnosis, seen: Sighting | None) -> Look | Verdict:
    """Tell what was seen, None to begin; the next look, or the verdict."""
    try:
        return plan.send(seen)
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict


def _of_remedy(remedy: Remedy, shares: Mapping[Cause, float]) -> float:
    return sum(share for cause, share in shares.items() if REMEDIES[cause] is remedy)


def _missing(cause: Cause, asked: list[Look]) -> Look | None:
    """What has to be looked at before anybody believes that."""
    return next((look for look in (*FIRST, *NEEDED.get(cause, ())) if look not in asked), None)


def _next(shares: Mapping[Cause, float], asked: list[Look], age_s: float) -> Look | None:
    """The cheapest that tells apart what is likely, and was not asked too often."""
    alive = {cause for cause, share in shares.items() if share > ALIVE}
    for look in (*FIRST, *_by_cost(age_s)):
        if look in FIRST and look not in asked:
            return look
        if asked.count(look) < MOST[look] and _splits(look, alive):
            return look
    return None


def _by_cost(age_s: float) -> list[Look]:
    """Early on, waiting is cheap; later the time passes as well while the camera looks."""
    if age_s < EARLY_S:
        return [*CHEAP, Look.WAIT, *DEAR]
    return [*CHEAP, *DEAR] if age_s > PATIENCE_S else [*CHEAP, Look.FRAME, Look.WAIT, *DEAR]


def _splits(look: Look, alive: set[Cause]) -> bool:
    named = GROUPS[look]
    rest = alive.difference(*named)
    return sum(bool(group & alive) for group in (*named, rest)) > 1


def _leaders(shares: Mapping[Cause, float]) -> str:
    best = sorted(shares, key=lambda cause: -shares[cause])[:2]
    return ", ".join(f"{cause.name} {shares[cause]:.0%}" for cause in best)
