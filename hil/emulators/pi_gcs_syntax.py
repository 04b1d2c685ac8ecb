"""GCS 2.0 on the wire: a byte stream cut into commands, arguments read, answers written.

Sources: chapter "GCS syntax" and error table of PI's manuals MS249E (C-863.12, pp. 115-117,
207), E727T0005 (E-727, p. 178). "Unconfirmed" marks what no manual page or capture shows.
"""

import math
import re
from collections.abc import Iterator, Sequence
from enum import IntEnum

IMMEDIATE = MOVING, READY, STOP = "\x05", "\x07", "\x18"  # #5, #7, #24 in the manuals

_MARKS = re.compile(rb"([\x05\x07\x18\n])")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Code(IntEnum):
    """What ERR? answers; which of two fitting ones a controller gives is often unconfirmed."""

    NONE = 0
    SYNTAX = 1
    UNKNOWN_COMMAND = 2
    TOO_LONG = 3
    NO_REFERENCE_OR_SERVO = 5
    POSITION_OUT_OF_LIMITS = 7
    VELOCITY_OUT_OF_LIMITS = 8
    STOPPED = 10
    UNKNOWN_AXIS = 15  # 23 fits as well
    OUT_OF_RANGE = 17
    AXIS_TWICE = 22
    ARGUMENT_COUNT = 24
    REFERENCING_DISABLED = 50
    UNKNOWN_PARAMETER = 54
    AUTOZERO_RUNNING = 61
    SERVO_IS_ON = 79
    REFERENCING_ENABLED = 88


class GcsError(Exception):
    """The line is refused; nothing of it was done."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.name)
        self.code = code


class Intake:
    """Collects bytes until they make a command; never holds more than a line and one byte."""

    def __init__(self, line_limit: int) -> None:
        self._room = line_limit + 1  # one more than allowed shows that the line is too long
        self._line = bytearray()

    def cut(self, data: bytes) -> Iterator[str]:
        """Lines without their line feed, and single characters wherever they stand."""
        for piece in _MARKS.split(data):
            if piece == b"\n":
                line = self._line.decode("latin-1")
                self._line.clear()
                yield line
            elif _MARKS.fullmatch(piece):
                yield piece.decode("latin-1")
            else:
                self._line += piece[: self._room - len(self._line)]


def number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise GcsError(Code.SYNTAX)  # unconfirmed: 25, invalid floating point number, fits as well
    return float(text)


def flag(text: str) -> float:
    """0 or 1."""
    value = number(text)
    if value not in (0.0, 1.0):
        raise GcsError(Code.OUT_OF_RANGE)
    return value


def low_voltage(text: str) -> float:
    """Where an autozero starts; NaN leaves it to the controller."""
    return math.nan if text.upper() == "NAN" else number(text)


def answer(items: Sequence[str]) -> str:
    """Every line but the last ends in a space."""
    return " \n".join(items) + "\n"


def written(value: float, form: str) -> str:
    """A number in the controller's form, never minus zero."""
    text = format(value, form)
    return text.lstrip("-") if float(text) == 0.0 else text
