"""New firmware, slots, falling back, and the power going at every single write."""

import binascii

from hil.emulators.io_board_chip import Chip
from tests.boards.desk import BLANK, Desk, manifest, part

OK = '0,"No error"'
NEW = {"firmware.py": b"VERSION = 2\n" * 250, "wiring.py": b"# new\n"}
BLOCK = 192

DAMAGED = (b"", b"{", b"\xff\xfe", b"[]", b"7", b'{"active": 7, "boots": "x"}', b'{"active":"c"}')


def identity(files: "dict[str, bytes]") -> str:
    digest = part("hashlib").sha256(manifest(files)).digest()
    return binascii.hexlify(digest).decode()


def blocks(files: "dict[str, bytes]") -> "list[str]":
    """The commands that carry the files."""
    commands = []
    for name in sorted(files):
        for start in range(0, len(files[name]), BLOCK):
            text = binascii.hexlify(files[name][start : start + BLOCK]).decode()
            commands.append(f'FIRM:DATA "{name}",{start},"{text}"')
    return commands


def update(desk: Desk, files: "dict[str, bytes]") -> "list[str]":
    """A whole update; what the board said that was not good, until it went away."""
    commands = ["FIRM:BEG"] + blocks(files)  # noqa: RUF005 - not in MicroPython's grammar
    commands += [f'FIRM:COMM "{identity(files)}"', "FIRM:SWIT"]
    said = []
    for command in commands:
        told = desk.order(command) if desk.runtime else "off"
        if told != OK:
            said.append(told)
    return said


def answers(desk: Desk) -> bool:
    return bool(desk.runtime) and desk.ask("*IDN?").startswith("gansource,IO-1")


def running(desk: Desk) -> "list[str]":
    return desk.ask("FIRM?").split(",")[:2]


def case_an_update_is_tried_confirmed_and_kept() -> None:
    desk = Desk()
    old = desk.ask("FIRM?").split(",")[2]
    assert update(desk, NEW) == []
    assert desk.ask("FIRM?") == f"A,KEPT,{old},{identity(NEW)}"
    desk.after(210)
    assert desk.runtime is None
    desk.boot(Chip.WDT_RESET)
    assert running(desk) == ["B", "TRIAL"]
    assert desk.ask("WATC?").startswith("SWITCHED,2,")
    assert desk.order("FIRM:BEG").startswith("-221,")  # it would wipe the way back
    assert desk.order("FIRM:CONF") == OK
    desk.boot()
    assert running(desk) == ["B", "KEPT"]
    assert desk.store.files["b/firmware.py"] == NEW["firmware.py"]


def case_what_nobody_confirms_is_given_up() -> None:
    for end in ("late", "power", "watchdog", "crash"):
        desk = Desk()
        update(desk, NEW)
        desk.after(210)
        desk.boot(Chip.WDT_RESET)
        assert running(desk) == ["B", "TRIAL"], end
        if end == "late":
            desk.after(59_000, 100)
            assert running(desk) == ["B", "TRIAL"]
            desk.after(1_300, 100)
            assert desk.runtime is None
        elif end == "crash":
            sound, part("firmware").Board.tick = part("firmware").Board.tick, None
            desk.turn()
            part("firmware").Board.tick = sound
            assert desk.runtime is None
        desk.boot(Chip.PWRON_RESET if end == "power" else Chip.WDT_RESET)
        assert running(desk) == ["A", "KEPT"], end
        assert desk.ask("SYST:FAUL?").startswith('"slot b given up'), end


def case_a_boot_loop_ends_in_safe_mode_which_says_why() -> None:
    desk = Desk()
    sound, part("wiring").board = part("wiring").board, lambda *_: 1 // 0
    try:
        desk.boot()
        for starts in range(4):
            assert (desk.runtime is None) == (starts < 3), starts
            if starts < 3:
                desk.boot(Chip.WDT_RESET)
    finally:
        part("wiring").board = sound
    assert "(safe mode)" in desk.ask("*IDN?")
    assert "ZeroDivisionError" in desk.ask("SYST:FAUL?")
    assert desk.ask("LEAS?") == "ENDED,0,SAFE,0"
    desk.world.interlock_closed = True
    for command in ("LEAS 0", "LEAS 250"):
        assert desk.order(command).startswith("-221,")
    assert desk.light == []
    desk.boot(Chip.WDT_RESET)
    assert "(safe mode)" in desk.ask("*IDN?")
    assert desk.order("SYST:REST") == OK
    desk.after(210)
    desk.boot(Chip.WDT_RESET)
    assert running(desk) == ["A", "KEPT"]


def case_a_hang_at_every_start_ends_in_safe_mode() -> None:
    desk = Desk()
    for _ in range(3):
        desk.boot(Chip.WDT_RESET)
    assert "(safe mode)" in desk.ask("*IDN?")
    assert "watchdog" in desk.ask("SYST:FAUL?")
    desk.boot()  # the power was off: another chance
    assert running(desk) == ["A", "KEPT"]


def case_two_crashes_and_a_quiet_while_are_forgiven() -> None:
    desk = Desk()
    for _ in range(4):
        desk.boot(Chip.WDT_RESET)
        desk.boot(Chip.WDT_RESET)
        desk.after(31_000, 100)
        assert answers(desk)
        assert running(desk) == ["A", "KEPT"]


def case_safe_mode_takes_firmware_when_there_is_none() -> None:
    desk = Desk()
    desk.store.files = {}
    desk.boot()
    assert "(safe mode)" in desk.ask("*IDN?")
    assert "no slot" in desk.ask("SYST:FAUL?")
    assert desk.ask("SYST:PROT?").startswith('1,"*CLS,')
    assert update(desk, NEW) == []
    desk.after(210)
    desk.boot(Chip.WDT_RESET)
    assert running(desk)[1] == "TRIAL"


def case_a_damaged_file_is_noticed_before_it_runs() -> None:
    desk = Desk()
    update(desk, NEW)
    desk.after(210)
    desk.boot(Chip.WDT_RESET)
    desk.order("FIRM:CONF")
    desk.store.files["b/wiring.py"] += b"x"
    desk.boot()
    assert running(desk) == ["A", "KEPT"]
    assert "damaged" in desk.ask("SYST:FAUL?")


def case_a_damaged_state_file_is_no_obstacle() -> None:
    for state in DAMAGED:
        desk = Desk()
        desk.store.files["state"] = state
        desk.boot()
        assert running(desk) == ["A", "KEPT"], state


def case_a_wrong_or_hasty_update_is_refused() -> None:
    desk = Desk()
    assert desk.order('FIRM:DATA "x.py",0,"00"').startswith("-221,")
    assert desk.order('FIRM:COMM "00"').startswith("-221,")
    assert desk.order("FIRM:SWIT").startswith("-221,")
    assert desk.order("FIRM:BEG") == OK
    for name in ("", "manifest", "../x", "main.py", "slots.py", "y" * 33):
        assert desk.order(f'FIRM:DATA "{name}",0,"00"').startswith("-222,"), name
    assert desk.order('FIRM:DATA "x.py",0,"0"').startswith("-104,")
    assert desk.order('FIRM:DATA "x.py",0,"zz"').startswith("-104,")
    assert desk.order('FIRM:DATA "x.py",0,"0102"') == OK
    assert desk.order('FIRM:DATA "x.py",0,"0102"') == OK  # the same again: its error was lost
    assert desk.ask("FIRM:DATA?") == '"x.py",2'
    assert desk.order('FIRM:DATA "x.py",7,"0102"').startswith("-222,")
    assert desk.order(f'FIRM:COMM "{identity(NEW)}"').startswith("-230,")
    assert desk.order("FIRM:SWIT").startswith("-221,")
    assert desk.order(f'FIRM:COMM "{identity({"x.py": bytes((1, 2))})}"') == OK


def cut(desk: Desk) -> bool:
    """Whether the power has gone."""
    return desk.store.cut_in is None


def case_the_power_may_go_at_every_write() -> str:
    """At each write of an update, of its first start and its confirmation: it always answers."""
    writes, ended = 0, set()
    while True:
        desk = Desk()
        for name in ("one.py", "two.py", "manifest"):  # what an earlier update left
            desk.store.files[f"b/{name}"] = b"#\n"
        desk.store.cut_in = writes
        update(desk, NEW)
        desk.after(210)
        if not cut(desk):
            desk.boot(Chip.WDT_RESET)
            desk.order("FIRM:CONF")
        whole, desk.store.cut_in = not cut(desk), None
        for _ in range(2):
            desk.boot()
            assert answers(desk), writes
        slot, kept = running(desk)
        ended.add(slot)
        assert kept == "KEPT", writes
        assert part("slots").Slots(desk.store).intact(slot.lower()), writes
        assert desk.store.files["a/x.py"] == BLANK["a/x.py"]
        if whole:
            assert slot == "B"
            assert ended == {"A", "B"}
            return f"{writes} cuts"
        writes += 1
