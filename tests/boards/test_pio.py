"""The I/O board's counting, cycle by cycle, against counts by brute force; and its light."""

import random
from itertools import pairwise

import pytest

from hil.emulators.io_board_machines import CLOCK_HZ, TIME_UP, LeaseMachine
from tests.boards.pio_bench import (
    Told,
    clicks,
    differences,
    programs,
    run,
    seen_later,
    side_pin,
    together,
)
from tests.boards.tools import assembler

APART, HIGH, LOW = 5.0, 2.0, 2.0  # cycles: the limit that the board's README states
LOOP_CYCLES = 3
LATE_CYCLES = 12  # of the lease: three rounds from being told to the pin
GATE_CYCLES = 400  # a three-hundredth of the shortest gate, so that readings come that often

ALL = pytest.mark.full, pytest.mark.timeout(7200)
HOW_MANY = [10_000, pytest.param(1_000_000, marks=ALL)]


def brute_gates(first_cycles: list[int], frozen: set[int], gates: int) -> list[int]:
    """Clicks per gate: each belongs to the phase found in the cycle after it was seen."""
    counts = [0] * gates
    for cycle in first_cycles:
        decided = cycle + (cycle in frozen) + 1
        counts[(decided + (decided in frozen)) // GATE_CYCLES] += 1
    return counts


def read_out(level: bytearray, frozen: list[int]) -> list[tuple[int, int, int]]:
    """Cycle, X and Y at each reading: an instruction put in between costs the program a cycle."""
    phase = bytearray(cycle // GATE_CYCLES % 2 for cycle in range(len(level)))
    gone = set(frozen)
    lived = [cycle for cycle in range(len(level)) if cycle not in gone]
    seen, due = [], iter(frozen)
    next_reading = next(due, -1)
    registers = (0, 0)
    steps = run(programs().COUNT, [level[c] for c in lived], [phase[c] for c in lived])
    for step, state in steps:
        while 0 <= next_reading < lived[step]:
            seen.append((next_reading, *registers))
            next_reading = next(due, -1)
        registers = (state.x_register, state.y_register)
    return seen


@pytest.mark.parametrize("count", HOW_MANY)
def test_no_click_is_lost_between_gates_or_to_a_reading(rng: random.Random, count: int) -> None:
    """Every gate, read once while the next one runs, holds exactly the clicks made in it."""
    pulses = clicks(rng, count, APART, HIGH, LOW, mean_more=2.0)
    gates = int(pulses.at[-1]) // GATE_CYCLES + 3
    level = pulses.sampled(gates * GATE_CYCLES)
    frozen = [gate * GATE_CYCLES + rng.randrange(10, GATE_CYCLES - 10) for gate in range(gates)]

    readings = read_out(level, frozen)

    resting = [reading[1:][(gate + 1) % 2] for gate, reading in enumerate(readings)]
    counted = [0] * (gates - 1)
    for parity in (0, 1):  # the reading in gate g is of the register that gate g - 1 filled
        values = resting[parity::2]
        for index, clicks_counted in enumerate(differences(values)):
            counted[parity + 2 * index + 1] = clicks_counted
    expected = brute_gates(pulses.first_cycles(), set(frozen), gates)
    assert counted[1:] == expected[1 : gates - 1]
    assert sum(expected) == count


@pytest.mark.parametrize(
    ("window", "count"),
    [(1, 4_000), (3, 8_000), (8, 4_000), pytest.param(3, 1_000_000, marks=ALL)],
)
def test_coincidences_are_those_that_brute_force_finds(
    rng: random.Random, window: int, count: int
) -> None:
    pio = programs()
    a = clicks(rng, count // 2, window + 8.0, HIGH, LOW, mean_more=3.0)
    b = clicks(rng, count // 2, 2 * window + 3.0, HIGH, LOW, mean_more=6.0)
    cycles = int(max(a.at[-1], b.at[-1])) + 100
    nothing = bytes(cycles)

    wide = side_pin(pio.STRETCH, b.sampled(cycles), nothing, 2 * window - 1)
    both = side_pin(
        pio.MEET, a.sampled(cycles), seen_later(wide, LOOP_CYCLES), window + LOOP_CYCLES - 2
    )
    pulses = sum(after > before for before, after in pairwise(both))

    expected = together(a.first_cycles(), b.first_cycles(), window)
    assert pulses == expected
    assert expected > count / 20


def test_gates_follow_each_other_to_the_cycle_and_take_a_new_length() -> None:
    gate = Told(programs().GATE)
    overhead = programs().GATE_OVERHEAD
    gate.put(94)
    gate.advance(250)
    gate.put(194)
    gate.advance(600)
    edges = [cycle for cycle, _level in gate.changes]
    assert [after - before for before, after in pairwise(edges)] == [100, 100, 200, 200]
    assert gate.take_reports() == [length - overhead for length in (100, 100, 100, 200)]


def test_the_emulated_lease_machine_is_the_program(rng: random.Random) -> None:
    """Random words and a random interlock: light begins, lasts and ends alike.

    A lease of 1, 21 or 61 rounds ends 4 cycles after one of the looks, 20 or more cycles apart.
    """
    program, now = Told(programs().LEASE), [0.0]
    model = LeaseMachine(lambda: now[0], lambda: bool(program.jump))
    model.active(1)
    changes: list[tuple[float, bool]] = []
    model.changed = lambda at_s, lit: changes.append((at_s * CLOCK_HZ, lit))
    for _ in range(1500):
        match rng.randrange(4):
            case 0:
                program.put(word := rng.choice((0, 0, 1, 21, 61)))
                model.put(word)
            case 1 if program.jump:
                model.opened()
                program.jump = 0
            case 1:
                program.jump = 1
            case _:
                pass
        program.advance(rng.choice((20, 40, 400)))
        now[0] = program.cycle / CLOCK_HZ
        assert bool(program.side) == (model.ends_in_s() > 0)
        told = [model.get() == TIME_UP for _ in range(model.rx_fifo())]
        assert [report == TIME_UP for report in program.take_reports()] == told
    assert [bool(level) for _cycle, level in program.changes] == [lit for _, lit in changes]
    late = [cycle - at for (cycle, _), (at, _) in zip(program.changes, changes, strict=True)]
    assert min(late) >= 0
    assert max(late) <= LATE_CYCLES
    assert len(changes) > 50


@pytest.mark.parametrize("name", ["COUNT", "GATE", "STRETCH", "MEET", "LEASE"])
def test_the_opcodes_are_what_an_assembler_makes_of_the_text(name: str) -> None:
    program = getattr(programs(), name)
    judged = assembler().Program(program.text)
    assert tuple(judged.assembled) == program.opcodes
    assert (judged.pio_kwargs["wrap_target"], judged.pio_kwargs["wrap"]) == program.wrap
    assert judged.pio_kwargs.get("sideset_pin_count", 0) == int(program.side)


def test_the_programs_fit_the_chip() -> None:
    pio = programs()
    assert len(pio.GATE.opcodes) + len(pio.COUNT.opcodes) <= 32
    assert sum(len(p.opcodes) for p in (pio.STRETCH, pio.MEET, pio.LEASE)) <= 32
