"""Our I/O board: its real firmware on an emulated chip, in the event loop's time.

No thread and no process: every line is answered in the turn of the loop in which it arrives.
`io_board_process.py` runs the same firmware in a real MicroPython.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from hil.emulators.io_board_chip import PINS, Chip, Pio, Reset, World, darkness
from hil.emulators.io_board_flash import Interpreter, installed
from hil.emulators.io_board_store import FlashImage, PowerCut, Ticks

AT_ONCE = 64  # bytes that main.py reads before everything else has its turn
SHORTEST_TURN_S, LONGEST_TURN_S = 0.001, 0.1
RESTART_S = 1.0  # from a reset until the host sees the device again


class IoBoard:
    """Bytes in, bytes out; `world` holds pins and truth, `flash` what outlives the power.

    `frozen` stops the firmware's loop as a defect would: the light goes out by itself, and the
    watchdog bites later. `present` is told when the device vanishes from the bus and comes back.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        source: Callable[[float, float, float], tuple[int, int, int]] = darkness,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self.world = World(clock, source)
        self.flash = FlashImage(installed() if files is None else files)
        self.frozen = False
        self.present: Callable[[bool], None] = lambda _there: None
        self._clock = clock
        self._runtime: Any = None  # of the firmware; none while it is off
        self._alarm: asyncio.TimerHandle | None = None

    def power_on(self) -> None:
        """Start with the power; the first answers come at once."""
        self.frozen = False
        self._boot(Chip.PWRON_RESET)

    def power_off(self) -> None:
        """Also the end of the emulation: no timer is left."""
        self._set_alarm(None, 0.0)
        self._runtime = None
        if self.world.chip:
            self.world.chip.stop()

    def power_cycle(self) -> None:
        self.power_off()
        self.power_on()

    def set_interlock(self, *, closed: bool) -> None:
        """Move the door's contact; the firmware looks at it in the same millisecond."""
        self.world.interlock_closed = closed
        if self._runtime and not self.frozen:
            self._set_alarm(self._tick, SHORTEST_TURN_S)

    def receive(self, data: bytes) -> bytes:
        """Take what arrived, however it was cut up; return what the board says to it."""
        said = b""
        for start in range(0, len(data), AT_ONCE):
            said += self._turn(data[start : start + AT_ONCE])
        return said

    def _boot(self, cause: int) -> None:
        chip = Chip(self.world, cause)
        interpreter = Interpreter(self.flash, chip, Pio(chip))
        try:
            boot_code = interpreter.load("runtime")
            self._runtime = boot_code.Runtime(Ticks(self._clock), self.flash, PINS)
        except Reset:
            self._restart()
        except PowerCut:
            self.power_off()
        else:
            self.present(True)
            self._tick()

    def _turn(self, data: bytes) -> bytes:
        """One round of main.py's loop."""
        if self._runtime is None or self.frozen:
            return b""
        try:
            said: bytes = self._runtime.turn(data)
        except Reset:
            self._restart()
            return b""
        except PowerCut:
            self.power_off()
            return b""
        return said

    def _tick(self) -> None:
        chip = self.world.chip
        if chip is None or self._runtime is None:
            return
        if chip.overdue():
            self._restart()
            return
        self._turn(b"")
        if self._runtime is not None:
            self._set_alarm(self._tick, self._next_turn_s(chip))

    def _next_turn_s(self, chip: Chip) -> float:
        """How long until something ends, or so that it looks healthy."""
        if self.frozen:
            return LONGEST_TURN_S
        ends_s = min(chip.gate.next_end_s, chip.lease.next_end_s) - self._clock()
        return max(min(LONGEST_TURN_S, ends_s), SHORTEST_TURN_S)

    def _restart(self) -> None:
        """A reset, by the firmware or the watchdog: dark and deaf until it is up again."""
        self.power_off()
        self.frozen = False
        self.present(False)
        self._set_alarm(self._boot, RESTART_S, Chip.WDT_RESET)

    def _set_alarm(self, ring: Callable[..., None] | None, after_s: float, *args: object) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if ring is not None:
            self._alarm = asyncio.get_running_loop().call_later(after_s, ring, *args)
