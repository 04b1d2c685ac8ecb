"""OUTPut and SOURce: whether there may be light, how much, and since when it is the same."""

from controller.scpi_access import Role
from controller.scpi_common import Arguments, Command, Table, done, left_s, or_nan, scaled
from controller.scpi_parameters import Boolean, Number, Word, answer
from controller.scpi_session import Answer, Session
from optics.faults import DeviceLost

UW_PER_W, UM_PER_M = 1e6, 1e6


def power_range(session: Session) -> Number:
    """The laser's, in W; -241 while there is no laser."""
    if session.now.power_range_uw is None:
        raise DeviceLost("laser", "there is none, or it is not connected")
    return Number("W", *scaled(session.now.power_range_uw, UW_PER_W))


def hold_off_range(session: Session) -> Number:
    """Up to the operator's bound, so that no host can keep the source from caring for itself."""
    return Number("S", 0.0, session.instrument.source.hold_off_most_s)


def _set_output(session: Session, arguments: Arguments) -> Answer:
    return done(session.wishes.set_output(on=Boolean().read(arguments[0])))


def _set_power(session: Session, arguments: Arguments) -> Answer:
    power_w = power_range(session).read(arguments[0])
    return done(session.wishes.set_power(power_w * UW_PER_W))


def _power(session: Session, arguments: Arguments) -> Answer:
    if arguments:
        return answer(power_range(session).limit(arguments[0]))
    return answer(*scaled([or_nan(session.now.power_set_uw)], UW_PER_W))


def _wavelength(session: Session, _: Arguments) -> Answer:
    return answer(*scaled([or_nan(session.now.wavelength_um)], UM_PER_M))


def _set_hold_off(session: Session, arguments: Arguments) -> Answer:
    return done(session.wishes.hold_off(hold_off_range(session).read(arguments[0])))


def _hold_off(session: Session, arguments: Arguments) -> Answer:
    if arguments:
        return answer(hold_off_range(session).limit(arguments[0]))
    return answer(left_s(session.now.hold_off_until_s))


def _fault(session: Session, _: Arguments) -> Answer:
    return answer(session.now.latched or str(session.now.fault or ""))


POWER = "SOURce:POWer[:LEVel][:IMMediate][:AMPLitude]"
TABLE: Table = {
    "OUTPut[:STATe]": Command(
        _set_output, "the source may emit; kept over power cycles", (1, 1), Role.OPERATOR
    ),
    "OUTPut[:STATe]?": Command(
        lambda session, _: answer(session.now.output), "whether it may; SOURce:STATe? if it does"
    ),
    "SOURce:STATe?": Command(
        lambda session, _: answer(Word(session.now.state.name)), "the controller's state"
    ),
    "SOURce:FAULt?": Command(_fault, "the present fault in words, or an empty string"),
    POWER: Command(_set_power, "of the pump laser, in W", (1, 1), Role.OPERATOR),
    f"{POWER}?": Command(_power, "what it is set to, or with MIN or MAX its range", (0, 1)),
    "SOURce:WAVelength?": Command(_wavelength, "of the photons, in m"),
    "SOURce:EPOCh?": Command(
        lambda session, _: answer(session.now.epoch),
        "grows whenever emitter, power or a limit changes: cut the key block there",
    ),
    "SOURce:HOLDoff": Command(
        _set_hold_off, "no recalibration for so many s; 0 ends it", (1, 1), Role.OPERATOR
    ),
    "SOURce:HOLDoff?": Command(_hold_off, "s that are left of it, or with MAX the most", (0, 1)),
}
