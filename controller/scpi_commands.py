"""The instrument: all tables joined, errors by who must act, conditions out of the snapshot."""

import asyncio
import logging

from controller.config import SourceConfig
from controller.ledger import StoreFault
from controller.scpi_common import Command, Table
from controller.scpi_locks import Locks
from controller.scpi_parameters import answer
from controller.scpi_plan import Planner, Step
from controller.scpi_session import Operation, Session
from controller.scpi_status import ScpiError
from controller.scpi_tree import Tree
from controller.scpi_turns import Turns
from controller.snapshot import Newsstand, Snapshot
from controller.vocabulary import (
    common,
    detector,
    fetch,
    lock,
    settings,
    site,
    source,
    stage,
    survey,
    system,
)
from controller.wishes import BadCatalogue, NoSuchSite, NotNow, Overtaken, Wishes
from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused, DeviceStuck, OutOfReach

log = logging.getLogger(__name__)

NUMBER_OF: dict[type[Exception], int] = {  # each class of fault has one number
    DeviceLost: -241,
    DeviceGarbled: -360,
    DeviceRefused: -200,
    DeviceStuck: -240,
    OutOfReach: -222,
    StoreFault: -320,
    NotNow: -221,
    Overtaken: -200,
    NoSuchSite: -224,
    BadCatalogue: -232,
}
OPERATION_BITS = {  # of each state by name; what goes on in any state is Busy
    "MOVING": 1 << 1,
    "SURVEYING": 1 << 3,
    "READY": 1 << 8,
    "EMITTING": 1 << 8 | 1 << 9,
    "REGISTERING": 1 << 11,
    "LOCKING": 1 << 12,
}
FAULT_BIT = 1 << 12
SUBSYSTEMS = (system, lock, settings, source, fetch, site, survey, detector, stage, common)
TABLE: Table = {header: entry for part in SUBSYSTEMS for header, entry in part.TABLE.items()}

TREE: Tree[Command] = Tree(TABLE)


class Instrument:
    """What all sessions share: the table, the snapshots, the way to the controller."""

    def __init__(
        self, source: SourceConfig, news: Newsstand, wishes: Wishes, tree: Tree[Command] = TREE
    ) -> None:
        self.source, self.news, self.wishes, self.tree = source, news, wishes, tree
        self.help = answer("\n".join(tree.headers()).encode() + b"\n")
        self.planner = Planner(tree)
        self.locks, self.turns = Locks(), Turns()
        self._told: tuple[Snapshot, tuple[int, int]] | None = None

    def as_scpi_error(self, error: BaseException) -> ScpiError:
        """The number that belongs to whoever must act; a defect is logged with what led to it."""
        if isinstance(error, ScpiError):
            return error
        for kind, number in NUMBER_OF.items():
            if isinstance(error, kind):
                return ScpiError(number, str(error))
        log.error("a defect in a SCPI command", exc_info=error)
        return ScpiError(-310, type(error).__name__)

    def conditions(self) -> tuple[int, int]:
        """The OPERation and QUEStionable conditions of now, found once for all sessions."""
        now = self.news.latest
        if self._told is None or self._told[0] is not now:
            self._told = now, conditions(now)
        return self._told[1]

    def refusal(self, session: Session, step: Step) -> Operation | None:
        """Why this host may not do what would change something; None when it may."""
        if session.visitor.role < step.command.needs:
            return asyncio.ensure_future(self._refuse(session, step))
        if (owner := self.locks.keeps_out(session)) is not None:
            raise ScpiError(-203, f"{step.header}: locked by {owner.name}")
        return None

    async def _refuse(self, session: Session, step: Step) -> None:
        """Once it is in the audit; until then the host waits, so a flood of these is a slow one."""
        role = step.command.needs.name.lower()
        await self.wishes.audit(session.name, f"refused {step.header}: not {role}")
        raise ScpiError(-203, f"{step.header}: for {role} only")


def conditions(now: Snapshot) -> tuple[int, int]:
    """The OPERation and QUEStionable conditions of a snapshot."""
    dark = bool(now.fault or now.latched) or now.interlock_closed is False
    operation = OPERATION_BITS.get(now.state.name, 0) | now.busy.value
    return operation, now.doubts.value | FAULT_BIT * dark
