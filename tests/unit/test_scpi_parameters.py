"""Values out of arguments and into answers, and the standard's number for each misfit."""

import struct
from math import inf, isnan, nan, pi
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.scpi_grammar import Argument, parse_message
from controller.scpi_parameters import (
    Block,
    Boolean,
    Channels,
    Choice,
    Integer,
    Number,
    String,
    Word,
    answer,
    expect,
)
from controller.scpi_status import ScpiError

LENGTH = Number("M", -1.0, 1.0, 0.5)
REAL, METRES, TIME, RATE, ANGLE, OHMS = map(Number, ("", "M", "S", "HZ", "RAD", "OHM"))
BYTE, SIGNED, FLAG = Integer(0, 255, 8), Integer(-9, 9), Boolean()
STATE = Choice({"ACTive": 1, "REServe": 2, "OFF": 3})
LABEL, LINE, DATA, CHANNELS = String(4), String(9, printable=True), Block(4), Channels(1, 4)


class Parameter(Protocol):
    def read(self, argument: Argument) -> object: ...


def arguments(text: str | bytes) -> tuple[Argument, ...]:
    raw = text if isinstance(text, bytes) else text.encode()
    [unit] = parse_message(b"X " + raw)
    return unit.arguments


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        *[
            (REAL, "+.5", 0.5),
            (REAL, "5.", 5.0),
            (REAL, "-1.5 e +2", -150.0),
            (REAL, "#hfF", 255.0),
        ],
        *[(REAL, "INF", inf), (REAL, "ninfinity", -inf), (REAL, "-9.9e37", -inf)],
        *[(REAL, "1e-9999", 0.0), (REAL, "0" * 300 + "7", 7.0), (METRES, "9.9E37", inf)],
        *[(LENGTH, "780 nm", 780e-9), (LENGTH, "1E3UM", 1e-3), (LENGTH, "100mm", 0.1)],
        *[(LENGTH, "0.001 m", 1e-3), (LENGTH, "1PM", 1e-12), (LENGTH, "1FM", 1e-15)],
        *[
            (METRES, "2KM", 2e3),
            (METRES, "2MAM", 2e6),
            (METRES, "2EXM", 2e18),
            (METRES, "2AM", 2e-18),
        ],
        *[(METRES, "2PEM", 2e15), (METRES, "2GM", 2e9), (METRES, "2TM", 2e12)],
        *[
            (RATE, "80 MHZ", 80e6),
            (RATE, "80mahz", 80e6),
            (OHMS, "1 MOHM", 1e6),
            (RATE, "1UHZ", 1e-6),
        ],
        *[
            (TIME, "5 MS", 5e-3),
            (TIME, "2 MIN", 120.0),
            (TIME, "1HR", 3600.0),
            (ANGLE, "180DEG", pi),
        ],
        *[(LENGTH, "min", -1.0), (LENGTH, "MAXimum", 1.0), (LENGTH, "def", 0.5), (BYTE, "DEF", 8)],
        *[(BYTE, "3.2E1", 32), (BYTE, "31.6", 32), (BYTE, "2.5", 3), (SIGNED, "-2.5", -3)],
        *[(BYTE, "0.49999999999999999999", 0), (BYTE, "#HFF", 255), (BYTE, "#q17", 15)],
        *[(BYTE, "#b101", 5), (BYTE, "MAX", 255), (BYTE, "255.4", 255), (BYTE, "-.4", 0)],
        *[(FLAG, "on", True), (FLAG, "OFF", False), (FLAG, "0.4", False), (FLAG, "-0.5", True)],
        *[(FLAG, "#B1", True), (FLAG, "1E32000", True), (STATE, "act", 1), (STATE, "RESERVE", 2)],
        *[
            (LABEL, "'it''s'", "it's"),
            (LABEL, '"""a;"', '"a;'),
            (LABEL, "'µm'", "µm"),
            (LABEL, "''", ""),
        ],
        *[
            (LABEL, "'a\nb'", "a\nb"),
            (DATA, '#14a\n;"', b'a\n;"'),
            (DATA, b"#0\xff\x00", b"\xff\x00"),
        ],
        *[(CHANNELS, "(@1)", (1,)), (CHANNELS, "( @ 1 , 4 : 2 , 1)", (1, 4, 3, 2, 1))],
    ],
)
def test_an_argument_is_read_as(parameter: Parameter, text: str | bytes, value: object) -> None:
    [argument] = arguments(text)
    read = parameter.read(argument)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("parameter", "text", "number"),
    [
        *[(REAL, "1E32001", -123), (REAL, "1E" + 5000 * "9", -123), (REAL, 256 * "1", -124)],
        *[(REAL, "#H" + 300 * "F", -124), (REAL, "'1'", -158), (REAL, "#11a", -168)],
        *[(REAL, "(1)", -178), (REAL, "UP", -141), (REAL, "MIN", -224), (REAL, "DEF", -224)],
        *[(REAL, "1V", -138), (BYTE, "1S", -138), (FLAG, "1S", -138), (REAL, "1E400", -222)],
        *[
            (METRES, "1V", -131),
            (METRES, "1CM", -131),
            (METRES, "1M/S", -131),
            (METRES, "1K", -131),
        ],
        *[(METRES, "1" + 13 * "M", -134), (RATE, "1MMHZ", -131), (LENGTH, "1MIN", -131)],
        *[(LENGTH, "1.0001", -222), (LENGTH, "INF", -222), (LENGTH, "NAN", -222)],
        *[(LENGTH, "9.91E37", -222), (BYTE, "255.5", -222), (BYTE, "-0.5", -222)],
        *[(BYTE, "1E32000", -222), (BYTE, "NAN", -141), (BYTE, "'1'", -158), (SIGNED, "DEF", -224)],
        *[(FLAG, "YES", -224), (FLAG, "'ON'", -158), (STATE, "ACTI", -224), (STATE, "1", -128)],
        *[(STATE, "'ACT'", -158), (LABEL, "ABC", -148), (LABEL, "1", -128), (LABEL, "#H1", -128)],
        *[(LABEL, "'abcde'", -223), (LABEL, b"'\xff'", -151), (LINE, "'a\tb'", -151)],
        *[(DATA, "'a'", -158), (DATA, "#15abcde", -223), (DATA, "ABC", -148)],
        *[(CHANNELS, "1", -128), (CHANNELS, "(1)", -171), (CHANNELS, "(@)", -171)],
        *[(CHANNELS, "(@1:2:3)", -171), (CHANNELS, "(@1,)", -171), (CHANNELS, "(@0)", -222)],
        *[(CHANNELS, "(@1:999999999)", -222), (CHANNELS, f"(@1{256 * ',1'})", -223)],
    ],
)
def test_a_misfit_has_its_number(parameter: Parameter, text: str | bytes, number: int) -> None:
    [argument] = arguments(text)
    with pytest.raises(ScpiError) as caught:
        parameter.read(argument)
    assert caught.value.number == number
    assert len(caught.value.message) <= 255


def test_not_a_number_passes_where_nothing_is_bounded() -> None:
    for text in ("NAN", "9.91E37"):
        assert isnan(REAL.read(arguments(text)[0]))


def test_a_query_takes_a_limit_and_no_number() -> None:
    assert LENGTH.limit(*arguments("MAX")) == 1.0
    with pytest.raises(ScpiError) as caught:
        LENGTH.limit(*arguments("1"))
    assert caught.value.number == -128


@pytest.mark.parametrize(
    ("given_to", "least", "most", "number"),
    [("1,2", 2, None, 0), ("1,2", 3, None, -109), ("1,2", 1, None, -108), ("1,2", 0, 2, 0)],
)
def test_arguments_are_counted(given_to: str, least: int, most: int | None, number: int) -> None:
    found = 0
    try:
        expect(arguments(given_to), least, most)
    except ScpiError as error:
        found = error.number
    assert found == number


def test_a_choice_answers_in_short_form_and_refuses_words_that_share_one() -> None:
    assert answer(STATE.word(2), STATE.word(3)) == b"RES,OFF"
    with pytest.raises(ValueError, match="REServe"):
        Choice({"REServe": 1, "RESet": 2})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0, "0"), (-7, "-7"), (True, "1"), (False, "0"), (0.5, "0.5"), (1e-7, "1.0E-07")],
        *[(2.5e300, "2.5E+300"), (1e16, "1.0E+16"), (100.0, "100.0"), (inf, "9.9E+37")],
        *[(-inf, "-9.9E+37"), (nan, "9.91E+37"), ('say "µ"', '"say ""µ"""'), ("", '""')],
        *[
            (Word("READY"), "READY"),
            (b"", "#10"),
            (b"a\n", "#12a\n"),
            (12 * b"a", "#212" + 12 * "a"),
        ],
    ],
)
def test_an_answer_is_written_as(value: bool | float | str | bytes, text: str) -> None:
    assert answer(value) == text.encode()
    assert answer(value, 1) == text.encode() + b",1"


@given(st.floats(allow_nan=False).filter(lambda value: abs(value) not in {9.9e37, 9.91e37}))
def test_a_float_reads_back_bit_for_bit(value: float) -> None:
    [argument] = arguments(answer(value))
    assert struct.pack("d", REAL.read(argument)) == struct.pack("d", value)


@given(st.text(max_size=20), st.binary(max_size=20), st.integers())
def test_texts_blocks_and_integers_read_back(text: str, data: bytes, number: int) -> None:
    first, second, third = arguments(answer(text, data, number))
    assert String(20).read(first) == text
    assert Block(20).read(second) == data
    assert Integer(-(10**99), 10**99).read(third) == number
