"""The board's duties and vocabulary; everything that is a pin, a chip or a clock is handed in."""

import counts
from dac import CHANNELS, HIGHEST
from framing import Refused
from grammar import Talker
from service import MODEL, common

VERSION = "1.1.0"
PROTOCOL = 2
"""Grows when a host that knows the old meaning would misread the new one."""

STALL_MS = 200  # a loop that stood still for so long is not trusted with light
STORM_LINES, STORM_MS = 8, 1000
MOST_RECORDS = 8

SELF_TEST_FILES, SELF_TEST_GATES, SELF_TEST_HEAT, SELF_TEST_DAC, SELF_TEST_LIGHT = 1, 2, 4, 8, 16


class Board:
    """`receive` and `tick` are called in turns, for ever."""

    def __init__(self, parts: dict, slots, uptime, serial: str) -> None:
        self._lease, self._interlock = parts["lease"], parts["interlock"]
        self._counts, self._window = parts["counts"], parts["window"]
        self._dac, self._warmth, self._lens = parts["dac"], parts["warmth"], parts["lens"]
        self._slots, self._uptime = slots, uptime
        self._talker = Talker(PROTOCOL, self._table(serial), lambda: self._end("FAULT"))
        self._last_ms = uptime.ms()
        self._longest_turn_ms = 0
        self._storm = (0, 0)  # untrusted lines when the present second began, and when it did
        self._gates_well = True

    def receive(self, data: bytes) -> bytes:
        """Take bytes however they were cut; return what is to be said to them."""
        said = self._talker.receive(data)
        if self._talker.untrusted - self._storm[0] >= STORM_LINES:
            self._end("STORM")
        return said

    def tick(self) -> bool:
        """Look after everything once; False when only a reset can help."""
        now_ms = self._uptime.ms()
        turn_ms, self._last_ms = now_ms - self._last_ms, now_ms
        self._longest_turn_ms = max(self._longest_turn_ms, turn_ms)
        self._watch(now_ms)
        if turn_ms > STALL_MS:
            self._end("WATCHDOG")
        if not self._interlock.look(now_ms):
            self._end("INTERLOCK")
        if not self._warmth.look(now_ms):
            self._end("TEMPERATURE")
        if now_ms - self._storm[1] >= STORM_MS:
            self._storm = (self._talker.untrusted, now_ms)
        self._gates_well = self._counts.serve()
        return self._gates_well

    def _watch(self, now_ms: int) -> None:
        """Learn what the light did by itself; a bounce too short for us is an opening too."""
        if self._lease.watch(now_ms) == "INTERLOCK":
            self._interlock.open(now_ms)

    def _end(self, reason: str) -> None:
        self._lease.end(reason, self._uptime.ms())

    def _table(self, serial: str) -> dict:
        """Header to (handler, kinds of arguments, needs a checksum)."""
        table = common(self._slots, serial, MODEL, VERSION)
        for header, (handler, kinds, guarded) in table.items():
            if guarded:  # they write to the flash, and the loop stands still meanwhile
                table[header] = (self._in_the_dark(handler), kinds, guarded)
        table.update(
            {
                "*TST?": (self._self_test, "", False),
                "LEASe": (self._grant, "I", True),
                "LEASe?": (lambda: self._lease.told(self._uptime.ms()), "", False),
                "INTerlock?": (lambda: str(int(self._interlock.closed)), "", False),
                "COUNts?": (self._tell_counts, "i", False),
                "GATE": (self._set_gate, "I", False),
                "GATE?": (lambda: str(self._counts.gate_ms), "", False),
                "WINDow": (self._set_window, "I", False),
                "WINDow?": (lambda: str(self._window.ns), "", False),
                "DAC": (self._set_dac, "II", True),
                "DAC?": (self._tell_dac, "I", False),
                "LENS": (self._set_lens, "I", True),
                "LENS?": (lambda: str(self._lens.value()), "", False),
                "TEMPerature?": (self._warmth.told, "", False),
                "WATChdog?": (self._tell_watchdog, "", False),
                "CLOCk?": (lambda: str(self._uptime.us()), "", False),
            }
        )
        return table

    def _in_the_dark(self, handler):
        def act(*arguments) -> None:
            if self._lease.lit:
                raise Refused(-221, "lit")
            handler(*arguments)

        return act

    def _grant(self, ms: int) -> None:
        now_ms = self._uptime.ms()
        if ms == 0:
            self._lease.release(now_ms)
            return
        self._watch(now_ms)  # an end nobody has seen yet must not be renewed over
        if not self._interlock.look(now_ms):
            self._end("INTERLOCK")
            raise Refused(-221, "interlock open")
        if not self._warmth.safe:
            raise Refused(-221, "too warm, or a thermometer is lost")
        self._lease.grant(ms, now_ms)

    def _set_gate(self, ms: int) -> None:
        _within(counts.SHORTEST_MS, ms, counts.LONGEST_MS, "ms")
        self._counts.set_gate(ms)

    def _set_window(self, ns: int) -> None:
        _within(1, ns, self._window.LONGEST_NS, "ns")
        self._window.set(ns)

    def _set_dac(self, channel: int, code: int) -> None:
        _within(0, channel, CHANNELS - 1, "channel")
        _within(0, code, HIGHEST, "code")
        self._dac.write(channel, code)

    def _set_lens(self, wide: int) -> None:
        _within(0, wide, 1, "wide")
        self._lens.value(wide)

    def _tell_dac(self, channel: int) -> str:
        _within(0, channel, CHANNELS - 1, "channel")
        return str(self._dac.read(channel))

    def _tell_counts(self, number: int = 0) -> str:
        """The newest record, or those from a number on."""
        if number:
            records = self._counts.since(number, MOST_RECORDS)
        else:
            records = [self._counts.newest()]
        return ";".join(",".join(str(value) for value in record) for record in records)

    def _tell_watchdog(self) -> str:
        """Cause of the last reset, starts so far, longest turn of the loop since last asked."""
        longest_ms, self._longest_turn_ms = self._longest_turn_ms, 0
        return f"{self._slots.cause},{self._slots.boots},{longest_ms}"

    def _self_test(self) -> str:
        """The sum of what failed; 0 is good. Takes its time, hence only in the dark."""
        if self._lease.lit:
            raise Refused(-221, "lit")
        failed = 0 if self._slots.intact(self._slots.running) else SELF_TEST_FILES
        failed |= 0 if self._gates_well and self._counts.newest()[3] else SELF_TEST_GATES
        failed |= 0 if None not in self._warmth.readings_c else SELF_TEST_HEAT
        failed |= 0 if self._dac.agrees() else SELF_TEST_DAC
        failed |= 0 if self._lease.obeys() else SELF_TEST_LIGHT
        return str(failed)


def _within(low: int, value: int, high: int, what: str) -> None:
    if not low <= value <= high:
        raise Refused(-222, f"{low} to {high} {what}")
