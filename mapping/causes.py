"""What may take the light away, and what may be observed of it."""

import math
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Cause(Enum):
    """What may have taken the light away."""

    PASSED = "it is as bright as before, and was not dark"
    BLINK = "the emitter blinked"
    DARK = "the emitter stays dark: bleached, or its line has left the filter"
    JUMP = "the emitter's line jumped: dimmer, and where it was"
    SAG = "the laser gives less power"
    LASER_OFF = "the laser does not emit"
    INTERLOCK = "the interlock is open"
    NO_LIGHT = "the laser emits and no light arrives"
    PATH = "less light arrives than the laser gives"
    DETECTOR = "a detector is dead"
    BLIND = "the detectors are blind"
    STRAY = "light that is not the laser's"
    STAGE = "the stage does not stand where it was told to"
    VIBRATION = "it shakes"
    LOST = "the emitter is no longer where it was"
    RUNAWAY = "the corrections ran away"
    UNKNOWN = "none of the known causes fits"


class Usual(NamedTuple):
    """How it was before, in clicks per second of either detector."""

    signal_cps: tuple[float, float]
    ground_cps: tuple[float, float]  # of light that is not the emitter's, dark clicks left out
    saturation: float = 0.0  # of the emitter by the pump, 0 to 1
    flicker: float = 0.0  # of the emitter by itself, rms as a share


class Counted(NamedTuple):
    """With everything as it stands, or in the dark."""

    age_s: float  # when it ended, since the loss began
    clicks: tuple[int, int]
    counted_s: float
    lit: bool = True
    scatter: float = 0.0  # of short gates, beyond what counting scatters, over it
    gates: int = 0
    beat: float = 0.0  # the share of the scatter that is one frequency

    @property
    def words(self) -> str:
        kcps = (clicks / self.counted_s / 1e3 for clicks in self.clicks)
        shaky = f", scatter {self.scatter:+.1f}, beat {self.beat:.0%}" if self.gates else ""
        return " and ".join(f"{k:.2f}" for k in kcps) + f" kcps{shaky}"


class Stood(NamedTuple):
    """What the devices say of themselves."""

    age_s: float
    off_um: float  # of the stage from where it was told to stand
    emits: bool
    power: float  # by the laser's monitor, as a share of what is set
    closed: bool  # the interlock
    walked: float = 0.0  # by corrections, over the most that drift explains

    @property
    def words(self) -> str:
        laser = f"laser {self.power:.0%}" if self.emits else "laser off"
        door = "" if self.closed else ", interlock open"
        return f"{laser}, stage {1e3 * self.off_um:.0f} nm off, walk {self.walked:.1f}{door}"


class Framed(NamedTuple):
    """The wide field: where it says the emitter is, and whether it shines there."""

    age_s: float
    off_um: float | None  # of the emitter's place from the focus; None where nothing is recognised
    own: bool | None  # whether it was seen; None where that cannot be told
    way_um: tuple[float, float] = (0.0, 0.0)  # from the focus to it

    @property
    def words(self) -> str:
        if self.off_um is None:
            return "nothing recognised"
        seen = {True: "seen", False: "not seen", None: "perhaps there"}[self.own]
        return f"its place {1e3 * self.off_um:.0f} nm off, {seen}"


class Around(NamedTuple):
    """A search for the peak by counts."""

    age_s: float
    found: bool
    off_um: float = 0.0
    share: float = 0.0  # of the usual height
    ground: float = 1.0  # of the usual ground

    @property
    def words(self) -> str:
        if not self.found:
            return "no peak"
        where = f"a peak {1e3 * self.off_um:.0f} nm off, {self.share:.0%} as high"
        return f"{where}, ground {self.ground:.0%}"


Sighting = Counted | Stood | Framed | Around
Weights = Mapping[Cause, float]

ODDS: Weights = {
    Cause.BLINK: 8.0,
    Cause.NO_LIGHT: 0.3,
    Cause.PATH: 0.3,
    Cause.RUNAWAY: 0.2,
    Cause.UNKNOWN: 0.003,
}
"""Of a cause that is not named here it is 1."""
PRIOR: Weights = {cause: math.log(ODDS.get(cause, 1.0)) for cause in Cause}
