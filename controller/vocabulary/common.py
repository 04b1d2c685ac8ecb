"""What every instrument understands: IEEE 488.2 common commands, STATus, SYSTem:ERRor."""

from collections.abc import Callable

from controller.scpi_common import Arguments, Command, Handler, Table
from controller.scpi_parameters import Integer, answer
from controller.scpi_session import Answer, Session
from controller.scpi_status import Registers

BYTE, WORD = Integer(0, 0xFF), Integer(0, 0xFFFF)


def _clear(session: Session, _: Arguments) -> Answer:
    session.status.clear()
    session.complete(wanted=False)
    return None


def _complete(session: Session, _: Arguments) -> Answer:
    session.complete(wanted=True)
    return None


def _set_event_enable(session: Session, arguments: Arguments) -> Answer:
    session.status.event_enable = BYTE.read(arguments[0])
    return None


def _set_service_enable(session: Session, arguments: Arguments) -> Answer:
    session.status.service_enable = BYTE.read(arguments[0])
    return None


def _next_error(session: Session, _: Arguments) -> Answer:
    error = session.status.errors.pop()
    return answer(error.number, error.message)


def _all_errors(session: Session, _: Arguments) -> Answer:
    errors = session.status.errors.drain()
    return b",".join(answer(error.number, error.message) for error in errors)


def _preset(session: Session, _: Arguments) -> Answer:
    session.status.preset()
    return None


TABLE: Table = {
    "*CLS": Command(_clear, "forget events and errors"),
    "*ESE": Command(_set_event_enable, "which standard events count", (1, 1)),
    "*ESE?": Command(lambda session, _: answer(session.status.event_enable), "that mask"),
    "*ESR?": Command(lambda session, _: answer(session.status.take_events()), "events, cleared"),
    "*OPC": Command(_complete, "set event bit 0 when all that was begun has ended"),
    "*OPC?": Command(lambda session, _: session.idle(b"1"), "1, when all begun has ended"),
    "*SRE": Command(_set_service_enable, "which summaries ask for service", (1, 1)),
    "*SRE?": Command(lambda session, _: answer(session.status.service_enable), "that mask"),
    "*STB?": Command(lambda session, _: answer(session.status_byte()), "the status byte"),
    "*WAI": Command(lambda session, _: session.idle(), "hold until all begun has ended"),
    "SYSTem:ERRor[:NEXT]?": Command(_next_error, "the oldest error, removed"),
    "SYSTem:ERRor:ALL?": Command(_all_errors, "all errors, removed"),
    "SYSTem:ERRor:COUNt?": Command(
        lambda session, _: answer(len(session.status.errors)), "how many errors wait"
    ),
    "SYSTem:VERSion?": Command(lambda _session, _: b"1999.0", "the SCPI version"),
    "STATus:PRESet": Command(_preset, "masks and filters as after power-on"),
}


MASKS = (
    ("ENABle", "enable", "which events count"),
    ("PTRansition", "rising", "which conditions are noted as they begin"),
    ("NTRansition", "falling", "which conditions are noted as they end"),
)


def _registers(name: str, pick: Callable[[Session], Registers]) -> Table:
    """The five headers of one register set."""

    table = {
        f"STATus:{name}[:EVENt]?": Command(
            lambda session, _: answer(pick(session).take_event()), "what has happened, cleared"
        ),
        f"STATus:{name}:CONDition?": Command(
            lambda session, _: answer(pick(session).condition), "what is so now"
        ),
    }
    for header, mask, does in MASKS:
        table[f"STATus:{name}:{header}"] = Command(_mask_writer(pick, mask), does, (1, 1))
        table[f"STATus:{name}:{header}?"] = Command(_mask_reader(pick, mask), "that mask")
    return table


def _mask_writer(pick: Callable[[Session], Registers], mask: str) -> Handler:
    def write(session: Session, arguments: Arguments) -> Answer:
        setattr(pick(session), mask, WORD.read(arguments[0]))
        return None

    return write


def _mask_reader(pick: Callable[[Session], Registers], mask: str) -> Handler:
    return lambda session, _: answer(getattr(pick(session), mask))


TABLE |= _registers("OPERation", lambda session: session.status.operation)
TABLE |= _registers("QUEStionable", lambda session: session.status.questionable)
