"""SYSTem, and the common commands that reach the controller: who it is, and how it is served."""

import asyncio
from collections.abc import Sequence

from controller import __version__
from controller.scpi_access import Role
from controller.scpi_common import Arguments, Command, Table, age_s, done
from controller.scpi_parameters import Boolean, String, answer
from controller.scpi_session import Answer, Session
from controller.scpi_status import ScpiError
from controller.states import IN_SERVICE
from controller.store import utc_now
from controller.wishes import Check

LABEL = String(longest=64, printable=True)


def _identify(session: Session, _: Arguments) -> Answer:
    source = session.instrument.source
    model = "SPS-1 (emulated rig)" if source.emulated else "SPS-1"
    return f"gansource,{model},{source.serial},{__version__}".encode()


def _serve(session: Session, *, on: bool) -> Answer:
    granted = session.wishes.serve(on=on)
    return None if granted is None else granted.ended


def _set_service(session: Session, arguments: Arguments) -> Answer:
    return _serve(session, on=Boolean().read(arguments[0]))


def _set_label(session: Session, arguments: Arguments) -> Answer:
    return done(session.wishes.set_label(LABEL.read(arguments[0])))


def _self_test(session: Session, _: Arguments) -> Answer:
    async def test() -> bytes:
        checks: Sequence[Check] = await session.wishes.self_test()
        failed = [check for check in checks if check.complaint]
        for check in failed:
            session.status.report(ScpiError(-330, f"{check.name}: {check.complaint}"))
        return answer(len(failed))

    return asyncio.ensure_future(test())


def _headers(session: Session, _: Arguments) -> Answer:
    return session.instrument.help


def _date(_session: Session, _: Arguments) -> Answer:
    now = utc_now()
    return answer(now.year, now.month, now.day)


def _time(_session: Session, _: Arguments) -> Answer:
    now = utc_now()
    return answer(now.hour, now.minute, now.second)


TABLE: Table = {
    "*IDN?": Command(_identify, "maker, model, serial number, version", is_endless=True),
    "*TST?": Command(
        _self_test, "self-test that disturbs nobody: how many checks failed; the errors say which"
    ),
    "SYSTem:SERVice": Command(_set_service, "service mode on or off", (1, 1), Role.SERVICE),
    "SYSTem:SERVice?": Command(
        lambda session, _: answer(session.now.state in IN_SERVICE), "whether it is on"
    ),
    "SYSTem:LABel": Command(
        _set_label, "a name of up to 64 characters, kept", (1, 1), Role.OPERATOR
    ),
    "SYSTem:LABel?": Command(lambda session, _: answer(session.now.label), "that name"),
    "SYSTem:UPTime?": Command(
        lambda session, _: answer(age_s(session.now.started_s)), "seconds since the start"
    ),
    "SYSTem:DATE?": Command(_date, "year, month, day in UTC"),
    "SYSTem:TIME?": Command(_time, "hour, minute, second in UTC"),
    "SYSTem:HELP:HEADers?": Command(_headers, "every header, as a block"),
}
