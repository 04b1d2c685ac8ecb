"""Boot code: starts the firmware of a slot, feeds the watchdog while it is well, falls back.

An update never overwrites it. Without firmware that comes up it runs safe mode.
"""

import binascii
import sys

import machine

from service import SafeMode
from slots import Slots
from uptime import Uptime

WATCHDOG_MS = 8000  # the RP2040 counts to 8388; compiling the firmware at the start takes a while
CONFIRM_WITHIN_MS = 60_000
STEADY_AFTER_MS = 30_000
LAST_WORDS_MS = 200  # between the order to start anew and doing so, for whoever wants an answer


class Runtime:
    """Everything that runs between two resets; `turn` it for ever."""

    def __init__(self, time, storage, pins: dict) -> None:
        self._pins = pins
        self._darken()
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)
        self._uptime = Uptime(time)
        self._slots = Slots(storage)
        self._leave_ms = 0
        slot = self._slots.choose(machine.reset_cause() == machine.WDT_RESET)
        serial = binascii.hexlify(machine.unique_id()).decode()
        if not slot:
            self._board = SafeMode(self._slots, serial)
            return
        sys.path.insert(0, slot)
        try:
            wiring = __import__("wiring")
            self._board = wiring.board(self._uptime, self._slots, pins, serial)
        except Exception as err:  # whatever it is, the next start may take the other slot
            self._crash(err)

    def turn(self, data: bytes) -> bytes:
        """One round: what arrived in, what is to be said out."""
        said = b""
        try:
            if data:
                said = self._board.receive(data)
            if self._board.tick():
                self._watchdog.feed()
        except Exception as err:  # a defect: dark, say so after the reset
            self._crash(err)
        self._look_ahead(self._uptime.ms())
        return said

    def _look_ahead(self, now_ms: int) -> None:
        """Whether this start has come to its end, or has proven itself."""
        if self._slots.leaving:
            if now_ms >= self._leave_ms:
                self._leave()
            return
        self._leave_ms = now_ms + LAST_WORDS_MS
        if now_ms > CONFIRM_WITHIN_MS and self._slots.on_trial:
            self._slots.leave("UNCONFIRMED", "nobody confirmed it in time")
        elif now_ms > STEADY_AFTER_MS:
            self._slots.steady()

    def _crash(self, err: Exception) -> None:
        self._darken()
        self._slots.leave("CRASH", repr(err)[:80])
        self._leave()

    def _leave(self) -> None:
        self._darken()
        machine.reset()

    def _darken(self) -> None:
        """Take the laser's pin away from whatever drives it."""
        machine.Pin(self._pins["laser"], machine.Pin.OUT, value=0)
