"""The instrument: all tables joined, errors by who must act, conditions out of the snapshot."""

from collections.abc import Callable

from controller.config import SourceConfig
from controller.ledger import StoreFault
from controller.scpi_common import Command, Table
from controller.scpi_status import ScpiError, Status
from controller.scpi_tree import Tree
from controller.snapshot import Newsstand, Snapshot
from controller.vocabulary import common, detector, fetch, site, source, stage, survey, system
from controller.wishes import BadCatalogue, NoSuchSite, NotNow, Overtaken, Wishes
from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused, DeviceStuck, OutOfReach

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
SUBSYSTEMS = (system, source, fetch, site, survey, detector, stage, common)
TABLE: Table = {header: entry for part in SUBSYSTEMS for header, entry in part.TABLE.items()}


class Instrument:
    """What all sessions share: the table, the snapshots, the way to the controller."""

    def __init__(
        self, source: SourceConfig, news: Newsstand, wishes: Wishes, table: Table | None = None
    ) -> None:
        self.source, self.news, self.wishes = source, news, wishes
        self.tree: Tree[Command] = Tree(TABLE if table is None else table)

    refusals = tuple(NUMBER_OF)

    def as_scpi_error(self, error: BaseException) -> ScpiError:
        """The number that belongs to whoever must act; a defect stays a defect."""
        if isinstance(error, ScpiError):
            return error
        for kind, number in NUMBER_OF.items():
            if isinstance(error, kind):
                return ScpiError(number, str(error))
        raise error

    def conditions(self) -> tuple[int, int]:
        """The OPERation and QUEStionable conditions of this instant."""
        return conditions(self.news.latest)

    def follow(self, status: Status) -> Callable[[], None]:
        """Keep a session's condition registers true from now on; returns what ends it."""

        def note(snapshot: Snapshot) -> None:
            status.operation.condition, status.questionable.condition = conditions(snapshot)

        return self.news.subscribe(note)


def conditions(now: Snapshot) -> tuple[int, int]:
    """The OPERation and QUEStionable conditions of a snapshot."""
    dark = bool(now.fault or now.latched) or now.interlock_closed is False
    operation = OPERATION_BITS.get(now.state.name, 0) | now.busy.value
    return operation, now.doubts.value | FAULT_BIT * dark
