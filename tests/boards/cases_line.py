"""The line: what is understood, what is refused, and that nothing half understood is done."""

from tests.boards.desk import Desk, part, sealed

OK = '0,"No error"'

REFUSED = (
    ("\x03", -101),
    ("LEAS\x00 250", -101),
    ("\x80IDN?", -101),
    ("LEA 250", -113),
    ("LEASESS 250", -113),
    ("*IDN", -113),
    ("*IDN?;*IDN?", -113),
    ("%&", -113),
    (sealed("LEAS"), -109),
    (sealed("LEAS 250,1"), -108),
    (sealed("LEAS 2.5"), -104),
    (sealed("LEAS 1e2"), -104),
    (sealed("LEAS 0x10"), -104),
    (sealed("LEAS --1"), -104),
    (sealed("LEAS " + "9" * 40), -104),
    (sealed("LEAS on"), -104),
    (sealed("LEAS 501"), -222),
    (sealed("LEAS -1"), -222),
    ("LEAS 250", -203),
    ("DAC 0,1", -203),
    ("LENS 1", -203),
    (sealed("LENS 2"), -222),
    (sealed("LENS 1").replace("1", "0"), -360),
    ("LEAS 250 *00000000", -360),
    ("LEAS 250 *GGGGGGGG", -360),
    (sealed("LEAS 250").replace("250", "260"), -360),
    (sealed("DAC 4,0"), -222),
    (sealed("DAC 0,65536"), -222),
    (sealed("DAC 0"), -109),
    ("GATE 0", -222),
    ("GATE 10001", -222),
    ("WIND 0", -222),
    (sealed('FIRM:DATA firmware.py,0,"00"'), -104),
    (sealed('FIRM:DATA "a"b",0,"00"'), -104),
    ("x" * 513, -363),
    ("x" * 3000, -363),
)


def case_every_refusal_has_its_number_and_no_effect() -> None:
    desk = Desk()
    desk.light_up()
    for line, number in REFUSED:
        desk.after(1200)
        for renewed in ("LEAS 0", "LEAS 500"):
            assert desk.order(renewed) == OK
        until_s = desk.chip.lease.ends_in_s()
        assert desk.turn(line.encode("latin-1") + b"\n") == "", line[:40]
        told = desk.ask("SYST:ERR?")
        assert told.startswith(f"{number},"), (line[:40], told)
        assert desk.ask("SYST:ERR?") == OK
        assert desk.chip.lease.ends_in_s() == until_s, line[:40]
        assert desk.world.codes == [0, 0, 0, 0]
        assert not desk.world.wide


def case_short_and_long_forms_in_any_case() -> None:
    desk = Desk()
    for spelling in ("TEMP?", "temp?", "Temperature?", ":TEMPERATURE?", "  temp?  ", "temp?\r"):
        assert desk.ask(spelling) == "25.000,25.000", spelling
    for spelling in ("SYST:ERR?", "SYSTEM:ERR?", "syst:error?", "System:Error?"):
        assert desk.ask(spelling) == OK


def case_spaces_and_signs_around_numbers() -> None:
    desk = Desk()
    for command in ("DAC 1,2", "DAC  1 , 2 ", "dac +1,+2"):
        desk.world.codes[1] = 0
        assert desk.order(command) == OK, command
        assert desk.world.codes == [0, 2, 0, 0]


def case_a_query_with_a_checksum_is_answered_with_one() -> None:
    desk = Desk()
    plain = desk.ask("*IDN?")
    assert plain.startswith("gansource,IO-1,")
    assert desk.ask(sealed("*IDN?")) == sealed(plain)
    assert desk.ask(sealed("*IDN?").lower().replace("*idn?", "*IDN?")) == sealed(plain)


def case_it_announces_protocol_and_vocabulary() -> None:
    desk = Desk()
    number, _, words = desk.ask("SYST:PROT?").partition(",")
    assert int(number) == part("firmware").PROTOCOL
    vocabulary = words.strip('"').split(",")
    for word in ("*IDN?", "LEASe", "LEASe?", "COUNts?", "DAC", "LENS", "SYSTem:ERRor?", "FIRMware:DATA"):
        assert word in vocabulary, word


def case_the_same_however_it_is_cut_up() -> None:
    stream = b"*IDN?\nTEMP?\r\n\n\nGATE 20\nGATE?\nnonsense\nSYST:ERR?\n"
    whole = Desk().turn(stream)
    assert whole.count("\n") == 4
    for size in (1, 2, 3, 7):
        desk, said = Desk(), ""
        for start in range(0, len(stream), size):
            said += desk.turn(stream[start : start + size])
        assert said == whole, size


def case_the_error_queue_is_bounded_and_says_so() -> None:
    desk = Desk()
    desk.turn(b"nonsense\n" * 20)
    told = [desk.ask("SYST:ERR?") for _ in range(9)]
    assert [text.split(",")[0] for text in told] == ["-113"] * 7 + ["-350", "0"]
    desk.turn(b"nonsense\n" * 20)
    desk.ask("*CLS")
    assert desk.ask("SYST:ERR?") == OK


def case_a_line_without_end_takes_no_memory() -> None:
    lines = part("framing").Lines()
    for _ in range(2000):
        assert list(lines.feed(b"x" * 500)) == []
    assert list(lines.feed(b"\n*IDN?\n")) == [None, b"*IDN?"]
