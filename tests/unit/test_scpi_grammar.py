"""Messages out of bytes and units out of messages, however cut, however broken."""

import re
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import scpi_grammar, scpi_reader
from controller.scpi_grammar import (
    MOST_ARGUMENTS,
    Argument,
    Kind,
    Unit,
    parse_message,
    respond,
)
from controller.scpi_reader import Reader
from controller.scpi_status import ScpiError

OVERRUN = ScpiError(-363)
STREAMS: list[tuple[bytes, list[bytes | ScpiError]]] = [
    (b"*IDN?\nSYST:ERR?\r\n\n*C", [b"*IDN?", b"SYST:ERR?\r", b""]),
    (b'L "a;b"\nL "a""\n"\n', [b'L "a;b"', b'L "a""\n"']),  # LF in a closed string is data
    (b'L "a\nX?\nY?\n', [b'L "a', b"X?", b"Y?"]),  # a forgotten quote costs its own message
    (b'L "a\nL "b"\nX?\n', [b'L "a', b'L "b"', b"X?"]),
    (b"L 'a\nb',#11\n,'c\nX\n", [b"L 'a\nb',#11\n,'c", b"X"]),
    (b"L it's\n\"\n\n", [b"L it's", b'"', b""]),
    (b"B #13\n\"\n\nB 1,#212'3456789ABC\n\n", [b'B #13\n"\n', b"B 1,#212'3456789ABC\n"]),
    (b"B #0\"'#\nX\n", [b"B #0\"'#", b"X"]),
    (b"B #H1F\nB #2x\nB#15\nB #9\n", [b"B #H1F", b"B #2x", b"B#15", b"B #9"]),  # no blocks
    (b"B " + 18 * b"1" + b"\n" + 21 * b"2" + b"\nX\n", [b"B " + 18 * b"1", OVERRUN, b"X"]),
    (b"B #240" + 20 * b"\n'" + b"\nX\n", [OVERRUN, b"X"]),  # data never runs as commands
    (b"B '" + 20 * b"1" + b"\nXYZ\n", [OVERRUN, b"XYZ"]),
    (b"B 'a\nb'" + 20 * b"1" + b"'c\nX\n", [OVERRUN, b"X"]),
    (21 * b"1" + b" #13\n\nX\nY\n", [OVERRUN, b"Y"]),
    (b"B 'a\n" + 18 * b"1" + b"\nX\n", [b"B 'a", 18 * b"1", b"X"]),
    (b"B 'a\nb', 'c\n" + 18 * b"1" + b"\nX\n", [b"B 'a", b"b', 'c", 18 * b"1", b"X"]),
]
SOUP = st.lists(st.sampled_from(["\n", '"', "'", "#", " #13", " #0", " #212", ";", "A", " "]))


def read(stream: bytes, *cuts: int, limit: int = 20) -> list[bytes | ScpiError]:
    reader = Reader(limit)
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [message for a, b in pairwise(edges) for message in reader.feed(stream[a:b])]


def fault(message: bytes) -> int:
    """The number of what is wrong with a message, or 0."""
    try:
        list(parse_message(message))
    except ScpiError as error:
        return error.number
    return 0


@pytest.mark.parametrize(("stream", "messages"), STREAMS)
def test_messages_end_where_ieee_488_2_ends_them(
    stream: bytes, messages: list[bytes | ScpiError]
) -> None:
    assert read(stream) == messages
    assert read(stream, *range(len(stream))) == messages


@given(st.binary() | SOUP.map(lambda words: "".join(words).encode()), st.lists(st.integers(0)))
def test_any_soup_reads_the_same_however_it_is_cut(soup: bytes, cuts: list[int]) -> None:
    whole = read(soup, limit=12)
    assert read(soup, *cuts, limit=12) == whole
    assert read(soup, *range(len(soup)), limit=12) == whole
    assert all(fault(message) // 100 in {0, -2} for message in whole if isinstance(message, bytes))


def test_end_ends_a_message_whatever_it_is_in() -> None:
    reader = Reader(20, end_marked=True)
    for sent, told in [
        (b"*IDN?", [b"*IDN?"]),
        (b"B #0a\nb", [b"B #0a\nb"]),
        (b"B #19a", [b"B #19a"]),
        (b'L "a\nX?', [b'L "a', b"X?"]),
        (30 * b"1", [OVERRUN]),
        (19 * b"1" + b" #9", [OVERRUN]),
        (b"", []),
    ]:
        assert reader.feed(sent) + reader.end() == told


def test_clear_forgets_a_half_message() -> None:
    reader = Reader(20)
    for half in (b"*ID", b"B #19a", b'L "a\nX', 30 * b"1"):
        reader.feed(half)
        reader.clear()
        assert reader.feed(b"*IDN?\n") == [b"*IDN?"]


class Counted:
    """A pattern that adds up the characters it looks at."""

    looked = 0

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self._pattern = pattern

    def _count(self, way: str, text: bytes, at: int) -> re.Match[bytes] | None:
        look: Callable[[bytes, int], re.Match[bytes] | None] = getattr(self._pattern, way)
        found = look(text, at)
        Counted.looked += max((found.end() if found else len(text)) - at, 0)
        return found

    def search(self, text: bytes, at: int) -> re.Match[bytes] | None:
        return self._count("search", text, at)

    def match(self, text: bytes, at: int) -> re.Match[bytes] | None:
        return self._count("match", text, at)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    Counted.looked = 0
    for module in (scpi_grammar, scpi_reader):
        for name, pattern in list(vars(module).items()):
            if isinstance(pattern, re.Pattern):
                monkeypatch.setattr(module, name, Counted(pattern))
    quoted = {34: scpi_reader.IN_DOUBLE_QUOTES, 39: scpi_reader.IN_SINGLE_QUOTES}
    monkeypatch.setattr(scpi_reader, "QUOTED", quoted)


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    "motif",
    [b"A", b" ", b'"', b'"\n', b'"a\n', b' #13"', b"A #", b"#9", b' #0"\n', b"'\n\" #21", b"1,;\n"],
)
@pytest.mark.parametrize("chunk", [1, 100, 1 << 20])
def test_no_stream_makes_the_reader_look_back_far(motif: bytes, chunk: int) -> None:
    stream = 300 * motif
    reader = Reader(limit=200)
    for at in range(0, len(stream), chunk):
        reader.feed(stream[at : at + chunk])
    assert Counted.looked <= 3 * len(stream)


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    "message", [b"A:", b"A" + 300 * b" ", b"A;", b'A "', b"A '';", b"A 1 ,", b"A (", b"A 1E", b"*"]
)
def test_no_message_makes_the_parser_look_back_far(message: bytes) -> None:
    message = 300 * message
    with pytest.raises(ScpiError):
        list(parse_message(message + b"!"))
    assert Counted.looked <= 5 * len(message)


def test_a_message_without_end_takes_no_memory() -> None:
    reader = Reader(limit=1000)
    tracemalloc.start()
    for _ in range(10_000):
        reader.feed(100 * b"1")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000
    assert reader.feed(b"\n*IDN?\n") == [b"*IDN?"]


@pytest.mark.parametrize(
    ("message", "units"),
    [
        (b" \t;; ", []),
        (b"SYST:ERR?;COUN?;", [["SYST:ERR?"], ["COUN?"]]),
        (b"\x00*CLS\x1f;\r:A_1:b2?\x0b", [["*CLS"], [":A_1:b2?"]]),
        (b"*ESE 3.2E1 ;:OUTP ON", [["*ESE", "3.2E1"], [":OUTP", "ON"]]),
        (b"A 1 UM,-.5 E -3 , #hFf", [["A", "1 UM", "-.5 E -3", "#hFf"]]),
        (b"A (@1,2:4),5m/s2", [["A", "@1,2:4", "5m/s2"]]),
        (b"A 'it''s',\"\"\"\" ;B", [["A", "it's", '"'], ["B"]]),
        (b"A 'a\n;b'", [["A", "a\n;b"]]),
        (b'A #15a;\n"b;B #0 c;\n', [["A", 'a;\n"b'], ["B", " c;\n"]]),
    ],
)
def test_a_message_is_cut_into_units(message: bytes, units: list[list[str]]) -> None:
    found = list(parse_message(message))
    assert [[unit.header, *(given.text for given in unit.arguments)] for unit in found] == units
    assert [unit.is_query for unit in found] == ["?" in unit[0] for unit in units]


@pytest.mark.parametrize(
    ("message", "number"),
    [
        *[(b"A&", -101), (b"A \x80", -101), (b"5", -102), (b"A 1,", -102), (b"A ,1", -102)],
        *[(b"A 1 2", -103), (b"A 'x'\"y\"", -103), (b"::A", -110), (b"SYST:", -110), (b"*", -110)],
        *[(b"SYST::ERR", -110), (b"A'x'", -111), (b"A,1", -111), (b"A??", -111), (b"A#15", -111)],
        *[(b"A 1.2.3", -121), (b"A #B12", -121), (b"A +", -121), (b"A #Z", -121), (b"A B$", -141)],
        *[(b"A ABCDEFGHIJKLM", -144), (b"A 'x", -151), (b'A "x""', -151), (b"A #19abc", -161)],
        *[(b"A #2x", -161), (b"A (@1", -171), (b"A (1,(2))", -171)],
        (b"A 1" + MOST_ARGUMENTS * b",1", -108),
    ],
)
def test_a_syntax_error_gives_up_the_rest_but_not_what_came_before(
    message: bytes, number: int
) -> None:
    units = parse_message(b"*CLS;" + message + b";*RST")
    assert next(units) == Unit("*CLS")
    with pytest.raises(ScpiError) as caught:
        next(units)
    assert caught.value.number == number
    assert list(units) == []


WHITE = st.text(st.characters(max_codepoint=32, exclude_characters="\n"), max_size=3)
TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\n"), max_size=9)
HEADERS = st.from_regex(
    r"(\*|:?([A-Z][a-z0-9_]{0,5}:){0,3})[A-Za-z][a-z0-9_]{0,5}\??", fullmatch=True
)
NUMBERS = st.from_regex(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(E-?[0-9]+)?( ?[MU]?V)?", fullmatch=True)


def quoted(text: str, quote: str) -> tuple[Argument, str]:
    return Argument(Kind.STRING, text), quote + text.replace(quote, 2 * quote) + quote


def block(text: str) -> tuple[Argument, str]:
    return Argument(Kind.BLOCK, text), f"#{len(str(len(text)))}{len(text)}{text}"


SENT = st.one_of(
    NUMBERS.map(lambda text: (Argument(Kind.DECIMAL, text), text)),
    st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,11}", fullmatch=True).map(
        lambda text: (Argument(Kind.CHARACTER, text), text)
    ),
    st.sampled_from(["#HfF0", "#q17", "#B01"]).map(
        lambda text: (Argument(Kind.NON_DECIMAL, text), text)
    ),
    st.just((Argument(Kind.EXPRESSION, "@1,2:4"), "(@1,2:4)")),
    st.builds(quoted, TEXT, st.sampled_from("\"'")),
    st.binary(max_size=30).map(lambda data: block(data.decode("latin-1"))),
)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, list[Unit]]:
    """A message drawn from the grammar, and what it was made of."""
    units, written = [], []
    for header in draw(st.lists(HEADERS, max_size=4)):
        sent = draw(st.lists(SENT, max_size=4))
        units.append(Unit(header, tuple(argument for argument, _ in sent)))
        data = ",".join(draw(WHITE) + text + draw(WHITE) for _, text in sent)
        written.append(draw(WHITE) + header + (" " + data if data else draw(WHITE)))
    return ";".join(written).encode("latin-1"), units


@given(st.lists(messages(), max_size=3), st.lists(st.integers(0)))
def test_what_the_grammar_makes_reads_back_as_what_it_was_made_of(
    made: list[tuple[bytes, list[Unit]]], cuts: list[int]
) -> None:
    stream = b"".join(message + b"\n" for message, _ in made)
    assert read(stream, *cuts, limit=10_000) == [message for message, _ in made]
    assert [list(parse_message(message)) for message, _ in made] == [units for _, units in made]


def test_answers_are_joined_into_one_line() -> None:
    assert respond([b"1", b"2,3"]) == b"1;2,3\n"
