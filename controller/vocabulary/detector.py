"""TRACk and DETector: following the emitter, and the counts it is followed by."""

from math import nan

from controller.scpi_access import Role
from controller.scpi_common import Arguments, Command, Table, done, or_nan
from controller.scpi_parameters import Boolean, Channels, Number, answer
from controller.scpi_session import Answer, Session

CHANNELS = Channels(1, 2)
GATE = Number("S", 0.001, 10.0)


def _track(session: Session, arguments: Arguments) -> Answer:
    return done(session.wishes.track(on=Boolean().read(arguments[0])))


def _loss(session: Session, _: Arguments) -> Answer:
    loss = session.now.tracking_loss
    return answer(nan if loss is None else loss.value)


def _counts(session: Session, arguments: Arguments) -> Answer:
    channels = CHANNELS.read(arguments[0]) if arguments else (1, 2)
    gate = session.now.gate
    return answer(*(nan if gate is None else gate.clicks[channel - 1] for channel in channels))


def _set_gate(session: Session, arguments: Arguments) -> Answer:
    return done(session.wishes.set_gate(GATE.read(arguments[0])))


def _gate(session: Session, arguments: Arguments) -> Answer:
    return answer(GATE.limit(arguments[0]) if arguments else or_nan(session.now.gate_s))


TABLE: Table = {
    "TRACk[:STATe]": Command(
        _track, "the focus follows the emitter; kept over power cycles", (1, 1), Role.OPERATOR
    ),
    "TRACk[:STATe]?": Command(lambda session, _: answer(session.now.tracking), "whether it shall"),
    "TRACk:LOSS?": Command(_loss, "share of the photons that is spent on it"),
    "DETector:COUNts?": Command(
        _counts, "clicks of the newest gate, of both channels or of a list such as (@1,2)", (0, 1)
    ),
    "DETector:GATE": Command(_set_gate, "how many s one gate counts", (1, 1), Role.OPERATOR),
    "DETector:GATE?": Command(_gate, "that, or with MIN or MAX its range", (0, 1)),
}
