"""The instrument's own vocabulary: one table of header, handler and help line.

Queries answer from the latest snapshot and never wait for hardware; commands that begin
something overlapped, marked (o), return at once and are waited for by *OPC? and *WAI.
"""

import asyncio
from collections.abc import Callable
from math import nan

from controller import __version__
from controller.config import SourceConfig
from controller.ledger import StoreFault
from controller.scpi_common import COMMON, Arguments, Command
from controller.scpi_parameters import Boolean, Number, String, Word, answer
from controller.scpi_session import Answer, Session
from controller.scpi_status import ScpiError, Status
from controller.scpi_tree import Tree
from controller.snapshot import Newsstand, Snapshot
from controller.states import Event, State
from controller.store import Store
from controller.supervisor import NotNow, Overtaken, Supervisor, Wish
from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused, DeviceStuck, OutOfReach
from optics.quantities import StagePoint

UM_PER_M = 1e6
IN_SERVICE = {State.SERVICE, State.MOVING}
NUMBER_OF: dict[type[Exception], int] = {  # each class of fault has one number of its own
    DeviceLost: -241,
    DeviceGarbled: -360,
    DeviceRefused: -200,
    DeviceStuck: -240,
    OutOfReach: -222,
    StoreFault: -320,
    NotNow: -221,
    Overtaken: -230,
}
OPERATION_BIT = {State.MOVING: 1 << 1, State.READY: 1 << 8}
LABEL = String(longest=64, printable=True)


class Instrument:
    """What all sessions share: the table, and the way to the controller."""

    def __init__(
        self, source: SourceConfig, news: Newsstand, supervisor: Supervisor, store: Store
    ) -> None:
        self._source, self._news, self._supervisor, self._store = source, news, supervisor, store
        self.table = self._own() | COMMON
        self.tree: Tree[Command] = Tree(self.table)

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
        return OPERATION_BIT.get(self._now.state, 0), 0

    def follow(self, status: Status) -> Callable[[], None]:
        """Keep a session's condition registers true from now on; returns what ends it."""

        def note(_snapshot: Snapshot) -> None:
            status.operation.condition, status.questionable.condition = self.conditions()

        return self._news.subscribe(note)

    def _own(self) -> dict[str, Command]:
        return {
            "*IDN?": Command(self._identify, "maker, model, serial number, version"),
            "*RST": Command(self._reset, "leave service mode; settings and sites are kept"),
            "SOURce:STATe?": Command(
                lambda *_: answer(Word(self._now.state.name)), "the controller's state"
            ),
            "SOURce:FAULt?": Command(self._fault, "the present fault in words, or an empty string"),
            "STAGe:POSition": Command(
                self._move, "x, y, z in m: go there (o); only in service mode", (3, 3)
            ),
            "STAGe:POSition?": Command(self._position, "x, y, z in m, NAN where not known"),
            "SYSTem:SERVice": Command(self._set_service, "service mode on or off", (1, 1)),
            "SYSTem:SERVice?": Command(
                lambda *_: answer(self._now.state in IN_SERVICE), "whether it is on"
            ),
            "SYSTem:LABel": Command(self._set_label, "a name of up to 64 characters, kept", (1, 1)),
            "SYSTem:LABel?": Command(lambda *_: answer(self._now.label), "that name"),
            "SYSTem:UPTime?": Command(self._uptime, "seconds since the start"),
            "SYSTem:HELP:HEADers?": Command(self._headers, "every header, as a block"),
        }

    @property
    def _now(self) -> Snapshot:
        return self._news.latest

    def _identify(self, _session: Session, _: Arguments) -> Answer:
        model = "SPS-1 (emulated rig)" if self._source.emulated else "SPS-1"
        return f"gansource,{model},{self._source.serial},{__version__}".encode()

    def _fault(self, _session: Session, _: Arguments) -> Answer:
        return answer(str(self._now.fault or ""))

    def _reset(self, session: Session, _: Arguments) -> Answer:
        return self._serve(session, wanted=False)

    def _set_service(self, session: Session, arguments: Arguments) -> Answer:
        return self._serve(session, wanted=Boolean().read(arguments[0]))

    def _serve(self, _session: Session, *, wanted: bool) -> Answer:
        if wanted is (self._now.state in IN_SERVICE):
            return None
        return self._ask_for(Event.SERVE if wanted else Event.RESUME).ended

    def _move(self, session: Session, arguments: Arguments) -> Answer:
        if self._now.state not in IN_SERVICE or self._now.travel is None:
            raise ScpiError(-221, "service mode is off: SYSTem:SERVice ON")
        spans = zip(arguments, *self._now.travel, strict=True)
        target = StagePoint(
            *(
                UM_PER_M * Number("M", low / UM_PER_M, high / UM_PER_M).read(argument)
                for argument, low, high in spans
            )
        )
        wish = self._ask_for(Event.MOVE, target)
        session.overlap(wish.ended)
        return wish.begun  # the next query already sees it under way

    def _position(self, _session: Session, _: Arguments) -> Answer:
        position = self._now.position or StagePoint(nan, nan, nan)
        return answer(*(round(um / UM_PER_M, 12) for um in position))

    def _set_label(self, _session: Session, arguments: Arguments) -> Answer:
        label = LABEL.read(arguments[0])
        return asyncio.ensure_future(self._keep_label(label))

    async def _keep_label(self, label: str) -> None:
        """Known to others only once it is on the disk."""
        await self._store.set_setting("label", label)
        self._news.publish(label=label)

    def _uptime(self, _session: Session, _: Arguments) -> Answer:
        return answer(asyncio.get_running_loop().time() - self._now.started_s)

    def _headers(self, _session: Session, _: Arguments) -> Answer:
        return answer("\n".join(self.tree.headers()).encode() + b"\n")

    def _ask_for(self, event: Event, target: StagePoint | None = None) -> Wish:
        try:
            return self._supervisor.request(event, target)
        except NotNow as refusal:
            raise self.as_scpi_error(refusal) from refusal
