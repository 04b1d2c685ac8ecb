"""The emulated lasers alone: when there is light, and what they make of any bytes."""

import random
import tracemalloc
from dataclasses import replace

import pytest

from hil.emulators.cobolt import MLD_HEAD, Cobolt, CoboltModel
from hil.emulators.laser_head import LaserHead, Trip
from hil.emulators.obis import LX_HEAD, Obis, ObisModel
from hil.emulators.serial_laser import LINE_LIMIT, SerialLaser
from tests.hand_clock import HandClock

kinds = pytest.mark.parametrize("kind", ["cobolt", "obis"])


class Bench:
    """A laser on a clock put on by hand, and what left it when."""

    def __init__(self, kind: str) -> None:
        self.clock, self.light = HandClock(), list[tuple[float, float]]()
        self.unit: SerialLaser = (
            Cobolt(CoboltModel(), self.clock, 1, self._shine, self.clock.later)
            if kind == "cobolt"
            else Obis(ObisModel(), self.clock, 1, self._shine, self.clock.later)
        )

    def ask(self, text: str) -> str:
        return self.unit.receive(text.encode() + b"\r").decode()

    def _shine(self, at_s: float, power_uw: float) -> None:
        self.light.append((round(at_s, 3), power_uw))


def head(clock: HandClock, light: list[tuple[float, float]], **changes: object) -> LaserHead:
    nature = replace(MLD_HEAD, boot_s=1.0, warm_up_s=9.0, **changes)  # type: ignore[arg-type]
    made = LaserHead(
        nature, clock, 1, lambda at_s, uw: light.append((round(at_s, 3), uw)), clock.later
    )
    made.power_on()
    return made


def test_a_cobolt_left_alone_lights_up_when_it_is_warm() -> None:
    """Autostart: the reason why permission is the board's and not the laser's."""
    bench = Bench("cobolt")
    bench.clock.advance(100)
    assert bench.light == [(62.0, 200_000.0)]


def test_an_obis_left_alone_stays_dark() -> None:
    bench = Bench("obis")
    bench.clock.advance(1000)
    assert bench.light == []


def test_light_is_told_at_the_instant_it_comes_and_goes() -> None:
    clock, light = HandClock(), list[tuple[float, float]]()
    made = head(clock, light, autostart=False, emission_delay_s=5.0)
    clock.advance(20)
    made.set_power(700.0)
    made.ask(on=True)
    clock.advance(10)
    made.set_power(900.0)
    made.sag(0.5)
    made.ask(on=False)
    assert light == [(25.0, 700.0), (30.0, 900.0), (30.0, 450.0), (30.0, 0.0)]


def test_what_was_asked_for_and_taken_back_before_it_was_warm_brings_no_light() -> None:
    clock, light = HandClock(), list[tuple[float, float]]()
    made = head(clock, light, autostart=False)
    clock.advance(2)
    made.ask(on=True)
    clock.advance(1)
    made.ask(on=False)
    clock.advance(100)
    assert light == []


@pytest.mark.parametrize("cause", list(Trip))
def test_a_trip_ends_the_light_until_cleared_and_asked_again(cause: Trip) -> None:
    clock, light = HandClock(), list[tuple[float, float]]()
    made = head(clock, light)
    clock.advance(20)
    made.trip(cause)
    made.ask(on=True)
    clock.advance(20)
    assert light[-1] == (20.0, 0.0)
    assert made.clear()
    assert light[-1] == (40.0, MLD_HEAD.most_uw), "it was asked meanwhile"


def test_cold_again_it_is_dark_until_warm() -> None:
    clock, light = HandClock(), list[tuple[float, float]]()
    made = head(clock, light)
    clock.advance(20)
    made.chill(7.0)
    clock.advance(20)
    assert light == [(10.0, 200_000.0), (20.0, 0.0), (27.0, 200_000.0)]


@kinds
def test_it_is_deaf_while_it_boots_and_while_it_is_off(kind: str) -> None:
    bench = Bench(kind)
    assert bench.ask("gfv?") == bench.ask("*IDN?") == ""
    bench.clock.advance(5)
    assert bench.ask("gfv?" if kind == "cobolt" else "*IDN?")
    bench.unit.power_off()
    assert bench.ask("gfv?") == bench.ask("*IDN?") == ""


@kinds
def test_a_power_cycle_forgets_power_and_fault(kind: str) -> None:
    bench = Bench(kind)
    bench.clock.advance(100)
    bench.unit.head.set_power(500.0)
    bench.unit.head.trip()
    bench.unit.power_cycle()
    bench.clock.advance(5)
    most_uw = (MLD_HEAD if kind == "cobolt" else LX_HEAD).most_uw
    assert (bench.unit.head.set_uw, bench.unit.head.trip_cause) == (most_uw, None)
    assert not bench.unit.head.warm


WORDS = (
    *(
        "l0",
        "l1",
        "@cob1",
        "p ",
        "p?",
        "slp ",
        "0.01",
        "1e9",
        "nan",
        "cf",
        "gom?",
        "ilk?",
        " ",
        "-",
    ),
    *("SYST:", "SOUR:", "AM:", "STAT", "POW:LEV:IMM:AMPL ", "ON", "OFF", "*RST", "?", ":", "\n"),
)


@kinds
def test_no_line_breaks_it_nor_takes_it_beyond_its_power(kind: str, rng: random.Random) -> None:
    bench = Bench(kind)
    for _ in range(3000):
        bench.ask("".join(rng.choice(WORDS) for _ in range(4)))
        bench.clock.advance(0.1)
        assert 0.0 <= bench.unit.head.output_uw <= bench.unit.head.nature.most_uw


@kinds
def test_no_bytes_break_it_and_an_endless_line_costs_no_memory(
    kind: str, rng: random.Random
) -> None:
    bench = Bench(kind)
    bench.clock.advance(100)
    for _ in range(2000):
        bench.unit.receive(rng.randbytes(20))
    tracemalloc.start()
    for _ in range(1000):
        bench.unit.receive(b"x" * 10 * LINE_LIMIT)
    assert tracemalloc.get_traced_memory()[0] < 200 * LINE_LIMIT
    tracemalloc.stop()
    bench.unit.receive(b"\r")
    assert bench.ask("l?" if kind == "cobolt" else "*IDN?")
