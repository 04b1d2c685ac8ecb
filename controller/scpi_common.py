"""What the tables of commands are made of, and how a handler acts and tells."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import nan
from typing import NamedTuple

from controller.scpi_access import Role
from controller.scpi_grammar import Argument
from controller.scpi_parameters import answer
from controller.scpi_session import Answer, Session
from controller.wishes import Granted

Arguments = tuple[Argument, ...]
Handler = Callable[[Session, Arguments], Answer]


class Command(NamedTuple):
    """One entry of a table; `takes` is the least and the most number of arguments."""

    run: Handler
    does: str
    takes: tuple[int, int] = (0, 0)
    needs: Role = Role.MONITOR
    is_endless: bool = False  # its response ends only with the message, IEEE 488.2 8.7.11


Table = dict[str, Command]


def done(wish: Awaitable[None]) -> Answer:
    """Hold up the session until a setting has taken effect."""
    return asyncio.ensure_future(wish)


def overlap(session: Session, granted: Granted) -> Answer:
    """Go on once the work has begun, so that the next query sees it; *OPC and *WAI know its end."""
    session.overlap(granted.ended)
    return granted.begun


def age_s(at_s: float) -> float:
    """How long ago that was."""
    return round(max(0.0, asyncio.get_running_loop().time() - at_s), 3)


def left_s(until_s: float) -> float:
    """How long it is until then; 0 once it is past."""
    return round(max(0.0, until_s - asyncio.get_running_loop().time()), 3)


def or_nan(value: float | None) -> float:
    """SCPI's word for what is not known."""
    return nan if value is None else value


def aged(figure: Sequence[float] | None, width: int) -> bytes:
    """A figure whose last number is its instant, told with its age; NAN throughout if unknown."""
    if figure is None:
        return answer(*[nan] * width)
    *values, at_s = figure
    return answer(*values, age_s(at_s))


def scaled(values: Iterable[float], per_unit: float) -> tuple[float, ...]:
    """From our units to those of SCPI, without digits that come of the division alone."""
    return tuple(float(f"{value / per_unit:.12g}") for value in values)
