"""SYSTem:LOCK: one controller of state at a time."""

from controller.scpi_access import Role
from controller.scpi_common import Arguments, Command, Table
from controller.scpi_parameters import answer
from controller.scpi_session import Answer, Session

NOBODY = "NONE"


def _request(session: Session, _: Arguments) -> Answer:
    """Whoever may only look may not keep others out either."""
    may = session.visitor.role >= Role.OPERATOR
    return answer(may and session.instrument.locks.take(session))


def _release(session: Session, _: Arguments) -> Answer:
    session.instrument.locks.release(session)
    return None


def _owner(session: Session, _: Arguments) -> Answer:
    owner = session.instrument.locks.exclusive
    return answer(NOBODY if owner is None else owner.name)


TABLE: Table = {
    "SYSTem:LOCK:REQuest?": Command(
        _request, "1: from now on nobody else changes anything; 0: another has the lock"
    ),
    "SYSTem:LOCK:RELease": Command(_release, "give it back; it also ends with the connection"),
    "SYSTem:LOCK:OWNer?": Command(_owner, "who has it, or NONE"),
}
