"""A Cobolt 06-MLD laser on its serial line.

Written from the command list of manual D0136 "Cobolt 06-01 Series" (January 2020) as public
clients cite it, the maker's own clients (pycobolt, its Micro-Manager adapter), and a captured
session; "unconfirmed" says that we chose.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hil.emulators.laser_head import HeadNature, Later, Trip, on_the_running_loop
from hil.emulators.serial_laser import SerialLaser

ILLEGAL = "Syntax error: illegal command"
IN_AUTOSTART = "Syntax error: not allowed in autostart mode"
OUT_OF_RANGE = "Syntax error: value out of range"  # unconfirmed
OFF, WAITING_FOR_KEY, CONTINUOUS, FAULT, ABORTED = 0, 1, 2, 5, 6
FAULTS = {None: 0, Trip.TEMPERATURE: 1, Trip.INTERLOCK: 3, Trip.POWER: 4}
NUMBER = re.compile(r"\d+\.?\d*|\.\d+", re.ASCII)


MLD_HEAD = HeadNature(
    least_uw=0.0,
    most_uw=200_000.0,
    boot_s=2.0,
    warm_up_s=60.0,
    emission_delay_s=0.0,
    autostart=True,
    key_forgets=False,
)


@dataclass(frozen=True)
class CoboltModel:
    """A laser of the series; the captured firmware prints watts with four decimals."""

    model: str = "0532-06-01-0200-100"  # unconfirmed: form by the maker's clients
    serial: str = "17706"
    firmware: str = "1.2.3.4"  # unconfirmed: only that it has dots
    watt_decimals: int = 4
    head: HeadNature = MLD_HEAD


FINE = CoboltModel(watt_decimals=6)  # unconfirmed: that any firmware prints more than four


class Cobolt(SerialLaser):
    """The laser; opening its interlock, turning its key and tripping it is done at its `head`."""

    def __init__(
        self,
        model: CoboltModel,
        clock: Callable[[], float],
        seed: int,
        on_output: Callable[[float, float], None],
        later: Later = on_the_running_loop,
    ) -> None:
        super().__init__(model.head, clock, seed, on_output, later)
        self._model = model
        self._queries = self._questions()

    def reply(self, line: str) -> str:
        return self._answer(line) + "\r\n"

    def _answer(self, line: str) -> str:
        if answer := self._queries.get(line):
            return answer()
        match line:
            case "?" | "cp":
                return "OK"
            case "l1" if self._model.head.autostart:
                return IN_AUTOSTART
            case "l1" | "@cob1" | "restart":
                return self._ask(on=True)
            case "l0" | "@cob0" | "abort":
                return self._ask(on=False)
            case "cf":
                self.head.clear()
                return "OK"  # unconfirmed: also where the cause stands
        word, _, value = line.partition(" ")
        if word not in ("p", "slp") or not NUMBER.fullmatch(value):
            return ILLEGAL
        return self._set_power(float(value) * (1e6 if word == "p" else 1e3))

    def _questions(self) -> Mapping[str, Callable[[], str]]:
        head, model = self.head, self._model
        return {
            "glm?": lambda: model.model,
            "gsn?": lambda: model.serial,
            "sn?": lambda: model.serial,
            "gfv?": lambda: model.firmware,
            "gmlp?": lambda: f"{head.nature.most_uw / 1e3:.1f}",
            "l?": lambda: f"{head.emitting:d}",
            "p?": lambda: self._watts(head.set_uw),
            "glp?": lambda: f"{head.set_uw / 1e3:.1f}",
            "pa?": lambda: self._watts(head.monitor_uw()),
            "gom?": lambda: f"{self._mode()}",
            "f?": lambda: f"{FAULTS[head.trip_cause]}",
            "ilk?": lambda: f"{not head.interlock_closed:d}",
            "@cobas?": lambda: f"{model.head.autostart:d}",
            "gam?": lambda: "1",
        }

    def _ask(self, *, on: bool) -> str:
        if on and self.head.trip_cause is not None:
            return "OK"  # unconfirmed: acknowledged, without effect
        self.head.ask(on=on)
        return "OK"

    def _set_power(self, power_uw: float) -> str:
        if not math.isfinite(power_uw) or power_uw > self.head.nature.most_uw:
            return OUT_OF_RANGE
        self.head.set_power(power_uw)
        return "OK"

    def _mode(self) -> int:
        if self.head.trip_cause is not None:
            return FAULT
        if not self.head.key_on:
            return WAITING_FOR_KEY
        if self.head.asked:
            return CONTINUOUS  # unconfirmed: while it warms up as well
        return ABORTED if self._model.head.autostart else OFF

    def _watts(self, power_uw: float) -> str:
        return f"{power_uw * 1e-6:.{self._model.watt_decimals}f}"
