"""What the board's state machines do, as laws of time; no tick, asked whenever somebody looks.

Written from the programs' text in boards/io_board, not from their cycles: the tests hold these
models against the programs, run cycle by cycle. Runs on CPython and on MicroPython.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Clock = Callable[[], float]
    CountSource = Callable[[float, float, float], tuple[int, int, int]]

CLOCK_HZ = 125_000_000
FIFO_WORDS = 4
MASK = 0xFFFFFFFF
TIME_UP = MASK
NEVER = 1e30
LEASE_ROUND, GATE_OVERHEAD = 4, 6  # cycles
READERS, TAKE_OSR = {0x4020: 0, 0x4040: 1}, 0x80A0  # registers X and Y


class Machine:
    """A state machine as the firmware sees it: two queues of words, and a switch."""

    def __init__(self) -> None:
        self.running = False
        self.taken: list[int] = []
        self.told: list[int] = []

    def active(self, on: int) -> None:
        self.running = bool(on)

    def put(self, word: int) -> None:
        self.taken.append(word)

    def get(self) -> int:
        return self.told.pop(0)

    def rx_fifo(self) -> int:
        return len(self.told)

    def tx_fifo(self) -> int:
        return len(self.taken)

    def exec(self, opcode: int) -> None:
        raise ValueError(f"this machine is not meant to be given {opcode:04x}")

    def tell(self, word: int) -> None:
        if len(self.told) < FIFO_WORDS:  # a word too many is lost, as with `push noblock`
            self.told.append(word)


class LeaseMachine(Machine):
    """Dark, armed by a 0, lit by a number, and dark again when time or interlock say so."""

    def __init__(self, clock: "Clock", closed: "Callable[[], bool]") -> None:
        super().__init__()
        self.changed: Callable[[float, bool], None] = lambda _at_s, _lit: None
        self._clock, self._closed = clock, closed
        self._lit, self._armed = False, False
        self._until_s = 0.0

    def put(self, word: int) -> None:
        self.catch_up()
        now_s = self._clock()
        if self._lit:
            self._until_s = now_s + word * LEASE_ROUND / CLOCK_HZ
            if not word:
                self._end(now_s, TIME_UP)
        elif not word:
            self._armed = True
        elif self._armed:
            self._armed = False
            if self._closed():
                self._lit, self._until_s = True, now_s + word * LEASE_ROUND / CLOCK_HZ
                self.changed(now_s, True)
            else:
                self.tell(word)

    @property
    def next_end_s(self) -> float:
        """When it ends by itself, as of the last look."""
        return self._until_s if self._lit else NEVER

    def opened(self) -> None:
        """The interlock opens at this instant."""
        self.catch_up()
        if self._lit:
            self._end(self._clock(), 1)

    def stop(self) -> None:
        """The pin is taken from the machine, or the chip is reset."""
        self.catch_up()
        if self._lit:
            self._end(self._clock(), TIME_UP)

    def catch_up(self) -> None:
        """What has happened by now although nobody looked."""
        if self._lit and self._clock() >= self._until_s:
            self._end(self._until_s, TIME_UP)

    def ends_in_s(self) -> float:
        """How much longer it is lit if nothing else happens."""
        self.catch_up()
        return self._until_s - self._clock() if self._lit else 0.0

    def rx_fifo(self) -> int:
        self.catch_up()
        return len(self.told)

    def _end(self, at_s: float, word: int) -> None:
        self._lit = False
        self.tell(word)
        self.changed(at_s, False)


class CountMachine(Machine):
    """Two registers that count down; reading one is an instruction put in between."""

    def __init__(self, pace: "GateMachine") -> None:
        super().__init__()
        self.registers = [0, 0]
        self._pace = pace

    def exec(self, opcode: int) -> None:
        if opcode not in READERS:
            super().exec(opcode)
        self._pace.catch_up()
        which = READERS[opcode]
        running = self._pace.running_clicks(self) if which == self._pace.phase else 0
        self.tell((self.registers[which] - running) & MASK)


class WindowMachine(Machine):
    """Stretches a click, or delays one: its word is a time."""

    def __init__(self) -> None:
        super().__init__()
        self.word = 0

    def exec(self, opcode: int) -> None:
        if opcode != TAKE_OSR:
            super().exec(opcode)
        self.word = self.taken.pop(0)


class GateMachine(Machine):
    """One gate after the other; at the end of each it asks the world what was counted."""

    def __init__(self, clock: "Clock", stretch: WindowMachine, source: "CountSource") -> None:
        super().__init__()
        self.counters: list[CountMachine] = []
        self.phase = 0
        self._clock, self._stretch, self._source = clock, stretch, source
        self._length = 0
        self._begin_s = self._end_s = 0.0

    def active(self, on: int) -> None:
        super().active(on)
        if not on:
            return
        if not self.taken:
            raise ValueError("a gate machine that starts without a length floods the board")
        self._begin(self._clock())

    @property
    def next_end_s(self) -> float:
        """When the gate that was running at the last look ends."""
        return self._end_s if self.running else NEVER

    def catch_up(self) -> None:
        """Every gate that has ended by now, in order."""
        if not self.running:
            return
        now_s = self._clock()
        while now_s >= self._end_s:
            if not self._nobody_will_know(now_s):
                self._count()
            self.tell(self._length)
            self.phase = 1 - self.phase
            self._begin(self._end_s)

    def _begin(self, begin_s: float) -> None:
        self._begin_s, self._length = begin_s, self.taken.pop(0) if self.taken else self._length
        self._end_s = begin_s + (self._length + GATE_OVERHEAD) / CLOCK_HZ

    def _nobody_will_know(self, now_s: float) -> bool:
        """So many more have ended that the queue is full, and such gates count for nothing."""
        gate_s = self._end_s - self._begin_s
        return not self.taken and now_s - self._end_s >= FIFO_WORDS * gate_s

    def _count(self) -> None:
        counted, phase = self._clicks_until(self._end_s), self.phase
        for counter, clicks in zip(self.counters, counted):  # noqa: B905 - MicroPython's zip
            counter.registers[phase] = (counter.registers[phase] - clicks) & MASK

    def running_clicks(self, counter: CountMachine) -> int:
        """What a counter has seen of the gate that has not ended yet."""
        return self._clicks_until(self._clock())[self.counters.index(counter)]

    def rx_fifo(self) -> int:
        self.catch_up()
        return len(self.told)

    def tx_fifo(self) -> int:
        self.catch_up()
        return len(self.taken)

    def _clicks_until(self, end_s: float) -> "tuple[int, int, int]":
        return self._source(self._begin_s, end_s, (self._stretch.word + 1) / 2 / CLOCK_HZ)
