"""Bytes to program messages and units, back again: IEEE 488.2 chapters 7 and 8, no I/O."""

import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from controller.scpi_status import ScpiError

LONGEST_MESSAGE = 1 << 20  # bytes
MOST_ARGUMENTS = 256  # so that one unit of a long message costs neither memory nor time
LONGEST_WORD = 12  # of a mnemonic and of character data, IEEE 488.2 7.6 and 7.7.1

SPACE = r"[\x00-\x09\x0b-\x20]"  # every control code but LF is white space, IEEE 488.2 7.4
LF, HASH, DOUBLE_QUOTE, SINGLE_QUOTE = b"\n#\"'"

# What ends the reader's skipping, by where it is; nothing here can go back over what it has seen.
OPEN = re.compile(rb"""[\n"']|(?<=[\x00-\x09\x0b-\x20,])\#""")
IN_DOUBLE_QUOTES = re.compile(rb'[\n"]')
IN_SINGLE_QUOTES = re.compile(rb"[\n']")
UP_TO_LF = re.compile(rb"\n")
UP_TO_END = re.compile(rb"(?!)")
QUOTED = {DOUBLE_QUOTE: IN_DOUBLE_QUOTES, SINGLE_QUOTE: IN_SINGLE_QUOTES}


class Reader:
    """Chunks in, whole program messages without their LF out; the same however they are cut.

    An LF inside a block or a closed string is data. A string still open at its second LF was
    never closed: the message ends at the first, so one forgotten quote costs one message, told
    when the next has come. A message beyond the limit is one -363; its bytes are dropped as they
    come, up to its LF, and the length a block declares is believed even then.
    """

    def __init__(self, limit: int = LONGEST_MESSAGE, *, end_marked: bool = False) -> None:
        """With `end_marked` the transport calls `end`, and only that ends an indefinite block."""
        self._limit = limit
        self._indefinite = UP_TO_END if end_marked else UP_TO_LF
        self._buffer = bytearray()
        self._start = self._at = 0
        self._look_for = OPEN
        self._held: int | None = None  # the first LF in a string that may be unclosed
        self._discarding = False

    def clear(self) -> None:
        """Device clear: forget a half message."""
        self._buffer.clear()
        self._discarding = False
        self._begin(0)

    def feed(self, data: bytes) -> list[bytes | ScpiError]:
        """The messages these bytes complete, an over-long one as its error."""
        self._buffer += data
        messages: list[bytes | ScpiError] = []
        while self._advance(messages):
            pass
        self._trim()
        return messages

    def end(self) -> list[bytes | ScpiError]:
        """The transport's END came with the last byte: it ends a message as LF does."""
        messages: list[bytes | ScpiError] = []
        while self._start < len(self._buffer) or self._discarding:
            self._close(len(self._buffer), messages)
            while self._advance(messages):
                pass
        self.clear()
        return messages

    def _advance(self, messages: list[bytes | ScpiError]) -> bool:
        """One step to the next byte that matters; False when more must come first."""
        found = self._look_for.search(self._buffer, self._at)
        here = found.start() if found else len(self._buffer)
        if here - self._start > self._limit and not self._discarding:
            self._overrun(messages)
            return True
        if found is None:
            self._at = max(self._at, here)
            return False
        byte = self._buffer[here]
        self._at = here + 1
        if byte == HASH:
            return self._open_block(here)
        if byte == LF:
            self._line_feed(here, messages)
        else:
            self._look_for = QUOTED[byte] if self._look_for is OPEN else OPEN
        return True

    def _in_string(self) -> bool:
        return self._look_for in QUOTED.values()

    def _line_feed(self, here: int, messages: list[bytes | ScpiError]) -> None:
        if self._in_string() and self._held is None and not self._discarding:
            self._held = here
        else:
            self._close(here, messages)

    def _close(self, here: int, messages: list[bytes | ScpiError]) -> None:
        """The message ends here, or where its unclosed string should have."""
        if self._in_string() and self._held is not None:
            here = self._held
        if not self._discarding:
            message = bytes(self._buffer[self._start : here])
            messages.append(message if len(message) <= self._limit else ScpiError(-363))
        self._discarding = False
        self._begin(here + 1)

    def _overrun(self, messages: list[bytes | ScpiError]) -> None:
        if self._in_string() and self._held is not None:
            self._close(self._held, messages)
        else:
            messages.append(ScpiError(-363))
            self._discarding, self._held = True, None

    def _begin(self, start: int) -> None:
        self._start = self._at = start
        self._look_for = OPEN
        self._held = None

    def _open_block(self, here: int) -> bool:
        """Skip over a block whose header is whole; what is no block header is left alone."""
        header = self._buffer[here + 1 : here + 11]
        width = header[0] - 48 if header else 1
        digits = header[1 : 1 + width]
        if not 0 <= width <= 9 or (digits and not digits.isdigit()):
            return True
        if width == 0:
            self._look_for = self._indefinite
        elif len(digits) < width:
            self._at = here
            return False
        else:
            self._at = here + 2 + width + int(digits)
        self._held = None
        return True

    def _trim(self) -> None:
        """Drop what is done with; while discarding keep one byte for the look back."""
        spent = min(self._at - 1, len(self._buffer)) if self._discarding else self._start
        if spent > 0:
            del self._buffer[:spent]
            self._at -= spent
            self._start -= spent
            if self._held is not None:
                self._held -= spent


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
