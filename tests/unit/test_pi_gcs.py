"""The emulated PI controller: what the wire says, and what the stage behind it does."""

import random
import tracemalloc

import pytest

from hil.emulators.pi_gcs import PiGcs
from hil.emulators.pi_gcs_models import C863, C867, E727, E753, Model

SETTLED_S = 0.5
NOISE_UM = 0.006  # six sigma


class Bench:
    """A controller, and a clock that is put on by hand."""

    def __init__(self, model: Model = E727, seed: int = 1) -> None:
        self.now_s = 0.0
        self.unit = PiGcs(model, lambda: self.now_s, seed)

    def ask(self, text: str, after_s: float = 0.0) -> str:
        self.now_s += after_s
        return self.unit.receive(text.encode("latin-1")).decode("latin-1")

    def numbers(self, query: str, after_s: float = 0.0) -> list[float]:
        replies = self.ask(query + "\n", after_s).splitlines()
        return [float(reply.partition("=")[2]) for reply in replies]


@pytest.fixture
def bench() -> Bench:
    """An E-727 with the servo on, resting at 10, 20, 5."""
    bench = Bench()
    bench.ask("SVO 1 1 2 1 3 1\nMOV 1 10 2 20 3 5\n")
    bench.now_s += SETTLED_S
    return bench


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ("CSV?\n", "2.0\n"),
        ("csv?\n", "2.0\n"),
        ("SAI? ALL\n", "1 \n2 \n3\n"),
        ("SVO? 3 1\n", "3=1 \n1=1\n"),
        ("ONT?\n", "1=1 \n2=1 \n3=1\n"),
        ("TMX? 1\n", "1=2.000000000e+02\n"),
        ("TMN? 1\n", "1=0.000000000e+00\n"),
        ("\x05\x07", "0\n\xb1\n"),
        ("MOV 1 12 2 22.5 \nERR?\nMOV? 2 1\n", "0\n2=2.250000000e+01 \n1=1.200000000e+01\n"),
        ("MVR 2 -1.5\nMOV? 2\n", "2=1.850000000e+01\n"),
        ("MO\x07V 1 3\nMOV? 1\n", "\xb1\n1=3.000000000e+00\n"),
        ("MOV 1 1\nMOV 2 2\n\x05", "3\n"),
        ("MOV 1 1 2 2 3 1\n\x05ONT?\n", "7\n1=0 \n2=0 \n3=0\n"),
        ("\nERR?\n", "0\n"),
    ],
)
def test_it_answers(bench: Bench, sent: str, answer: str) -> None:
    assert bench.ask(sent) == answer


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("XYZ", 2),
        ("XYZ?", 2),
        ("FRF 1", 2),
        ("#24", 2),
        ("\xff\x00MOV 1 11", 2),
        ("MOV 1 " + "0" * 10_000, 3),
        ("MOV 1 200.001", 7),
        ("MOV 1 -0.001", 7),
        ("MOV 1 1e999", 7),
        ("MOV 1 11 2 999", 7),
        ("MVR 1 -10.5", 7),
        ("VEL 1 0", 8),
        ("VEL 1 1e9", 8),
        ("STP", 10),
        ("POS? 4", 15),
        ("MOV 1 11 x 2", 15),
        ("SVO 1 2", 17),
        ("MOV 1 11 1 12", 22),
        ("MOV 1", 24),
        ("MOV", 24),
        ("MOV 1 nan", 1),
        ("MOV 1 1_1", 1),
        ("MOV 1 11,0", 1),
        ("MOV 1 11 2 \xb2", 1),
        ("SPA? 1 0x1", 54),
        ("SVA 1 11", 79),
    ],
)
def test_it_refuses_a_line_as_a_whole(bench: Bench, line: str, code: int) -> None:
    before_um = bench.numbers("MOV?")
    assert bench.ask(line + "\n") == ""
    assert bench.ask("ERR?\nERR?\n") == f"{code}\n0\n"
    assert bench.numbers("MOV?") == pytest.approx(before_um, abs=1e-6)
    assert bench.unit.true_position_um() == pytest.approx((10, 20, 5), abs=1e-3)


@pytest.mark.parametrize("line", ["MOV 1 10", "MVR 1 1"])
def test_it_moves_only_with_the_servo_on(line: str) -> None:
    assert Bench().ask(f"{line}\nERR?\n") == "5\n"


def test_it_takes_bytes_however_they_are_cut(rng: random.Random) -> None:
    script = b"*IDN?\nSVO 1 1\nMOV 1 10\n\x05\x07POS?\nXYZ\nERR?\nS\x18VO?\nERR?\n" * 3
    whole = Bench().unit.receive(script)
    assert whole.count(b"\n") == 3 * (1 + 2 + 3 + 1 + 3 + 1)
    for most in (1, 3, 30):
        unit, answer, rest = Bench().unit, b"", script
        while rest:
            size = rng.randint(1, most)
            answer, rest = answer + unit.receive(rest[:size]), rest[size:]
        assert answer == whole


def test_garbage_leaves_it_sane(bench: Bench, rng: random.Random) -> None:
    for _ in range(200):
        noise = rng.randbytes(rng.randrange(1, 300))
        bench.ask(noise.decode("latin-1"), after_s=0.01)
    bench.ask("\nERR?\n")
    assert bench.ask("ERR?\n") == "0\n"


def test_a_line_without_end_fills_no_memory(bench: Bench) -> None:
    tracemalloc.start()
    try:
        for _ in range(50):
            bench.ask("x" * 100_000)
        held, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 100_000
    assert bench.ask("\nERR?\n") == "3\n"


def test_the_truth_follows_the_target_and_the_reading_the_truth(bench: Bench) -> None:
    bench.ask("MOV 1 60 2 0 3 200\n")
    for _ in range(20):
        truth_um = bench.unit.true_position_um()
        assert bench.numbers("POS?", after_s=0.0) == pytest.approx(truth_um, abs=NOISE_UM)
        bench.now_s += 0.01
    assert bench.unit.true_position_um() == pytest.approx((60, 0, 200), abs=0.001)


def test_on_target_means_settled(bench: Bench) -> None:
    """Within 10 nm, and for 10 ms already."""
    bench.ask("MOV 1 30\n")
    near_since_s = bench.now_s
    while bench.ask("ONT? 1\n", after_s=0.001) == "1=0\n":
        if abs(bench.unit.true_position_um()[0] - 30) > 0.01:
            near_since_s = bench.now_s
    assert near_since_s > SETTLED_S + 0.01
    assert bench.now_s - near_since_s == pytest.approx(0.011, abs=0.0011)


def test_a_slow_axis_takes_its_time_until_it_is_hurried(bench: Bench) -> None:
    bench.ask("VEL 1 10\nMOV 1 60\n")
    bench.now_s += 1.0
    assert bench.unit.true_position_um()[0] == pytest.approx(20, abs=0.1)
    bench.ask("VEL 1 1000\n")
    bench.now_s += 0.2
    assert bench.unit.true_position_um()[0] == pytest.approx(60, abs=0.001)


@pytest.mark.parametrize("stop", ["\x18", "STP\n"])
def test_stop_stops(bench: Bench, stop: str) -> None:
    bench.ask("VEL 1 10 2 10\nMOV 1 60 2 60\n")
    assert bench.ask(stop + "ERR?\nERR?\n", after_s=1.0) == "10\n0\n"
    stopped_um = bench.unit.true_position_um()
    assert bench.numbers("MOV?", after_s=5.0) == pytest.approx(stopped_um)
    assert bench.unit.true_position_um() == stopped_um
    assert bench.ask("\x05") == "0\n"


def test_open_loop_is_crooked_and_creeps() -> None:
    bench = Bench()
    bench.ask("SVA 1 100\n")
    rest_um = E727.axes[0].rest_um
    [_, at_once] = bench.numbers("POS? 1 1", after_s=0.1)
    [later] = bench.numbers("POS? 1", after_s=100.0)
    assert 2.0 < abs(at_once - rest_um - 100) < 20.0
    assert (later - at_once) / (at_once - rest_um) == pytest.approx(0.045, rel=0.01)
    bench.ask("SVR 1 -100\n")
    assert bench.numbers("SVA? 1") == pytest.approx([0.0], abs=1e-9)
    assert bench.numbers("POS? 1")[0] > rest_um + 2.0


def test_the_servo_takes_over_where_the_stage_is() -> None:
    bench = Bench()
    truth_um = bench.unit.true_position_um()
    bench.ask("SVO 1 1\n")
    assert bench.numbers("MOV? 1")[0] == pytest.approx(truth_um[0])
    bench.ask("MOV 1 50\n")
    bench.ask("SVO 1 1\n", after_s=0.005)  # once more, on the way, changes nothing
    bench.ask("SVO 1 0\n", after_s=SETTLED_S)
    bench.now_s += 3600
    assert bench.unit.true_position_um()[0] == pytest.approx(50, abs=0.001)
    assert bench.ask("ONT? 1\n") == "1=0\n"


def test_an_autozero_sweeps_and_is_refused_company(bench: Bench) -> None:
    assert bench.ask("ATZ 1 NaN\n\x07ERR?\nMOV 2 1\nERR?\nMOV 1 1\nERR?\n") == "\xb0\n0\n0\n61\n"
    places_um = []
    while bench.ask("ATZ? 1\n", after_s=0.01) == "1=0\n":
        places_um.append(bench.unit.true_position_um()[0])
        assert bench.now_s < 60.0
    assert min(places_um) < 1.0
    assert max(places_um) > 199.0
    assert bench.ask("\x07SVO? 1\nERR?\n") == "\xb1\n1=0\n0\n"


def test_a_stopped_autozero_counts_for_nothing(bench: Bench) -> None:
    bench.ask("ATZ 1 NaN\n")
    bench.ask("\x18", after_s=1.0)
    stopped_um = bench.unit.true_position_um()[0]
    assert bench.ask("ATZ? 1\n\x07", after_s=60.0) == "1=0\n\xb1\n"
    assert bench.unit.true_position_um()[0] == pytest.approx(stopped_um)


@pytest.mark.parametrize("by_command", [True, False])
def test_a_power_cycle_forgets(bench: Bench, by_command: bool) -> None:
    bench.ask("XYZ\nVEL 1 7\nMOV 1 150\n")
    bench.ask("MOV 1 1", after_s=60.0)  # half a line
    if by_command:
        assert bench.ask("\nRBT\nSVO?\n") == ""
    else:
        bench.unit.power_cycle()
    assert bench.ask("SVO?\n", after_s=1.0) == ""
    assert bench.ask("ERR?\nSVO?\n", after_s=E727.startup_s) == "0\n1=0 \n2=0 \n3=0\n"
    assert bench.numbers("SVA?") == [0.0, 0.0, 0.0]
    assert bench.numbers("VEL? 1") == [E727.axes[0].speed]
    stray_um = bench.unit.true_position_um()[0] - E727.axes[0].rest_um
    assert 1.0 < stray_um < 30.0  # hysteresis keeps it from falling back all the way


def test_a_frozen_controller_is_silent_until_the_power_is_cycled(bench: Bench) -> None:
    bench.unit.frozen = True
    assert bench.ask("*IDN?\n\x05MOV 1 50\n", after_s=100.0) == ""
    bench.unit.power_cycle()
    assert bench.ask("ERR?\n", after_s=E727.startup_s) == "0\n"


def test_a_stuck_axis_stays_and_the_others_move(bench: Bench) -> None:
    bench.unit.stick("1")
    assert bench.ask("MOV 1 50 2 50\nERR?\n") == "0\n"
    assert bench.ask("ONT? 1 2\nOVF? 1 2\n\x05", after_s=10.0) == "1=0 \n2=1\n1=1 \n2=0\n1\n"
    assert bench.unit.true_position_um() == pytest.approx((10, 50, 5), abs=0.001)
    bench.unit.free("1")
    assert bench.unit.true_position_um()[0] == pytest.approx(10, abs=0.001)
    assert bench.ask("ONT? 1\n", after_s=SETTLED_S) == "1=1\n"
    assert bench.unit.true_position_um()[0] == pytest.approx(50, abs=0.001)


def test_a_motor_wants_a_reference() -> None:
    bench = Bench(C863)
    assert bench.ask("SVO 1 1\nPOS?\nMOV 1 5\nERR?\n") == "1=0.00000\n5\n"
    assert bench.ask("FRF\nERR?\nFRF?\n\x07\x05") == "0\n1=0\n\xb0\n1\n"
    assert bench.ask("FRF?\n\x07POS?\n", after_s=10.0) == "1=1\n\xb1\n1=19.50000\n"
    assert bench.ask("MOV 1 5\nERR?\n") == "0\n"
    assert bench.ask("POS?\n", after_s=10.0) == "1=5.00000\n"
    assert bench.unit.true_position_um() == pytest.approx((5000,), abs=0.5)


def test_a_motor_may_be_told_where_it_is() -> None:
    bench = Bench(C863)
    assert bench.ask("SVO 1 1\nPOS 1 3\nERR?\nRON 1 0\nPOS 1 3\nERR?\nFRF?\n") == "88\n0\n1=1\n"
    assert bench.ask("FRF\nERR?\nPOS?\n") == "50\n1=3.00000\n"
    before_um = bench.unit.true_position_um()[0]
    bench.ask("MOV 1 4\n")
    bench.now_s += 10.0
    assert bench.unit.true_position_um()[0] == pytest.approx(before_um + 1000, abs=0.5)


@pytest.mark.parametrize("search", ["FRF", "FNL", "FPL"])
def test_a_stuck_motor_finds_no_reference(search: str) -> None:
    bench = Bench(C867)
    bench.ask("SVO 1 1 2 1\n")
    bench.unit.stick("2")
    assert bench.ask(search + "\nERR?\n") == "0\n"
    assert bench.ask("FRF?\n", after_s=60.0) == "1=1 \n2=0\n"


@pytest.mark.parametrize("model", [E727, E753, C863, C867])
def test_it_knows_every_command_it_names(model: Model) -> None:
    bench = Bench(model)
    _, *named, _ = bench.ask("HLP?\n").replace(" \n", "\n").splitlines()
    lines = [name for name in named if not name.startswith("#")]
    assert len(lines) > 20
    for name in lines:
        bench.ask(f"{name} 1 0\n")
        assert bench.ask("ERR?\n", after_s=100.0) != "2\n", name


def test_the_same_seed_gives_the_same_readings() -> None:
    one, same, other = (Bench(seed=seed).numbers("POS?") for seed in (1, 1, 2))
    assert one == same != other
