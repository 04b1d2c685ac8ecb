"""Messages made from the grammar are read as what they were made from."""

from collections.abc import Callable
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from controller.scpi_grammar import Argument, Kind, Unit, parse_message
from controller.scpi_parameters import Number
from controller.scpi_reader import Reader

BLANK = st.text("".join(map(chr, [*range(10), *range(11, 33)])), max_size=3)
GAP = st.text("".join(map(chr, [*range(10), *range(11, 33)])), min_size=1, max_size=3)
WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,11}", fullmatch=True)
QUERY = st.sampled_from(["", "?"])
HEADER = st.one_of(
    st.builds("*{}{}".format, st.from_regex(r"[A-Za-z]{1,12}", fullmatch=True), QUERY),
    st.builds(
        lambda colon, words, mark: colon + ":".join(words) + mark,
        st.sampled_from(["", ":"]),
        st.lists(WORD, min_size=1, max_size=4),
        QUERY,
    ),
)
TEXT = st.text(st.characters(max_codepoint=255), max_size=12)
Made = tuple[str, Argument]
"""How an argument is written, and what it must be read as."""


def quoted(text: str, quote: str) -> Made:
    return quote + text.replace(quote, 2 * quote) + quote, Argument(Kind.STRING, text)


def block(text: str, zeros: int) -> Made:
    length = str(len(text)).rjust(zeros, "0")
    return f"#{len(length)}{length}{text}", Argument(Kind.BLOCK, text)


def plain(kind: Kind) -> Callable[[str], Made]:
    return lambda text: (text, Argument(kind, text))


def expression(text: str) -> Made:
    return f"({text})", Argument(Kind.EXPRESSION, text)


DECIMAL = st.from_regex(
    r"[+-]?([0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9})(E[+-]?[0-9]{1,3})?", fullmatch=True
)
ARGUMENT = st.one_of(
    st.builds(quoted, TEXT, st.sampled_from("\"'")),
    st.builds(block, TEXT, st.integers(1, 4)),
    st.builds(plain(Kind.CHARACTER), WORD),
    st.builds(plain(Kind.DECIMAL), DECIMAL),
    st.builds(plain(Kind.NON_DECIMAL), st.sampled_from(["#HfF", "#Q17", "#B01"])),
    st.builds(expression, st.from_regex(r"@[0-9,: ]{0,9}", fullmatch=True)),
)


@st.composite
def units(draw: st.DrawFn) -> tuple[str, Unit]:
    header = draw(HEADER)
    made = draw(st.lists(ARGUMENT, max_size=4))
    written = ""
    for number, (text, _) in enumerate(made):
        comma = draw(BLANK) + "," + draw(BLANK) if number else draw(GAP)
        written += comma + text
    whole = draw(BLANK) + header + written + draw(BLANK)
    return whole, Unit(header, tuple(argument for _, argument in made))


@given(st.lists(units(), max_size=5), st.sampled_from([";", ";;", "; ;"]))
def test_a_message_is_read_as_the_units_it_was_made_of(
    made: list[tuple[str, Unit]], between: str
) -> None:
    message = between.join(text for text, _ in made)
    assert list(parse_message(message.encode("latin-1"))) == [unit for _, unit in made]


@given(st.lists(st.lists(units(), max_size=3), max_size=4), st.integers(1, 7))
def test_messages_in_a_stream_end_where_they_were_ended(
    made: list[list[tuple[str, Unit]]], cut: int
) -> None:
    """Strings, blocks and all that is in them included, however the bytes come."""
    messages = [";".join(text for text, _ in message).encode("latin-1") for message in made]
    assume(not any(map(_two_lines_in_a_string, messages)))
    stream = b"".join(message + b"\n" for message in messages)
    reader = Reader()
    found = [m for at in range(0, len(stream), cut) for m in reader.feed(stream[at : at + cut])]
    assert found == messages


def _two_lines_in_a_string(message: bytes) -> bool:
    """A string over more than one LF is taken for one that was never closed."""
    strings = [a for unit in parse_message(message) for a in unit.arguments]
    return any(a.kind is Kind.STRING and a.text.count("\n") > 1 for a in strings)


@given(DECIMAL, st.sampled_from(["", "S", "MS", "US", "NS", "KS"]))
def test_a_number_is_what_it_says_in_its_unit(text: str, suffix: str) -> None:
    power = {"": 0, "S": 0, "MS": -3, "US": -6, "NS": -9, "KS": 3}[suffix]
    [unit] = parse_message(f"A {text}{suffix}".encode())
    expected = float(Decimal(text).scaleb(power))
    if abs(expected) < 1e30:
        assert Number("S").read(unit.arguments[0]) == expected
