"""Program messages to units and data, and answers back: IEEE 488.2 chapters 7 and 8, no I/O."""

import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from controller.scpi_status import ScpiError

MOST_ARGUMENTS = 256  # so that one unit of a long message costs neither memory nor time
LONGEST_WORD = 12  # of a mnemonic and of character data, IEEE 488.2 7.6 and 7.7.1

SPACE = r"[\x00-\x09\x0b-\x20]"  # every control code but LF is white space, IEEE 488.2 7.4


class Kind(Enum):
    """The data types of IEEE 488.2 7.7."""

    DECIMAL = auto()
    NON_DECIMAL = auto()
    CHARACTER = auto()
    STRING = auto()
    BLOCK = auto()
    EXPRESSION = auto()


class Argument(NamedTuple):
    """One program data element; strings and blocks without their packing, bytes as Latin-1."""

    kind: Kind
    text: str


class Unit(NamedTuple):
    """One program message unit; the header as sent, with its `:`, `*` and `?`."""

    header: str
    arguments: tuple[Argument, ...] = ()

    @property
    def is_query(self) -> bool:
        return self.header.endswith("?")


# Groups are atomic, (?>(...)*), and not possessive, (...)*+, which Python 3.11.2 gets wrong:
# there `(?:-?\d)?+` may eat what the pattern before it needs.
BLANKS = re.compile(rf"{SPACE}*+")
BETWEEN_UNITS = re.compile(rf"(?>(?:{SPACE}|;)*)")
HEADER = re.compile(r"(?:\*[A-Z]\w*+|:?[A-Z]\w*+(?>(?::[A-Z]\w*+)*))\??", re.ASCII | re.IGNORECASE)
DECIMAL = re.compile(
    r"(?P<mantissa>[+-]?(?:\d++(?>(?:\.\d*+)?)|\.\d++))"
    rf"(?>(?:{SPACE}*+E{SPACE}*+(?P<exponent>[+-]?\d++))?)"
    rf"(?>(?:{SPACE}*+(?P<suffix>/?[A-Z]++(?>(?:-?\d)?)(?>(?:[./][A-Z]++(?>(?:-?\d)?))*)))?)",
    re.ASCII | re.IGNORECASE,
)
DATA = re.compile(
    rf"(?P<DECIMAL>{DECIMAL.pattern})|(?P<NON_DECIMAL>\#(?:H[0-9A-F]++|Q[0-7]++|B[01]++))"
    r"|(?P<CHARACTER>[A-Z]\w*+)|\((?P<EXPRESSION>[^\"'\#;()]*+)\)"
    r"|\"(?P<DOUBLE>[^\"]*+(?>(?:\"\"[^\"]*+)*))\"|'(?P<SINGLE>[^']*+(?>(?:''[^']*+)*))'",
    re.ASCII | re.IGNORECASE,
)
ILLEGAL = frozenset(map(chr, range(256))) - frozenset(
    "\"#'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)
MALFORMED = {'"': -151, "'": -151, "(": -171} | dict.fromkeys("#+-.", -121)
QUOTES = {"DOUBLE": '"', "SINGLE": "'"}
STRAY_END = {Kind.DECIMAL: -121, Kind.NON_DECIMAL: -121, Kind.CHARACTER: -141}


def forms(mnemonic: str) -> tuple[str, str]:
    """Short and long form of a mnemonic spelled as in manuals: STATe is STAT or STATE."""
    return "".join(char for char in mnemonic if not char.islower()), mnemonic.upper()


def parse_message(message: bytes) -> Iterator[Unit]:
    """The units in order; at a syntax error the ScpiError, and the rest is given up."""
    text = message.decode("latin-1")
    at = _skip(BETWEEN_UNITS, text, 0)
    while at < len(text):
        header = HEADER.match(text, at)
        if header is None:
            raise _unexpected(text, at, -110 if text[at] in ":*" else -102)
        arguments, at = _arguments(text, header.end())
        yield Unit(header[0], arguments)
        at = _skip(BETWEEN_UNITS, text, at)


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _unexpected(text: str, at: int, number: int) -> ScpiError:
    """The error for this place, unless the character there is legal nowhere."""
    return ScpiError(-101 if text[at : at + 1] in ILLEGAL else number, text[at : at + 12])


def _arguments(text: str, at: int) -> tuple[tuple[Argument, ...], int]:
    """What follows a header, and where it ends: at the semicolon or at the end."""
    begin = _skip(BLANKS, text, at)
    if text[begin : begin + 1] in {"", ";"}:
        return (), begin
    if begin == at:
        raise _unexpected(text, at, -110 if text[at] in ":*" else -111)
    arguments: list[Argument] = []
    while len(arguments) < MOST_ARGUMENTS:
        argument, at = _argument(text, begin)
        arguments.append(argument)
        begin = _skip(BLANKS, text, at)
        if text[begin : begin + 1] in {"", ";"}:
            return tuple(arguments), begin
        if begin == at and text[at] != "," and argument.kind in STRAY_END:
            raise ScpiError(STRAY_END[argument.kind], text[at : at + 12])
        if text[begin] != ",":
            raise _unexpected(text, begin, -103)
        begin = _skip(BLANKS, text, begin + 1)
    raise ScpiError(-108, f"more than {MOST_ARGUMENTS}")


def _argument(text: str, at: int) -> tuple[Argument, int]:
    """One data element and where it ends."""
    if text[at : at + 1] == "#" and text[at + 1 : at + 2].isdecimal():
        return _block(text, at)
    found = DATA.match(text, at)
    if found is None or found.lastgroup is None:
        raise _unexpected(text, at, MALFORMED.get(text[at : at + 1], -102))
    content = found[found.lastgroup]
    if found.lastgroup in QUOTES:
        quote = QUOTES[found.lastgroup]
        return Argument(Kind.STRING, content.replace(2 * quote, quote)), found.end()
    kind = Kind[found.lastgroup]
    if kind is Kind.CHARACTER and len(content) > LONGEST_WORD:
        raise ScpiError(-144, content[:LONGEST_WORD])
    return Argument(kind, content), found.end()


def _block(text: str, at: int) -> tuple[Argument, int]:
    """A definite block, or an indefinite one, which takes the rest of the message."""
    width = int(text[at + 1])
    if width == 0:
        return Argument(Kind.BLOCK, text[at + 2 :]), len(text)
    begin = at + 2 + width
    digits = text[at + 2 : begin]
    if len(digits) < width or not digits.isdecimal() or begin + int(digits) > len(text):
        raise ScpiError(-161, text[at : at + 12])
    end = begin + int(digits)
    return Argument(Kind.BLOCK, text[begin:end]), end


def respond(answers: Iterable[bytes]) -> bytes:
    """The response message of the units that answered."""
    return b";".join(answers) + b"\n"
