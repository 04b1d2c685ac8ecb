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
from controller.scpi_grammar import Argument
from controller.scpi_parameters import Boolean, Choice, Number, String, Word, answer
from controller.scpi_session import Answer, Session
from controller.scpi_status import ScpiError, Status
from controller.scpi_tree import Tree
from controller.snapshot import Newsstand, Snapshot
from controller.states import Event, State
from controller.store import Store
from controller.supervisor import NotNow, Overtaken, Supervisor, Wish
from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused, DeviceStuck, OutOfReach
from optics.quantities import StageBox, StagePoint

UM_PER_M = 1e6
IN_SERVICE = {State.SERVICE, State.MOVING}
AWAY = {State.CONNECTING, State.SAFE}
NOWHERE = StagePoint(nan, nan, nan)
END = Choice[Callable[[StageBox], StagePoint]](
    {"MINimum": lambda travel: travel.low, "MAXimum": lambda travel: travel.high}
)
NOISE_UM = 0.05
"""A place that was read at an end of the travel may be a little beyond it, and may be sent back."""
NUMBER_OF: dict[type[Exception], int] = {  # each class of fault has one number
    DeviceLost: -241,
    DeviceGarbled: -360,
    DeviceRefused: -200,
    DeviceStuck: -240,
    OutOfReach: -222,
    StoreFault: -320,
    NotNow: -221,
    Overtaken: -200,
}
OPERATION_BIT = {State.MOVING: 1 << 1, State.READY: 1 << 8}
FAULT_BIT = 1 << 12
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
        faulty = self._now.fault is not None
        return OPERATION_BIT.get(self._now.state, 0), FAULT_BIT * faulty

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
            "STAGe:POSition?": Command(
                self._position,
                "x, y, z in m, NAN where not known; MIN or MAX: of the travel",
                (0, 1),
            ),
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
        if wanted is (self._supervisor.promised in IN_SERVICE):
            return None
        self._check_stage()
        return self._ask_for(Event.SERVE if wanted else Event.RESUME).ended

    def _move(self, session: Session, arguments: Arguments) -> Answer:
        travel = self._check_stage()
        if self._supervisor.promised not in IN_SERVICE:
            raise ScpiError(-221, "service mode is off: SYSTem:SERVice ON")
        axes = zip("xyz", arguments, *travel, strict=True)
        target = StagePoint(*(_read_place(*axis) for axis in axes))
        if self._supervisor.promised is State.MOVING:
            raise ScpiError(-221, "a move is under way: wait for it with *WAI or *OPC?")
        wish = self._ask_for(Event.MOVE, target)
        session.overlap(wish.ended)
        return wish.begun  # the next query already sees it under way

    def _check_stage(self) -> StageBox:
        """Its travel; -241 while it is not there, since no other word would help."""
        travel = self._now.travel
        if travel is None or self._supervisor.promised in AWAY:
            raise ScpiError(-241, str(self._now.fault or "the stage is not connected yet"))
        return travel

    def _position(self, _session: Session, arguments: Arguments) -> Answer:
        position: StagePoint | None = self._now.position
        if arguments:
            position = END.read(arguments[0])(self._check_stage())
        return answer(*(round(um / UM_PER_M, 12) for um in position or NOWHERE))

    def _set_label(self, _session: Session, arguments: Arguments) -> Answer:
        label = LABEL.read(arguments[0])
        return asyncio.ensure_future(self._keep_label(label))

    async def _keep_label(self, label: str) -> None:
        """Known to others only once it is on the disk."""
        await self._store.set_setting("label", label)
        self._news.publish(label=label)

    def _uptime(self, _session: Session, _: Arguments) -> Answer:
        return answer(round(asyncio.get_running_loop().time() - self._now.started_s, 3))

    def _headers(self, _session: Session, _: Arguments) -> Answer:
        return answer("\n".join(self.tree.headers()).encode() + b"\n")

    def _ask_for(self, event: Event, target: StagePoint | None = None) -> Wish:
        try:
            return self._supervisor.request(event, target)
        except NotNow as refusal:
            raise self.as_scpi_error(refusal) from refusal


def _read_place(axis: str, argument: Argument, low_um: float, high_um: float) -> float:
    """One coordinate in um, within the travel."""
    limits = Number("M", (low_um - NOISE_UM) / UM_PER_M, (high_um + NOISE_UM) / UM_PER_M)
    try:
        place_um = UM_PER_M * limits.read(argument)
    except ScpiError as error:
        raise ScpiError(error.number, f"{axis}: {error.detail}") from error
    return min(max(place_um, low_um), high_um)
