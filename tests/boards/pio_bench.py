"""State-machine programs of the I/O board, run cycle by cycle on signals made for them."""

import bisect
import dataclasses
import importlib
import importlib.util
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

FIRMWARE = Path(__file__).parents[2] / "boards" / "io_board"
MASK = 0xFFFFFFFF
INPUT, JUMP, SIDE = 0, 1, 2  # pins: what the program waits on, what it jumps on, what it drives

pioemu: Any = importlib.import_module("pioemu")


@cache
def programs() -> Any:
    """The module boards/io_board/pio.py, which no package holds."""
    spec = importlib.util.spec_from_file_location("board_pio", FIRMWARE / "pio.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Clicks(NamedTuple):
    """Pulses at instants in cycles; asynchronous to the clock, as detectors are."""

    at: list[float]
    long: list[float]

    def sampled(self, cycles: int) -> bytearray:
        """The level that the chip sees at each cycle."""
        level = bytearray(cycles)
        for at, long in zip(self.at, self.long, strict=True):
            for cycle in range(-int(-at // 1), -int(-(at + long) // 1)):
                level[cycle] = 1
        return level

    def first_cycles(self) -> list[int]:
        """The cycle at which each pulse is seen first."""
        return [-int(-at // 1) for at in self.at]


def clicks(
    rng: random.Random, count: int, apart: float, high: float, low: float, mean_more: float
) -> Clicks:
    """Pulses whose spacing goes down to the limits, one in three right at them."""
    at, long, now = [], [], 20.0 + rng.random()
    for _ in range(count):
        more = rng.choice((0.0, rng.random(), rng.expovariate(1 / mean_more)))
        width = high + rng.choice((0.0, rng.random() * (apart + more - low - high)))
        at.append(now)
        long.append(width)
        now += max(apart, width + low) + more
    return Clicks(at, long)


def steps(program: Any, state: Any, end: int, pins: Callable[[int], int]) -> Iterator[Any]:
    """The machine's state before and after each instruction, up to a cycle."""

    def over(_opcode: int, state: Any) -> bool:
        return bool(state.clock >= end)

    def source(cycle: int) -> int:
        return pins(cycle)

    return iter(
        pioemu.emulate(
            list(program.opcodes),
            stop_when=over,
            initial_state=state,
            input_source=source,
            jmp_pin=JUMP,
            side_set_base=SIDE,
            side_set_count=int(program.side),
            wrap_target=program.wrap[0],
            wrap_top=program.wrap[1],
        )
    )


def run(
    program: Any, level: Sequence[int], jump: Sequence[int], word: int = 0
) -> Iterator[tuple[int, Any]]:
    """Each cycle's number, and the machine's state after it; `word` is in the OSR."""
    osr = pioemu.ShiftRegister(word, 0)
    state = pioemu.State(pin_directions=1 << SIDE, output_shift_register=osr)
    for before, after in steps(
        program, state, len(level), lambda cycle: level[cycle] << INPUT | jump[cycle] << JUMP
    ):
        yield before.clock, after


class Told:
    """A program that is told words while it runs, and watched; one jump pin."""

    def __init__(self, program: Any) -> None:
        self.changes: list[tuple[int, int]] = []  # cycle and level of the side pin
        self.jump = 0
        self._program = program
        self._state = pioemu.State(pin_directions=1 << SIDE)

    @property
    def cycle(self) -> int:
        return int(self._state.clock)

    @property
    def side(self) -> int:
        return int(self._state.pin_values >> SIDE & 1)

    def put(self, word: int) -> None:
        fifo = self._state.transmit_fifo.copy()
        fifo.append(word)
        self._state = dataclasses.replace(self._state, transmit_fifo=fifo)

    def take_reports(self) -> list[int]:
        reports = list(self._state.receive_fifo)
        self._state = dataclasses.replace(self._state, receive_fifo=deque())
        return reports

    def advance(self, cycles: int) -> None:
        for before, after in steps(
            self._program, self._state, self.cycle + cycles, lambda _: self.jump << JUMP
        ):
            if (before.pin_values ^ after.pin_values) >> SIDE & 1:
                self.changes.append((before.clock, after.pin_values >> SIDE & 1))
            self._state = after


def side_pin(program: Any, level: Sequence[int], jump: Sequence[int], word: int) -> bytearray:
    """What the program drives onto its side pin, cycle by cycle as it executes."""
    driven = bytearray(len(level))
    for cycle, state in run(program, level, jump, word):
        for lasting in range(cycle, min(state.clock, len(driven))):
            driven[lasting] = state.pin_values >> SIDE & 1
    return driven


def seen_later(level: bytearray, cycles: int) -> bytearray:
    """What another machine sees of a driven pin: after the pad and the synchroniser."""
    return bytearray(cycles) + level[: len(level) - cycles]


def together(a: list[int], b: list[int], window: int) -> int:
    """How many of a have one of b within the window, by looking at each."""
    return sum(
        bisect.bisect_left(b, cycle - window) < bisect.bisect_right(b, cycle + window)
        for cycle in a
    )


def differences(values: list[int]) -> list[int]:
    return [(before - after) & MASK for before, after in pairwise(values)]
