"""A Coherent OBIS LX/LS laser with its remote, on a serial line.

Written from the OBIS LX/LS operator's manual (appendix C, "Host interface") as public clients
cite it, and from captures of SYSTem:STATus?; "unconfirmed" says that we chose.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntFlag

from hil.emulators.laser_head import HeadNature, Later, Trip, on_the_running_loop
from hil.emulators.serial_laser import SerialLaser

UNKNOWN, OUT_OF_ORDER, BAD_PARAMETER, MISSING = "ERR-100", "ERR-200", "ERR-220", "ERR-109"


class Status(IntFlag):
    """SYSTem:STATus?; the upper ones are the remote's, and the highest three always stand."""

    FAULT = 1 << 0
    EMISSION = 1 << 1
    STANDBY = 1 << 3
    DELAY = 1 << 4
    WARM_UP = 1 << 8
    VOLTAGE = 1 << 12
    KEY_OUT = 1 << 25
    INTERLOCK_OPEN = 1 << 26
    REMOTE = 0xC8000000


FAULTS = {None: 0, Trip.TEMPERATURE: 0x1, Trip.INTERLOCK: 0, Trip.POWER: 0x4000}


LX_HEAD = HeadNature(
    least_uw=50.0,
    most_uw=220_000.0,
    boot_s=3.0,
    warm_up_s=45.0,
    emission_delay_s=5.0,
    autostart=False,
    key_forgets=True,
)


@dataclass(frozen=True)
class ObisModel:
    """One head; `identity` has the form of an answer quoted in Micro-Manager's adapter."""

    identity: str = "Coherent, Inc - OBIS 532nm 200mW C - V1.0.1 - Dec 14 2010"
    serial: str = "AC0000532"  # unconfirmed
    head: HeadNature = LX_HEAD


class Obis(SerialLaser):
    """The laser; opening its interlock, turning its key and tripping it is done at its `head`."""

    def __init__(
        self,
        model: ObisModel,
        clock: Callable[[], float],
        seed: int,
        on_output: Callable[[float, float], None],
        later: Later = on_the_running_loop,
    ) -> None:
        super().__init__(model.head, clock, seed, on_output, later)
        self._model = model
        self._queries = self._questions()

    def power_on(self) -> None:
        self._handshaking = True
        super().power_on()

    def reply(self, line: str) -> str:
        """An answer or an error, and a handshake behind every success."""
        header, _, value = line.strip().partition(" ")
        if query := self._queries.get(short(header)):
            lines = [query()]
        else:
            error = self._obey(short(header), value.strip().upper())
            if error:
                return f"{error}\r\n"
            lines = []
        return "".join(f"{text}\r\n" for text in [*lines, *["OK"] * self._handshaking])

    def _questions(self) -> Mapping[str, Callable[[], str]]:
        head = self.head
        return {
            "*IDN?": lambda: self._model.identity,
            "SYST:INF:SNUM?": lambda: self._model.serial,
            "SYST:STAT?": lambda: f"{self._status():08X}",
            "SYST:FAUL?": lambda: f"{FAULTS[head.trip_cause]:08X}",
            "SYST:COMM:HAND?": lambda: "ON" if self._handshaking else "OFF",
            "SYST:AUT?": lambda: "ON" if head.nature.autostart else "OFF",
            "SYST:CDRH?": lambda: "ON" if head.nature.emission_delay_s else "OFF",
            "SOUR:AM:STAT?": lambda: "ON" if head.asked else "OFF",
            "SOUR:AM:SOUR?": lambda: "CWP",
            "SOUR:POW:LEV?": lambda: watts(head.monitor_uw()),
            "SOUR:POW:LEV:IMM:AMPL?": lambda: watts(head.set_uw),
            "SOUR:POW:LIM:LOW?": lambda: watts(head.nature.least_uw),
            "SOUR:POW:LIM:HIGH?": lambda: watts(head.nature.most_uw),
            "SYST:INF:POW?": lambda: watts(head.nature.most_uw),
        }

    def _obey(self, header: str, value: str) -> str:
        match header, value:
            case "SYST:COMM:HAND", "ON" | "OFF":
                self._handshaking = value == "ON"
            case "SOUR:AM:STAT", "ON" | "OFF":
                return self._ask(on=value == "ON")
            case "SOUR:POW:LEV:IMM:AMPL", _:
                return self._set_power(value)
            case "*RST", "":
                self.power_cycle()  # a warm boot: the answer is the last that it says for a while
            case ("SYST:COMM:PROM", "ON" | "OFF") | ("SOUR:AM:INT", "CWP") | ("SYST:ERR:CLE", ""):
                pass  # no prompt, no other mode and no error queue is imitated
            case (("SYST:COMM:HAND" | "SYST:COMM:PROM" | "SOUR:AM:STAT" | "SOUR:AM:INT"), ""):
                return MISSING
            case (("SYST:COMM:HAND" | "SYST:COMM:PROM" | "SOUR:AM:STAT" | "SOUR:AM:INT"), _):
                return BAD_PARAMETER
            case _:
                return UNKNOWN
        return ""

    def _ask(self, *, on: bool) -> str:
        if self.head.trip_cause is Trip.INTERLOCK:
            self.head.clear()  # unless it is still open
        if on and not self.head.may_emit:
            return OUT_OF_ORDER  # unconfirmed
        self.head.ask(on=on)
        return ""

    def _set_power(self, value: str) -> str:
        if not value:
            return MISSING
        if not re.fullmatch(r"(\d+\.?\d*|\.\d+)(E-?\d\d?)?", value, re.ASCII):
            return BAD_PARAMETER
        power_uw = float(value) * 1e6
        if not self.head.nature.least_uw <= power_uw <= self.head.nature.most_uw:
            return BAD_PARAMETER
        self.head.set_power(power_uw)
        return ""

    def _status(self) -> Status:
        head = self.head
        faulty = head.trip_cause not in (None, Trip.INTERLOCK)
        lit = head.key_on and head.interlock_closed and (head.asked or faulty)
        flags = {
            Status.FAULT: faulty,
            Status.EMISSION: head.emitting,
            Status.STANDBY: not faulty and head.warm and not head.asked,
            Status.DELAY: head.delayed,
            Status.WARM_UP: not head.warm,
            Status.VOLTAGE: lit,
            Status.KEY_OUT: not head.key_on,
            Status.INTERLOCK_OPEN: not (head.key_on and head.interlock_closed),
        }
        return sum((flag for flag, is_set in flags.items() if is_set), Status.REMOTE)


def short(header: str) -> str:
    """SCPI headers in their short form; long and short are one."""
    names = header.upper().rstrip("?").split(":")
    return ":".join(SHORT.get(name, name) for name in names) + "?" * header.endswith("?")


SHORT = {
    "AMPLITUDE": "AMPL",
    "AUTOSTART": "AUT",
    "CLEAR": "CLE",
    "COMMUNICATE": "COMM",
    "ERROR": "ERR",
    "FAULT": "FAUL",
    "HANDSHAKING": "HAND",
    "IMMEDIATE": "IMM",
    "INFORMATION": "INF",
    "INTERNAL": "INT",
    "LEVEL": "LEV",
    "LIMIT": "LIM",
    "POWER": "POW",
    "PROMPT": "PROM",
    "SNUMBER": "SNUM",
    "SOURCE": "SOUR",
    "STATE": "STAT",
    "STATUS": "STAT",
    "SYSTEM": "SYST",
}


def watts(power_uw: float) -> str:
    """Unconfirmed: the form; clients only read it as a number."""
    return f"{power_uw * 1e-6:.6f}"
