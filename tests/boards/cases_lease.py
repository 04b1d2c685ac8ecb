"""The lease: every way in which light ends, how soon, and the only way in which it begins."""

from hil.emulators.io_board_chip import Chip
from tests.boards.desk import SETTLED_MS, Desk, part, sealed

OK = '0,"No error"'
MS = 0.001


def dark_at(desk: Desk) -> float:
    """When the light went out; it must be out."""
    assert not desk.world.laser_on
    assert desk.light[-1][1] is False
    return desk.light[-1][0]


def state(desk: Desk) -> "list[str]":
    return desk.ask("LEAS?").split(",")


def relit(desk: Desk) -> None:
    """The way back: own up to the end, then ask anew."""
    told = desk.order("LEAS 250")
    assert told.startswith("-221,"), told
    assert not desk.world.laser_on
    assert desk.order("LEAS 0") == OK
    assert not desk.world.laser_on
    assert desk.order("LEAS 250") == OK
    assert desk.world.laser_on


def case_boot_is_dark_and_a_renewal_does_not_change_that() -> None:
    desk = Desk()
    desk.world.interlock_closed = True
    desk.after(SETTLED_MS)
    assert state(desk)[:3] == ["ENDED", "0", "POWER"]
    relit(desk)


def case_it_ends_by_itself_to_the_cycle() -> None:
    for ms in (1, 20, 250, 500):
        desk = Desk()
        desk.light_up(ms)
        begun_s = desk.now_s
        desk.after(600)
        late_s = dark_at(desk) - begun_s - ms * MS
        assert abs(late_s) < 1e-6, (ms, late_s)
        assert state(desk)[:3] == ["ENDED", "0", "EXPIRED"]
        relit(desk)


def case_renewed_it_lasts() -> None:
    desk = Desk()
    desk.light_up()
    for _ in range(50):
        desk.after(100)
        assert desk.order("LEAS 250") == OK
    assert desk.light == [(desk.light[0][0], True)]
    assert state(desk)[0] == "LIT"
    desk.order("LEAS 20")  # a renewal may also shorten
    begun_s = desk.now_s
    desk.after(100)
    assert abs(dark_at(desk) - begun_s - 20 * MS) < 1e-6


def case_given_back_it_is_dark_at_once() -> None:
    desk = Desk()
    desk.light_up()
    assert desk.order("LEAS 0") == OK
    assert dark_at(desk) == desk.now_s
    assert state(desk)[:3] == ["IDLE", "0", "RELEASED"]


def case_the_interlock_ends_it_at_once_and_for_good() -> None:
    desk = Desk()
    desk.light_up()
    desk.now_s += 0.0004
    desk.world.interlock_closed = False
    assert dark_at(desk) == desk.now_s
    desk.after(2)
    assert state(desk)[:3] == ["ENDED", "0", "INTERLOCK"]
    desk.world.interlock_closed = True
    desk.after(3000)
    assert not desk.world.laser_on
    relit(desk)


def case_a_bounce_shorter_than_a_turn_of_the_loop_is_an_opening() -> None:
    desk = Desk()
    desk.light_up()
    desk.now_s += 0.0004
    desk.world.interlock_closed = False
    desk.now_s += 0.0001
    desk.world.interlock_closed = True
    assert desk.order("LEAS 250").startswith("-221,")  # it was under way when the door moved
    desk.after(5)
    assert state(desk)[:3] == ["ENDED", "0", "INTERLOCK"]
    desk.order("LEAS 0")
    assert desk.order("LEAS 250").startswith("-221,")
    assert desk.ask("INT?") == "0"
    desk.after(SETTLED_MS)
    assert desk.ask("INT?") == "1"
    assert desk.order("LEAS 250") == OK


def case_a_door_that_chatters_is_never_closed() -> None:
    desk = Desk()
    desk.order("LEAS 0")
    for _ in range(40):
        desk.world.interlock_closed = True
        desk.after(60)
        assert desk.order("LEAS 250").startswith("-221,")
        desk.world.interlock_closed = False
        desk.after(3)
    assert desk.light == []


def case_a_storm_of_damaged_lines_ends_it() -> None:
    for line in (sealed("LEAS 250").replace("2", "3"), "nonsense", "\x03", "y" * 600):
        desk = Desk()
        desk.light_up()
        for count in range(8):
            assert desk.world.laser_on, count
            desk.turn(line.encode() + b"\n")
        assert dark_at(desk) == desk.now_s
        assert state(desk)[:3] == ["ENDED", "0", "STORM"]
        desk.after(1001)
        desk.ask("*CLS")
        relit(desk)


def case_a_damaged_line_now_and_then_does_not() -> None:
    desk = Desk()
    desk.light_up()
    for _ in range(40):
        desk.turn(b"LEAS 250 *00000000\n")
        desk.after(200)
        assert desk.order("LEAS 250").startswith("-360,")
        desk.ask("*CLS")
    assert desk.world.laser_on


def case_heat_ends_it_until_it_is_cool_again() -> None:
    desk = Desk()
    desk.light_up(500)
    desk.world.temperatures_c[1] = 60.1
    desk.after(251)
    assert state(desk)[:3] == ["ENDED", "0", "TEMPERATURE"]
    desk.order("LEAS 0")
    for warm_c, refused in ((56.0, True), (54.0, False), (59.0, False)):
        desk.world.temperatures_c[1] = warm_c
        desk.after(300)
        assert desk.order("LEAS 500").startswith("-221,") == refused, warm_c


def case_a_lost_thermometer_ends_it_but_one_bad_reading_does_not() -> None:
    desk = Desk()
    desk.light_up(500)
    for value_c in (None, 25.0, 25.0, None, None, 25.0, 25.0):
        desk.world.temperatures_c[0] = value_c
        desk.after(250)
        assert desk.order("LEAS 500") == OK
    desk.world.temperatures_c[0] = None
    for _ in range(6):
        desk.after(200)
        desk.order("LEAS 500")
    assert state(desk)[:3] == ["ENDED", "0", "TEMPERATURE"]
    assert desk.ask("TEMP?") == "9.91E37,25.000"


def case_a_loop_that_stood_still_is_not_trusted() -> None:
    desk = Desk()
    desk.light_up(500)
    desk.now_s += 0.201
    desk.turn()
    assert dark_at(desk) == desk.now_s
    assert state(desk)[:3] == ["ENDED", "0", "WATCHDOG"]
    relit(desk)


def case_a_loop_that_hangs_is_dark_when_the_lease_ends_and_bitten_later() -> None:
    desk = Desk()
    desk.light_up(250)
    begun_s = desk.now_s
    desk.now_s += 7.9
    assert abs(dark_at(desk) - begun_s - 0.25) < 1e-6
    assert not desk.chip.overdue()
    desk.now_s += 0.2
    assert desk.chip.overdue()
    desk.boot(Chip.WDT_RESET)
    assert state(desk)[:3] == ["ENDED", "0", "WATCHDOG"]
    assert desk.ask("WATC?").startswith("WATCHDOG,2,")


def case_gates_that_cease_starve_the_watchdog() -> None:
    desk = Desk()
    desk.after(20_000, 100)
    desk.chip.gate.active(0)
    desk.after(24_000, 100)
    assert not desk.chip.overdue()
    desk.after(10_000, 100)
    assert desk.chip.overdue()


def case_a_defect_in_a_command_darkens_and_the_board_answers_on() -> None:
    desk = Desk()
    desk.light_up()
    broken = part("dac").Dac.read
    part("dac").Dac.read = lambda *_: 1 // 0
    try:
        assert desk.order("DAC 0,1").startswith("-310,")
    finally:
        part("dac").Dac.read = broken
    assert state(desk)[:3] == ["ENDED", "0", "FAULT"]
    assert desk.ask("*IDN?").startswith("gansource,")


def crash(desk: Desk) -> None:
    """A defect in the loop of a board that is lit."""
    desk.light_up()
    sound = part("lease").Interlock.look
    part("lease").Interlock.look = lambda *_: 1 // 0
    try:
        desk.turn()
    finally:
        part("lease").Interlock.look = sound


def case_a_defect_in_the_loop_darkens_and_starts_anew() -> None:
    desk = Desk()
    crash(desk)
    assert dark_at(desk) == desk.now_s
    desk.boot(Chip.WDT_RESET)
    assert state(desk)[:3] == ["ENDED", "0", "CRASH"]
    assert "ZeroDivisionError" in desk.ask("SYST:FAUL?")


def case_it_is_dark_before_a_defect_is_noted_on_the_flash() -> None:
    desk = Desk()
    desk.store.cut_in = 0
    crash(desk)
    assert dark_at(desk) == desk.now_s


def case_the_flash_is_not_written_while_there_is_light() -> None:
    desk = Desk()
    desk.light_up()
    writes = desk.store.writes
    for command in ("FIRM:BEG", 'FIRM:DATA "x.py",0,"00"', "FIRM:CONF", "SYST:REST"):
        assert desk.order(command) == '-221,"Settings conflict;lit"', command
    assert desk.store.writes == writes
    assert desk.world.laser_on


def case_the_self_test_finds_what_is_broken() -> None:
    desk = Desk()
    desk.after(600)
    assert desk.ask("*TST?") == "0"
    desk.order("DAC 2,77")
    desk.world.codes[2] = 78
    assert desk.ask("*TST?") == "8"
    desk.world.temperatures_c[0] = None
    desk.after(1500)
    assert desk.ask("*TST?") == "12"
    desk.store.files["a/x.py"] = b"fail\n"
    assert desk.ask("*TST?") == "13"
