"""Gates, coincidences, DAC, thermometers, clock."""

from tests.boards.desk import Desk

OK = '0,"No error"'


class Photons:
    """A world with numbered clicks: each channel's next click is one more than the last."""

    def __init__(self) -> None:
        self.made = [0, 0, 0]
        self.windows_s: list[float] = []

    def __call__(self, begin_s: float, end_s: float, window_s: float) -> "tuple[int, int, int]":
        us = round((end_s - begin_s) * 1e6)
        clicks = (us, 2 * us + 1, us // 100)
        self.made = [old + new for old, new in zip(self.made, clicks)]  # noqa: B905
        self.windows_s.append(window_s)
        return clicks


def records(desk: Desk, query: str) -> "list[list[int]]":
    return [[int(value) for value in record.split(",")] for record in desk.ask(query).split(";")]


def counting(gate_ms: int) -> "tuple[Desk, Photons]":
    desk, photons = Desk(), Photons()
    desk.world.source = photons
    assert desk.order(f"GATE {gate_ms}") == OK
    return desk, photons


def all_records(desk: Desk, ms: int, turn_ms: int) -> "list[list[int]]":
    """Everything told in that time, asked for often enough."""
    found: list[list[int]] = []
    for _ in range(ms // (4 * turn_ms)):
        desk.after(4 * turn_ms, turn_ms)
        following = found[-1][4] + 1 if found else 1
        found += [record for record in records(desk, f"COUN? {following}") if record[4]]
    return found


def case_every_gate_is_told_once_with_what_was_made_in_it() -> None:
    desk, _photons = counting(5)
    found = all_records(desk, 400, 1)
    numbers = [record[4] for record in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(found) > 70
    for a, b, both, us, _number, _end_us in found[2:]:
        assert (a, b, both, us) == (5000, 10001, 50, 5000)


def case_gates_that_were_not_read_in_time_are_in_the_next_reading() -> None:
    """A loop of 12 ms and gates of 5: neither time nor clicks nor numbers are lost."""
    desk, photons = counting(5)
    desk.after(60, 12)
    photons.made = [0, 0, 0]
    found = all_records(desk, 2400, 12)
    told_us = sum(record[3] for record in found)
    assert abs(told_us - 2_400_000) <= 30_000, told_us
    assert abs(sum(record[0] for record in found) - photons.made[0]) <= 30_000
    assert {record[3] for record in found} == {10_000, 15_000} or len(found) > 100
    assert all(record[0] == record[3] for record in found)
    numbers = [record[4] for record in found[1:]]  # the second register began with the third gate
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def case_gates_that_are_lost_are_missed_in_the_numbers() -> None:
    desk, _photons = counting(5)
    before = all_records(desk, 100, 1)[-1]
    desk.now_s += 0.1
    desk.after(50)
    after = records(desk, f"COUN? {before[4] + 1}")
    assert after[0][4] > before[4] + 4
    assert all(record[3] == 5000 and record[0] == 5000 for record in after)


def case_nothing_yet_and_nothing_left_are_told_as_such() -> None:
    desk = Desk()
    assert records(desk, "COUN?") == [[0, 0, 0, 0, 0, 0]]
    desk.after(1000)
    newest = records(desk, "COUN?")[0]
    assert 98 <= newest[4] <= 100
    assert records(desk, f"COUN? {newest[4]}") == [newest]
    assert records(desk, f"COUN? {newest[4] + 1}") == [[0, 0, 0, 0, 0, 0]]
    oldest = records(desk, "COUN? 1")
    assert [record[4] for record in oldest] == list(range(newest[4] - 31, newest[4] - 23))


def case_another_gate_holds_from_the_next_one_on() -> None:
    desk, _photons = counting(5)
    desk.after(100)
    desk.order("GATE 50")
    desk.order("GATE 20")  # the last word counts
    desk.after(300)
    assert desk.ask("GATE?") == "20"
    lengths = [record[3] for record in records(desk, "COUN? 1") + records(desk, "COUN?")]
    assert lengths[-1] == 20_000
    assert set(lengths) <= {5_000, 20_000, 50_000}


def case_the_longest_gate_does_not_look_like_a_defect() -> None:
    desk, _photons = counting(10_000)
    desk.after(31_000, 100)
    assert records(desk, "COUN?")[0][3] == 10_000_000
    assert desk.ask("WATC?").startswith("POWER,1,")


def case_the_window_is_whole_cycles() -> None:
    desk, photons = counting(5)
    for ns, told in ((24, 24), (1, 8), (100, 104), (1000, 1000)):
        assert desk.order(f"WIND {ns}") == OK
        assert desk.ask("WIND?") == str(told)
        desk.after(10)
        assert abs(photons.windows_s[-1] - told * 1e-9) < 1e-12


def case_the_dac_is_written_and_read_back() -> None:
    desk = Desk()
    for channel, code in ((0, 1), (3, 65535), (1, 32768), (3, 0)):
        assert desk.order(f"DAC {channel},{code}") == OK
        assert desk.world.codes[channel] == code
        assert desk.ask(f"DAC? {channel}") == str(code)
    desk.world.dac_answers = False
    assert desk.order("DAC 1,5").startswith("-240,")
    assert desk.world.codes[1] == 32768


def case_the_lens_flips_and_falls_back_with_the_power() -> None:
    desk = Desk()
    assert desk.ask("LENS?") == "0"
    assert not desk.world.wide
    for wide in (1, 1, 0, 1):
        assert desk.order(f"LENS {wide}") == OK
        assert desk.ask("LENS?") == str(wide)
        assert desk.world.wide == bool(wide)
    desk.boot()
    assert desk.ask("LENS?") == "0"
    assert not desk.world.wide


def case_temperatures_in_degrees() -> None:
    desk = Desk()
    desk.world.temperatures_c = [-12.5, 100.0078125]
    desk.after(260)
    assert desk.ask("TEMP?") == "-12.500,100.008"


def case_the_clock_grows_over_the_wrap_of_the_ticks() -> None:
    desk = Desk()
    for _ in range(60):
        before = int(desk.ask("CLOC?"))
        desk.now_s += 60.0001
        assert abs(int(desk.ask("CLOC?")) - before - 60_000_100) <= 1
