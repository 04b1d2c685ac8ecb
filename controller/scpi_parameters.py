"""Typed values out of arguments, with the standard's error for each misfit, and into answers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import inf, isfinite, isnan, nan, pi
from typing import Generic, TypeVar

from controller.scpi_grammar import DECIMAL, Argument, Kind, forms
from controller.scpi_status import ScpiError

T = TypeVar("T")
Real = TypeVar("Real", int, float)

NOT_ALLOWED = {
    Kind.DECIMAL: -128,
    Kind.NON_DECIMAL: -128,
    Kind.CHARACTER: -148,
    Kind.STRING: -158,
    Kind.BLOCK: -168,
    Kind.EXPRESSION: -178,
}
MULTIPLIERS = (  # powers of ten, IEEE 488.2 7.7.3
    {"EX": 18, "PE": 15, "T": 12, "G": 9, "MA": 6, "K": 3}
    | {"M": -3, "U": -6, "N": -9, "P": -12, "F": -15, "A": -18}
)
WHERE_M_IS_MEGA = frozenset({"HZ", "OHM"})  # the exceptions of the same table
OTHER_UNITS = {"S": {"MIN": 60.0, "HR": 3600.0, "D": 86400.0}, "RAD": {"DEG": pi / 180}}
LONGEST_SUFFIX = 12  # SCPI-99 volume 2, 21.8, error -134
MOST_DIGITS, LARGEST_EXPONENT = 255, 32000  # IEEE 488.2 7.7.2
BASES = {"H": 16, "Q": 8, "B": 2}
MOST_CHANNELS = 256
CHANNELS = re.compile(r"\s*(?P<first>\d{1,9})\s*(?::\s*(?P<last>\d{1,9})\s*)?", re.ASCII)

INFINITY, NOT_A_NUMBER = "9.9E+37", "9.91E+37"  # SCPI-99 volume 1, 7.2
READ_AS = {float(INFINITY): inf, -float(INFINITY): -inf, float(NOT_A_NUMBER): nan}
ENDLESS = {"INF": inf, "INFINITY": inf, "NINF": -inf, "NINFINITY": -inf, "NAN": nan}


def expect(arguments: Sequence[Argument], least: int, most: int | None = None) -> None:
    """-109 for too few, -108 for too many; without `most` exactly `least`."""
    if len(arguments) < least:
        raise ScpiError(-109, f"{len(arguments)} of {least}")
    if len(arguments) > (least if most is None else most):
        raise ScpiError(-108, f"{len(arguments)} given")


@dataclass(frozen=True, slots=True)
class Number:
    """A real in its unit, with suffixes and, where there are bounds, MIN, MAX and DEF.

    NAN passes only where there is no bound at all: nothing that moves or lights takes it.
    """

    unit: str = ""
    low: float = -inf
    high: float = inf
    default: float | None = None

    def read(self, argument: Argument) -> float:
        if argument.kind is Kind.CHARACTER:
            name = argument.text.upper()
            if name not in ENDLESS:
                return _limit(name, self.low, self.high, self.default)
            return self._checked(ENDLESS[name])
        digits, factor = _digits(argument, self.unit)
        value = float(digits) * factor
        if not isfinite(value):
            raise ScpiError(-222, argument.text)
        return self._checked(READ_AS.get(value, value))

    def limit(self, argument: Argument) -> float:
        """What a query may be given: MIN, MAX or DEF."""
        if argument.kind is not Kind.CHARACTER:
            raise _not_allowed(argument)
        return _limit(argument.text.upper(), self.low, self.high, self.default)

    def _checked(self, value: float) -> float:
        unbounded = self.low == -inf and self.high == inf
        if self.low <= value <= self.high or (unbounded and isnan(value)):
            return value
        raise ScpiError(-222, f"{value:g} is not in {self.low:g} to {self.high:g}{self.unit}")


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number; what is sent with a fraction is rounded, halves away from zero."""

    low: int
    high: int
    default: int | None = None

    def read(self, argument: Argument) -> int:
        if argument.kind is Kind.CHARACTER:
            return _limit(argument.text.upper(), self.low, self.high, self.default)
        value = _rounded(argument)
        if not self.low <= value <= self.high:
            raise ScpiError(-222, f"{value:.6g} is not in {self.low} to {self.high}")
        return int(value)


class Boolean:
    """ON, OFF, or a number that rounds to anything but 0."""

    def read(self, argument: Argument) -> bool:
        if argument.kind is Kind.CHARACTER:
            return ON_OFF.read(argument)
        return _rounded(argument) != 0


class Choice(Generic[T]):
    """One of several words, each in its short or its long form."""

    def __init__(self, words: Mapping[str, T]) -> None:
        self._words = words
        self._values = {form: value for word, value in words.items() for form in forms(word)}
        if len(self._values) != sum(len(set(forms(word))) for word in words):
            raise ValueError(f"words share a form: {', '.join(words)}")

    def read(self, argument: Argument) -> T:
        if argument.kind is not Kind.CHARACTER:
            raise _not_allowed(argument)
        try:
            return self._values[argument.text.upper()]
        except KeyError:
            raise ScpiError(-224, argument.text) from None

    def word(self, value: T) -> "Word":
        """The short form, as a query answers it."""
        return next(Word(forms(word)[0]) for word, own in self._words.items() if own == value)


ON_OFF = Choice({"ON": True, "OFF": False})


@dataclass(frozen=True, slots=True)
class String:
    """Text in either quotes; beyond the 7 bits of IEEE 488.2 it is read as UTF-8."""

    longest: int
    printable: bool = False

    def read(self, argument: Argument) -> str:
        if argument.kind is not Kind.STRING:
            raise _not_allowed(argument)
        try:
            text = argument.text.encode("latin-1").decode()
        except UnicodeDecodeError:
            raise ScpiError(-151, "not UTF-8") from None
        if len(text) > self.longest:
            raise ScpiError(-223, f"{len(text)} of {self.longest} characters")
        if self.printable and not text.isprintable():
            raise ScpiError(-151, "not printable")
        return text


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes, from a definite or an indefinite block."""

    longest: int

    def read(self, argument: Argument) -> bytes:
        if argument.kind is not Kind.BLOCK:
            raise _not_allowed(argument)
        if len(argument.text) > self.longest:
            raise ScpiError(-223, f"{len(argument.text)} of {self.longest} bytes")
        return argument.text.encode("latin-1")


@dataclass(frozen=True, slots=True)
class Channels:
    """A channel list such as (@1,2:4), in the order sent."""

    low: int
    high: int

    def read(self, argument: Argument) -> tuple[int, ...]:
        if argument.kind is not Kind.EXPRESSION:
            raise _not_allowed(argument)
        mark, entries = argument.text.lstrip()[:1], argument.text.lstrip()[1:].split(",")
        if mark != "@":
            raise ScpiError(-171, argument.text)
        if len(entries) > MOST_CHANNELS:
            raise ScpiError(-223, f"{len(entries)} of {MOST_CHANNELS} entries")
        channels: list[int] = []
        for entry in entries:
            found = CHANNELS.fullmatch(entry)
            if found is None:
                raise ScpiError(-171, entry)
            first = self._checked(found["first"])
            last = self._checked(found["last"] or found["first"])
            step = 1 if first <= last else -1
            channels.extend(range(first, last + step, step))
        return tuple(channels)

    def _checked(self, digits: str) -> int:
        if not self.low <= int(digits) <= self.high:
            raise ScpiError(-222, f"channel {digits} is not in {self.low} to {self.high}")
        return int(digits)


def _not_allowed(argument: Argument) -> ScpiError:
    return ScpiError(NOT_ALLOWED[argument.kind], argument.text)


def _limit(name: str, low: Real, high: Real, default: Real | None) -> Real:
    """What MIN, MAX or DEF stand for; -224 where the header has none."""
    limits = {"MIN": low, "MINIMUM": low, "MAX": high, "MAXIMUM": high}
    if name not in limits and name not in {"DEF", "DEFAULT"}:
        raise ScpiError(-141, name)
    limit = limits.get(name, default)
    if limit is None or not isfinite(limit):
        raise ScpiError(-224, name)
    return limit


def _rounded(argument: Argument) -> Decimal:
    digits, _ = _digits(argument, "")
    return digits.to_integral_value(ROUND_HALF_UP)


def _digits(argument: Argument, unit: str) -> tuple[Decimal, float]:
    """The number exactly as sent in powers of ten of the unit, and what else it is to be times."""
    if argument.kind is Kind.NON_DECIMAL:
        if len(argument.text) > MOST_DIGITS:
            raise ScpiError(-124, argument.text)
        return Decimal(int(argument.text[2:], BASES[argument.text[1].upper()])), 1.0
    found = DECIMAL.fullmatch(argument.text) if argument.kind is Kind.DECIMAL else None
    if found is None:
        raise _not_allowed(argument)
    mantissa, exponent, suffix = found["mantissa"], found["exponent"] or "0", found["suffix"]
    if len(mantissa.replace(".", "").lstrip("+-0")) > MOST_DIGITS:
        raise ScpiError(-124, mantissa)
    if len(exponent.lstrip("+-0")) > 5 or abs(int(exponent)) > LARGEST_EXPONENT:
        raise ScpiError(-123, exponent)
    power, factor = _scale(suffix.upper(), unit) if suffix else (0, 1.0)
    return Decimal(f"{mantissa}E{int(exponent) + power}"), factor


def _scale(suffix: str, unit: str) -> tuple[int, float]:
    """The power of ten and the factor from this suffix to the unit."""
    if not unit:
        raise ScpiError(-138, suffix)
    if len(suffix) > LONGEST_SUFFIX:
        raise ScpiError(-134, suffix)
    if suffix == unit:
        return 0, 1.0
    if suffix in OTHER_UNITS.get(unit, {}):
        return 0, OTHER_UNITS[unit][suffix]
    multiplier = suffix.removesuffix(unit)
    if multiplier == "M" and unit in WHERE_M_IS_MEGA:
        return 6, 1.0
    if multiplier == suffix or multiplier not in MULTIPLIERS:
        raise ScpiError(-131, suffix)
    return MULTIPLIERS[multiplier], 1.0


class Word(str):
    """Character response data: stands in an answer without quotes."""

    __slots__ = ()


def answer(*values: bool | float | str | bytes) -> bytes:
    """One response unit: booleans as 0 or 1, NR1, NR2 or NR3, strings or Words, definite blocks."""
    return b",".join(map(_element, values))


def _element(value: bool | float | str | bytes) -> bytes:
    if isinstance(value, bytes):
        length = str(len(value))
        return f"#{len(length)}{length}".encode() + value
    if isinstance(value, Word):
        return value.encode()
    if isinstance(value, str):
        return b'"' + value.replace('"', '""').encode() + b'"'
    return (str(int(value)) if isinstance(value, int) else _real(value)).encode()


def _real(value: float) -> str:
    """The shortest text that reads back as the same float, with the point NR3 wants."""
    if isnan(value):
        return NOT_A_NUMBER
    if abs(value) == inf:
        return INFINITY if value > 0 else "-" + INFINITY
    mantissa, mark, exponent = repr(float(value)).partition("e")
    point = mantissa if "." in mantissa else mantissa + ".0"
    return f"{point}E{exponent}" if mark else point
