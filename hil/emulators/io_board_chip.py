"""The board's chip and what is soldered to it: pins, buses and watchdog, as `machine` and `rp2`.

`World` is what the rig and the tests hold and what outlives a reset; `Chip` is one life of the
processor. Runs on CPython and on MicroPython.
"""

from hil.emulators.io_board_machines import (
    CLOCK_HZ,
    CountMachine,
    GateMachine,
    LeaseMachine,
    Machine,
    WindowMachine,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.emulators.io_board_machines import Clock, CountSource

SOLDERED = {2: "laser", 3: "interlock", 4: "lens", 6: "a", 7: "b", 8: "phase"}
SOLDERED.update({9: "wide", 10: "both", 16: "miso", 17: "select", 18: "sck", 19: "mosi"})
SOLDERED.update({22: "bench", 26: "sda", 27: "scl"})
PINS = {name: number for number, name in SOLDERED.items()}

WRITE_AND_UPDATE, READ_BACK = 0x3, 0x9
FIRST_THERMOMETER = 0x48
NOT_ANSWERED = 5  # EIO
SERIAL = b"\xe6\x61\x64\x08\x43\x1d\x2c\x2f"


class Reset(BaseException):
    """The processor starts anew: no code of the firmware may catch this."""


def darkness(_begin_s: float, _end_s: float, _window_s: float) -> "tuple[int, int, int]":
    return 0, 0, 0


class World:
    """What the board is plugged into, and its truth: read it, set it, be told of light."""

    def __init__(self, clock: "Clock", source: "CountSource" = darkness) -> None:
        self.clock = clock
        self.source = source  # clicks on a, on b, on both, between two instants, within a window
        self.temperatures_c: list[float | None] = [25.0, 25.0]  # None: does not answer
        self.codes = [0, 0, 0, 0]  # of the DAC
        self.dac_answers = True
        self.bench_jumper = False
        self.laser_changed_s = 0.0
        self.lit: Callable[[float, bool], None] = lambda _at_s, _on: None
        self.wide = False  # what the lens is told, 50 ms of travel before it is so
        self.flipped: Callable[[float, bool], None] = lambda _at_s, _wide: None
        self.driven: Callable[[float, int, int], None] = lambda _at_s, _channel, _code: None
        self.chip: Chip | None = None
        self._closed, self._laser_on = False, False

    @property
    def interlock_closed(self) -> bool:
        return self._closed

    @interlock_closed.setter
    def interlock_closed(self, closed: bool) -> None:
        if self._closed and not closed and self.chip:
            self.chip.lease.opened()
        self._closed = closed

    @property
    def laser_on(self) -> bool:
        if self.chip:
            self.chip.lease.catch_up()
        return self._laser_on

    def counted(self, begin_s: float, end_s: float, window_s: float) -> "tuple[int, int, int]":
        return self.source(begin_s, end_s, window_s)

    def shine(self, at_s: float, on: bool) -> None:
        if on != self._laser_on:
            self._laser_on, self.laser_changed_s = on, at_s
            self.lit(at_s, on)

    def flip(self, wide: bool) -> None:
        if wide != self.wide:
            self.wide = wide
            self.flipped(self.clock(), wide)

    def drive(self, channel: int, code: int) -> None:
        self.codes[channel] = code
        self.driven(self.clock(), channel, code)


class Chip:
    """One life of the processor; its attributes are those of the module `machine`."""

    PWRON_RESET, WDT_RESET = 1, 3

    def __init__(self, world: World, cause: int = PWRON_RESET) -> None:
        self.world, self._cause = world, cause
        if world.chip:
            world.chip.stop()
        world.chip = self
        self.lease = LeaseMachine(world.clock, lambda: world.interlock_closed)
        self.lease.changed = world.shine
        self.stretch = WindowMachine()
        self.gate = GateMachine(world.clock, self.stretch, world.counted)
        self.watchdog_ms = 0
        self.fed_s = world.clock()
        self.Pin = PinMaker(self)

    def stop(self) -> None:
        """Out of reset no pin drives anything: resistors pull laser and lens down."""
        self.lease.stop()
        self.world.flip(False)
        self.world.shine(self.world.clock(), False)

    def overdue(self) -> bool:
        """Whether the watchdog has bitten by now."""
        hungry_ms = 1000 * (self.world.clock() - self.fed_s)
        return bool(self.watchdog_ms) and hungry_ms > self.watchdog_ms

    def reset_cause(self) -> int:
        return self._cause

    def reset(self) -> None:
        raise Reset

    def unique_id(self) -> bytes:
        return SERIAL

    def freq(self) -> int:
        return CLOCK_HZ

    def WDT(self, *, timeout: int) -> "Chip":  # noqa: N802 - MicroPython's names, here and below
        self.watchdog_ms = timeout
        self.feed()
        return self

    def feed(self) -> None:
        self.fed_s = self.world.clock()

    def SPI(self, _bus: int, **_settings: object) -> "Dac":  # noqa: N802
        return Dac(self.world)

    def I2C(self, _bus: int, **_settings: object) -> "Thermometers":  # noqa: N802
        return Thermometers(self.world)


class PinMaker:
    """`machine.Pin`: a thing to call, with constants."""

    IN, OUT, PULL_UP, PULL_DOWN = 0, 1, 1, 2

    def __init__(self, chip: Chip) -> None:
        self._chip = chip

    def __call__(
        self, number: int, mode: "int | None" = None, _pull: int = 0, *, value: int = 0
    ) -> "Pin":
        pin = Pin(self._chip, SOLDERED[number])
        if mode == self.OUT:
            pin.value(value)
        return pin


class Pin:
    def __init__(self, chip: Chip, role: str) -> None:
        self.role = role
        self._chip, self._world = chip, chip.world

    def value(self, level: "int | None" = None) -> int:
        """The level now; a level given drives the pin, and takes it from a state machine."""
        if level is not None:
            self._drive(bool(level))
        if self.role == "interlock":
            return int(self._world.interlock_closed)
        if self.role == "phase":
            self._chip.gate.catch_up()
            return self._chip.gate.phase
        if self.role == "bench":
            return int(not self._world.bench_jumper)
        return int(self.role == "lens" and self._world.wide)

    def _drive(self, high: bool) -> None:
        if self.role == "laser":
            self._chip.lease.stop()
            self._world.shine(self._world.clock(), high)
        if self.role == "lens":
            self._world.flip(high)


class Pio:
    """The module `rp2`: which state machine it is follows from the pins it is given."""

    class PIO:
        OUT_LOW = 2

    def __init__(self, chip: Chip) -> None:
        self._chip = chip

    def StateMachine(self, _number: int, _program: object, **pins: Pin) -> Machine:  # noqa: N802
        chip = self._chip
        if "sideset_base" not in pins:
            counter = CountMachine(chip.gate)
            chip.gate.counters.append(counter)
            return counter
        chosen = {"laser": chip.lease, "phase": chip.gate, "wide": chip.stretch}
        return chosen.get(pins["sideset_base"].role) or WindowMachine()

    def asm_pio(self, **_settings: object) -> "Callable[[object], object]":
        """The programs are not run here: their models are."""
        return lambda program: program


class Dac:
    """AD5686 on SPI: 24 bits in, and those of a read-back out in the frame after it."""

    def __init__(self, world: World) -> None:
        self._world, self._answer = world, b"\0\0\0"

    def write_readinto(self, said: bytes, told: bytearray) -> None:
        told[:] = self._answer if self._world.dac_answers else b"\xff\xff\xff"
        self._answer = b"\0\0\0"
        command, address, code = said[0] >> 4, said[0] & 0xF, said[1] << 8 | said[2]
        for channel in range(4):
            if not self._world.dac_answers or not address & 1 << channel:
                continue
            if command == WRITE_AND_UPDATE:
                self._world.drive(channel, code)
            elif command == READ_BACK:
                held = self._world.codes[channel]
                self._answer = bytes((0, held >> 8, held & 0xFF))


class Thermometers:
    """TMP117s on one I2C bus; register 0 holds 1/128 °C."""

    def __init__(self, world: World) -> None:
        self._world = world

    def readfrom_mem(self, address: int, register: int, count: int) -> bytes:
        value_c = self._world.temperatures_c[address - FIRST_THERMOMETER]
        if value_c is None or register != 0 or count != 2:
            raise OSError(NOT_ANSWERED)
        steps = int(value_c * 128) & 0xFFFF
        return bytes((steps >> 8, steps & 0xFF))
