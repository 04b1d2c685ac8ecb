"""Lines made to harm: no crash, nothing lit or moved, no memory, still answers."""

import binascii
import gc

from tests.boards.desk import SETTINGS, SETTLED_MS, Chance, Desk, sealed

WORDS = (
    "*IDN? *CLS *TST? SYST:ERR? LEAS? LEAS_250 LEAS_0 INT? COUN? COUN?_3 DAC_0,1 DAC_3,65535 "
    "DAC?_1 LENS_1 LENS? TEMP? WATC? WIND_24 CLOC? FIRM:BEG FIRM:SWIT SYST:REST FIRM:COMM_'00' "
    "FIRM:DATA_'a.py',0,'00'"
)
VALID = [word.replace("_", " ").replace("'", '"') for word in WORDS.split()]
PIECES = [b"LEAS", b"DAC", b"FIRM", b"250", b"0", b"\r"]
STRAY = b' ,*?:"\x03\x00'
STEP = 200  # lines between two looks


def vouched(line: bytes) -> bool:
    """Whether the line's checksum is right; written apart from the firmware's own check."""
    body, mark, told = line.rstrip(b"\r").rpartition(b" *")
    try:
        return bool(mark) and len(told) == 8 and int(told, 16) == binascii.crc32(body)
    except ValueError:
        return False


def bent(chance: Chance, line: bytes) -> bytes:
    """One byte changed, lost, doubled or two swapped; any byte may come of it but LF."""
    at = chance.below(len(line))
    kind = chance.below(4)
    if kind == 0:
        return line[:at] + bytes((chance.below(256),)) + line[at + 1 :]
    if kind == 1:
        return line[:at] + line[at + 1 :]
    if kind == 2:
        return line[:at] + line[at : at + 1] + line[at:]
    return line[:at] + line[at + 1 : at + 2] + line[at : at + 1] + line[at + 2 :]


def piece(chance: Chance) -> bytes:
    at = chance.below(len(PIECES) + len(STRAY))
    return PIECES[at] if at < len(PIECES) else bytes((STRAY[at - len(PIECES)],))


def harmful(chance: Chance) -> bytes:
    """A line, or several where an LF comes of it."""
    kind, word = chance.below(8), str(chance.pick(VALID))
    if kind < 3:
        return bent(chance, sealed(word).encode())
    if kind == 3:
        return word.encode()
    if kind == 4:
        return bytes(chance.below(256) for _ in range(chance.below(60)))
    if kind == 5:
        return b"".join(piece(chance) for _ in range(chance.below(20)))
    if kind == 6:
        return bytes((chance.below(256),)) * chance.below(700)
    return sealed(word).encode()[: chance.below(30)]


def allocated() -> int:
    gc.collect()
    if hasattr(gc, "mem_alloc"):
        return int(gc.mem_alloc())
    return int(getattr(__import__("sys"), "getallocatedblocks")())  # noqa: B009 - CPython's alone


def harmless(chance: Chance) -> bytes:
    """What remains of a harmful line when every line in it that is vouched for is taken out."""
    lines = harmful(chance).split(b"\n")
    return b"\n".join(line for line in lines if not vouched(line)) + b"\n"


def case_lines_made_to_harm() -> str:
    lines, chance = SETTINGS["LINES"], Chance(SETTINGS["SEED"])
    desk = Desk()
    desk.world.interlock_closed = True
    desk.after(SETTLED_MS)
    assert desk.order("LEAS 0") == '0,"No error"'  # one step from light
    before = 0
    for done in range(0, lines, STEP):
        for _ in range(STEP):
            desk.turn(harmless(chance))
            told = desk.ask("SYST:ERR?")
            assert told[:4] not in ("-310", "-240"), told  # its own defects
        desk.after(3)
        assert desk.light == []
        assert desk.world.codes == [0, 0, 0, 0]
        assert not desk.world.wide
        assert desk.ask("*IDN?").startswith("gansource,IO-1,"), done
        assert desk.ask("FIRM?").startswith("A,KEPT,")
        if done == 10 * STEP:
            before = allocated()
    more = allocated() - before
    assert desk.ask("WATC?").startswith("POWER,1,")  # it never started anew
    assert desk.store.writes == 1
    assert more < SETTINGS["SLACK"], more
    return f"{lines} lines, memory {more:+d}"


def case_the_check_of_the_checksums_can_fail() -> None:
    """One step further and there is light: the case above would see it."""
    desk = Desk()
    desk.light_up()
    assert vouched(sealed("LEAS 250").encode())
    assert not vouched(b"LEAS 250 *00000000")
