"""STAGe: moving the chip by hand."""

from collections.abc import Callable
from math import nan

from controller.scpi_access import Role
from controller.scpi_common import Arguments, Command, Table, overlap, scaled
from controller.scpi_grammar import Argument
from controller.scpi_parameters import Choice, Number, answer
from controller.scpi_session import Answer, Session
from controller.scpi_status import ScpiError
from optics.faults import DeviceLost
from optics.quantities import StageBox, StagePoint

UM_PER_M = 1e6
NOWHERE = StagePoint(nan, nan, nan)
END = Choice[Callable[[StageBox], StagePoint]](
    {"MINimum": lambda travel: travel.low, "MAXimum": lambda travel: travel.high}
)
NOISE_UM = 0.05
"""A place that was read at an end of the travel may be a little beyond it, and may be sent back."""


def _travel(session: Session) -> StageBox:
    if session.now.travel is None:
        raise DeviceLost("stage", "is not connected yet")
    return session.now.travel


def _move(session: Session, arguments: Arguments) -> Answer:
    axes = zip("xyz", arguments, *_travel(session), strict=True)
    target = StagePoint(*(_read_place(*axis) for axis in axes))
    return overlap(session, session.wishes.move(target))


def _position(session: Session, arguments: Arguments) -> Answer:
    position = session.now.position or NOWHERE
    if arguments:
        position = END.read(arguments[0])(_travel(session))
    return answer(*scaled(position, UM_PER_M))


def _read_place(axis: str, argument: Argument, low_um: float, high_um: float) -> float:
    """One coordinate in um, within the travel."""
    limits = Number("M", (low_um - NOISE_UM) / UM_PER_M, (high_um + NOISE_UM) / UM_PER_M)
    try:
        place_um = UM_PER_M * limits.read(argument)
    except ScpiError as error:
        raise ScpiError(error.number, f"{axis}: {error.detail}") from error
    return min(max(place_um, low_um), high_um)


TABLE: Table = {
    "STAGe:POSition": Command(
        _move, "x, y, z in m: go there (o); only in service mode", (3, 3), Role.SERVICE
    ),
    "STAGe:POSition?": Command(
        _position, "x, y, z in m, NAN where not known; MIN or MAX: of the travel", (0, 1)
    ),
}
