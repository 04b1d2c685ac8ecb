"""A piezo or motor controller of Physik Instrumente, GCS 2.0, with a stage on it.

Written from manual pages E727T0005 (E-727), MS249E (C-863.12), PZ285EN (E-871) and from
captures of real units; where they are silent, "unconfirmed" says that we chose.
"""

import math
from collections.abc import Callable, Mapping
from typing import NoReturn

from hil.chance import keyed_bits
from hil.emulators.pi_gcs_axis import Act, GcsAxis
from hil.emulators.pi_gcs_models import Model
from hil.emulators.pi_gcs_syntax import (
    IMMEDIATE,
    READY,
    STOP,
    Code,
    GcsError,
    Intake,
    answer,
    flag,
    low_voltage,
    number,
)
from hil.keyed import Floats
from hil.trail import joined

HELP_BEGINS, HELP_ENDS = "The following commands are valid:", "end of help"

QUERIES: Mapping[str, Callable[[GcsAxis, float], str]] = {
    "ATZ?": lambda axis, _now_s: f"{axis.autozeroed:d}",
    "FRF?": lambda axis, _now_s: f"{axis.referenced:d}",
    "MOV?": GcsAxis.target,
    "ONT?": lambda axis, now_s: f"{axis.servo.is_on_target(now_s):d}",
    "OVF?": lambda axis, now_s: f"{axis.servo.overflows(now_s):d}",
    "POS?": GcsAxis.position,
    "RON?": lambda axis, _now_s: f"{axis.by_moving:d}",
    "SVA?": GcsAxis.level,
    "SVO?": lambda axis, _now_s: f"{axis.servo.on:d}",
    "TMN?": GcsAxis.lowest,
    "TMX?": GcsAxis.highest,
    "VEL?": GcsAxis.velocity,
}

SETTERS: Mapping[str, tuple[Callable[[str], float], Callable[[GcsAxis, float, float], Act]]] = {
    "ATZ": (low_voltage, GcsAxis.autozero),
    "MOV": (number, GcsAxis.move),
    "MVR": (number, GcsAxis.shift),
    "POS": (number, GcsAxis.declare),
    "RON": (flag, GcsAxis.choose_referencing),
    "SVA": (number, GcsAxis.drive),
    "SVO": (flag, GcsAxis.set_servo),
    "SVR": (number, GcsAxis.drive_further),
    "VEL": (number, GcsAxis.set_velocity),
}

SEARCHES: Mapping[str, Callable[[GcsAxis, float], Act]] = {
    "FNL": GcsAxis.find_low_end,
    "FPL": GcsAxis.find_high_end,
    "FRF": GcsAxis.find_switch,
}


class PiGcs:
    """Bytes in, bytes out; `frozen` makes it deaf and dumb until the power is cycled."""

    def __init__(self, model: Model, clock: Callable[[], float], seed: int) -> None:
        self.frozen = False
        self._model, self._clock = model, clock
        self._axes = {
            axis.name: GcsAxis(axis, keyed_bits(seed, index))
            for index, axis in enumerate(model.axes)
        }
        self.trails = tuple(axis.servo.trail for axis in self._axes.values())
        self._start(awake_s=clock())

    def _start(self, awake_s: float) -> None:
        self._awake_s, self._error = awake_s, Code.NONE
        self._intake = Intake(self._model.line_limit)

    def receive(self, data: bytes) -> bytes:
        """Take what arrived, however it was cut up; return what the controller says to it."""
        said = ""
        if self._hears():
            for command in self._intake.cut(data):
                said += self._perform(command)
                if not self._hears():  # it was told to reboot
                    break
        return said.encode("latin-1")

    def true_position_um(self) -> tuple[float, ...]:
        """Where the axes are, in µm of the stage's own frame."""
        now_s = self._now_s()
        return tuple(axis.servo.place_um(now_s) for axis in self._axes.values())

    def places_um(self, times_s: Floats) -> Floats:
        """Where they were at rising times, a row for each or one for all."""
        self.catch_up()
        return joined(self.trails, times_s)

    def catch_up(self) -> None:
        """Take the steps of a run, an autozero or a search, that are due by now."""
        self._now_s()

    def power_off(self) -> None:
        """What it knew is gone, and a piezo falls back."""
        now_s = self._now_s()
        for axis in self._axes.values():
            axis.power_cycle(now_s)
        self.frozen = False
        self._start(awake_s=math.inf)

    def power_on(self) -> None:
        """For a while it hears nothing; one that is on notices nothing."""
        if self._awake_s == math.inf:
            self._awake_s = self._clock() + self._model.startup_s

    def power_cycle(self) -> None:
        """Off and on again."""
        self.power_off()
        self.power_on()

    def push(self, axis: str, offset_um: float) -> None:
        """The voltage at that axis' analogue input, as the way it stands for."""
        self._axes[axis].servo.push(self._now_s(), offset_um)

    def stick(self, axis: str) -> None:
        """That axis no longer moves, though the controller works."""
        self._axes[axis].servo.stick(self._now_s())

    def run_away(self, axis: str, speed: float) -> None:
        """That axis drives to its end, in µm/s, and obeys nobody."""
        self._axes[axis].servo.run_away(self._now_s(), speed)

    def free(self, axis: str) -> None:
        """Neither stuck nor running away."""
        self._axes[axis].servo.free(self._now_s())

    def narrow(self, axis: str, by_um: float) -> None:
        """So much of either end of that axis cannot be reached; 0 heals it."""
        self._axes[axis].servo.narrow(self._now_s(), by_um)

    def lose_reference(self) -> None:
        """All servos drop out."""
        now_s = self._now_s()
        for axis in self._axes.values():
            axis.lose_reference(now_s)

    def _hears(self) -> bool:
        return not self.frozen and self._clock() >= self._awake_s

    def _now_s(self) -> float:
        now_s = self._clock()
        for axis in self._axes.values():
            axis.servo.catch_up(now_s)
        return now_s

    def _perform(self, command: str) -> str:
        try:
            return self._answer(command, self._now_s())
        except GcsError as err:
            self._error = err.code  # the newest replaces an older one (unconfirmed)
            return ""

    def _answer(self, command: str, now_s: float) -> str:
        if command in IMMEDIATE:
            return self._at_once(command, now_s)
        if len(command) > self._model.line_limit:
            raise GcsError(Code.TOO_LONG)
        if not command.strip():
            return ""
        name, *words = command.split()
        name = name.upper()
        if name not in self._model.commands:
            raise GcsError(Code.UNKNOWN_COMMAND)
        if name in QUERIES:
            return answer(
                [f"{a}={QUERIES[name](self._axes[a], now_s)}" for a in self._named(words)]
            )
        if name in SETTERS or name in SEARCHES:
            for act in self._acts(name, words, now_s):
                act()
            return ""
        return self._answer_for_all(name, words)

    def _answer_for_all(self, name: str, words: list[str]) -> str:
        match name:
            case "*IDN?" | "IDN?":
                return self._model.identity + "\n"
            case "CSV?":
                return "2.0\n"
            case "ERR?":
                code, self._error = self._error, Code.NONE
                return f"{code:d}\n"
            case "HLP?":
                return answer([HELP_BEGINS, *self._model.commands, HELP_ENDS])
            case "SAI?":
                return answer(list(self._axes))
            case "SPA?":
                return self._parameters(words)
            case "HLT" | "STP":
                return self._stop(words)
            case "RBT":
                self.power_cycle()
                return ""
            case _:  # "#5" and its like, spelt out
                raise GcsError(Code.UNKNOWN_COMMAND)

    def _at_once(self, character: str, now_s: float) -> str:
        axes = self._axes.values()
        if character == STOP:
            self._stop([])
        if character == READY:
            return "\xb0\n" if any(axis.servo.is_busy for axis in axes) else "\xb1\n"
        return f"{sum(axis.servo.is_moving(now_s) << bit for bit, axis in enumerate(axes)):X}\n"

    def _acts(self, name: str, words: list[str], now_s: float) -> list[Act]:
        """All of what a line asks for, or an error: nothing is done yet."""
        if name in SEARCHES:
            return [SEARCHES[name](self._axes[axis], now_s) for axis in self._named(words)]
        read, prepare = SETTERS[name]
        if len(words) % 2 or not words:
            raise GcsError(Code.ARGUMENT_COUNT)  # unconfirmed: 1 fits as well
        axes = self._named(words[::2])
        if len(set(axes)) < len(axes):
            raise GcsError(Code.AXIS_TWICE)  # unconfirmed: whether it is checked
        values = map(read, words[1::2])
        return [prepare(self._axes[a], now_s, v) for a, v in zip(axes, values, strict=True)]

    def _named(self, names: list[str]) -> list[str]:
        """The axes asked for; all of them when none is named."""
        if not self._axes.keys() >= set(names):
            raise GcsError(Code.UNKNOWN_AXIS)
        return names or list(self._axes)

    def _stop(self, names: list[str]) -> NoReturn:
        for axis in self._named(names):
            self._axes[axis].servo.halt(self._clock())
        raise GcsError(Code.STOPPED)

    def _parameters(self, words: list[str]) -> str:
        if len(words) % 2 or not words:
            raise GcsError(Code.ARGUMENT_COUNT)
        asked = list(zip(self._named(words[::2]), words[1::2], strict=True))
        if not self._model.parameters.keys() >= set(asked):
            raise GcsError(Code.UNKNOWN_PARAMETER)
        return answer([f"{a} {p}={self._model.parameters[a, p]}" for a, p in asked])
