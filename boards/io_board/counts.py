"""Photons in gates that follow each other without a gap; nothing is lost between two of them.

Each counting machine has two free-running registers, for odd and even gates. The one that rests
is read while the other counts. A gate that was not read in time is in the next reading of its
register: the record then says the time it holds. Numbers skip only where clicks were lost.
"""

from pio import GATE_OVERHEAD, READ_X, READ_Y, TAKE_OSR

TYPE_CHECKING = False
if TYPE_CHECKING:
    import machine
    import rp2

MASK = 0xFFFFFFFF
GATE_FIFO = 4  # words; when it is full, ends of gates may have been missed
SHORTEST_MS, DEFAULT_MS, LONGEST_MS = 1, 10, 10_000
SILENCE_US = 2_500 * LONGEST_MS
KEPT = 32  # records
NOTHING = (0, 0, 0, 0, 0, 0)


class Counts:
    """Records of both channels, coincidences, µs counted, number of the record, µs at its end."""

    def __init__(
        self,
        counters: "list[rp2.StateMachine]",
        gate: "rp2.StateMachine",
        phase: "machine.Pin",
        clock_hz: int,
        uptime,
    ) -> None:
        self._counters, self._gate, self._phase = counters, gate, phase
        self._cycles_per_ms = clock_hz // 1000
        self._uptime = uptime
        self._records: list[tuple] = []
        self._number = 0
        self._last_us = uptime.us()
        self._bases: list = [None, None]  # what each register said when it was last read
        self._held = [0, 0]  # cycles that each register has counted since
        self._wanted = 0  # the length to tell the gate machine, once it has taken the one before
        self.set_gate(DEFAULT_MS)
        self.serve()
        gate.active(1)  # with its length waiting: without one its gates are too short to read

    def set_gate(self, ms: int) -> None:
        """From the next gate on."""
        self.gate_ms = ms
        self._wanted = ms * self._cycles_per_ms - GATE_OVERHEAD

    def serve(self) -> bool:
        """Collect what has ended; False when gates have ceased to end."""
        if self._wanted and not self._gate.tx_fifo():
            self._gate.put(self._wanted)
            self._wanted = 0
        while self._gate.rx_fifo():
            self._collect()
        return self._uptime.us() - self._last_us < SILENCE_US

    def newest(self) -> tuple:
        return self._records[-1] if self._records else NOTHING

    def since(self, number: int, most: int) -> list:
        """The records from that number on that are still kept, oldest first."""
        return [record for record in self._records if record[4] >= number][:most] or [NOTHING]

    def _collect(self) -> None:
        """Read the register of the gate that ended last, unless another ends meanwhile."""
        ended = self._gate.rx_fifo()
        resting = 1 - self._phase.value()  # a high phase counts in Y
        now = [self._read(counter, READ_Y if resting else READ_X) for counter in self._counters]
        if self._gate.rx_fifo() != ended:
            return  # nothing was changed, and nothing is lost by asking again
        self._last_us = self._uptime.us()
        lengths = [self._gate.get() + GATE_OVERHEAD for _ in range(ended)]
        self._number += 1
        if ended >= GATE_FIFO:
            self._number += ended  # more may be missing: no record tells of these
            self._bases = [None, None]
        for back, cycles in enumerate(reversed(lengths)):
            self._held[(resting + back) % 2] += cycles
        self._record(resting, now)

    def _record(self, resting: int, now: list) -> None:
        base, cycles = self._bases[resting], self._held[resting]
        self._bases[resting], self._held[resting] = now, 0
        if base is None:
            return
        counts = [(before - after) & MASK for before, after in zip(base, now)]  # they count down
        us = cycles * 1000 // self._cycles_per_ms
        self._records.append((counts[0], counts[1], counts[2], us, self._number, self._last_us))
        if len(self._records) > KEPT:
            self._records.pop(0)

    def _read(self, counter: "rp2.StateMachine", register: int) -> int:
        counter.exec(register)
        return counter.get()


class Window:
    """How far apart two clicks may be to count as a coincidence, either way."""

    LOOP_CYCLES = 3  # from the stretching machine's side pin to the meeting machine's jump pin
    LONGEST_NS = 1000
    DEFAULT_NS = 24

    def __init__(
        self, stretch: "rp2.StateMachine", meet: "rp2.StateMachine", clock_hz: int
    ) -> None:
        self._stretch, self._meet, self._clock_hz = stretch, meet, clock_hz
        self.set(self.DEFAULT_NS)

    def set(self, ns: int) -> None:
        """The nearest whole number of cycles, at least one."""
        cycles = max((ns * (self._clock_hz // 1000) + 500_000) // 1_000_000, 1)
        self.ns = cycles * 1_000_000 // (self._clock_hz // 1000)
        for machine, word in (
            (self._stretch, 2 * cycles - 1),
            (self._meet, cycles + self.LOOP_CYCLES - 2),
        ):
            machine.put(word)
            machine.exec(TAKE_OSR)
