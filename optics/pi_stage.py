"""Physik Instrumente stages, GCS 2.0 syntax (E-727 user manual E727T0005, "GCS commands").

A query that is refused gets no answer at all, only an error number that waits for ERR?;
here that is a lost exchange, and connecting anew reads the number away.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from optics.answers import finite
from optics.devices import Identity
from optics.faults import DeviceGarbled, DeviceRefused, DeviceStuck, OutOfReach
from optics.link import Link, Patience, Reply
from optics.quantities import StageBox, StagePoint
from optics.transports import Opener

STOP_ALL_AXES = b"\x18"  # #24: no line feed, overtakes the line under way
STOPPED_BY_COMMAND = 10


class Dialect(NamedTuple):
    """In what one controller differs from the next."""

    um_per_unit: float
    must_reference: bool  # incremental encoders wake up without a zero


PIEZO = Dialect(um_per_unit=1.0, must_reference=False)
MOTOR = Dialect(um_per_unit=1000.0, must_reference=True)
DIALECTS = {
    **dict.fromkeys(("E-709", "E-712", "E-727", "E-753", "E-754"), PIEZO),
    **dict.fromkeys(("C-663", "C-863", "C-867"), MOTOR),
}


@dataclass(frozen=True)
class PiStageSettings:
    """What the operator decides about the stage."""

    axes: tuple[str, str, str]
    travel: StageBox
    velocity_um_per_s: float | None = None  # the controller's own, when not given
    settle_within_s: float = 2.0
    settled_within_um: float = 0.05
    reference_within_s: float = 60.0


class PiStage:
    """Closed-loop xyz stage."""

    def __init__(self, opener: Opener, settings: PiStageSettings, patience: Patience) -> None:
        self.travel = settings.travel
        self._link = Link("stage", opener, ends=_is_last_line, patience=patience)
        self._settings = settings
        self._axes = list(settings.axes)
        self._dialect = PIEZO

    async def connect(self) -> Identity:
        [line] = await self._link.open(b"*IDN?\n", knows=_is_identity)
        identity = Identity(*(part.strip() for part in line.decode("latin-1").rsplit(",", 3)))
        self._dialect = _dialect_of(identity)
        await self._link.ask(b"ERR?\n")  # reading clears what an earlier session left behind
        names = await self._link.ask(b"SAI?\n")
        present = [name.decode("latin-1").strip() for name in names]
        if missing := set(self._axes) - set(present):
            raise DeviceRefused("stage", f"has axes {present}, not {sorted(missing)}")
        await self._tell("SVO", [1] * 3)  # ours alone: an axis without a stage may take harm
        low, high = await self._ask("TMN?"), await self._ask("TMX?")
        says_itself = StageBox(StagePoint(*self._um(low)), StagePoint(*self._um(high)))
        self.travel = self._settings.travel.within(says_itself)
        if self._settings.velocity_um_per_s is not None:
            await self._tell("VEL", self._units([self._settings.velocity_um_per_s] * 3))
        return identity

    async def reference(self) -> bool:
        if not self._dialect.must_reference or await self._referenced():
            return False
        await self._tell(f"FRF {' '.join(self._axes)}")
        within_s = self._settings.reference_within_s
        await self._until(self._referenced, within_s, "did not find its zero")
        return True

    async def move_to(self, target: StagePoint) -> None:
        if target not in self.travel:
            raise OutOfReach("stage", f"{target} lies outside {self.travel}")
        await self._tell("MOV", self._units(target))
        await self._until(
            lambda: self._stands_at(target), self._settings.settle_within_s, f"is not at {target}"
        )

    async def position(self) -> StagePoint:
        return StagePoint(*self._um(await self._ask("POS?")))

    async def halt(self) -> None:
        """Stop now; the stop itself leaves error 10 behind, which is read away."""
        self._link.interject(STOP_ALL_AXES)
        await self._confirm("", forgive=STOPPED_BY_COMMAND)

    async def aclose(self) -> None:
        await self._link.aclose()

    async def _referenced(self) -> bool:
        return all(await self._ask("FRF?"))

    async def _stands_at(self, target: StagePoint) -> bool:
        """Its own word is not enough: one E-727 was on target and crept far from it."""
        if not all(await self._ask("ONT?")):
            return False
        return math.dist(await self.position(), target) <= self._settings.settled_within_um

    async def _until(
        self, condition: Callable[[], Awaitable[bool]], within_s: float, complaint: str
    ) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not await condition():
                    await asyncio.sleep(0.005)
        except TimeoutError as err:
            raise DeviceStuck("stage", f"{complaint} after {within_s:g} s") from err

    async def _tell(self, command: str, values: Iterable[float] = ()) -> None:
        words = (f"{axis} {_text(value)}" for axis, value in zip(self._axes, values, strict=False))
        await self._confirm(" ".join([command, *words]))

    async def _confirm(self, line: str, forgive: int = 0) -> None:
        """Commands are silent; asking for the error code in the same breath makes them answer."""
        reply = await self._link.ask(f"{line}\nERR?\n".lstrip().encode())
        [code] = _numbers(reply)
        if code not in (0, forgive):
            raise DeviceRefused("stage", f"GCS error {code:.0f} after {line!r}")

    async def _ask(self, query: str) -> list[float]:
        reply = await self._link.ask(f"{query} {' '.join(self._axes)}\n".encode())
        if [line.split(b"=")[0].decode("latin-1") for line in reply] != self._axes:
            raise DeviceGarbled("stage", f"{query} answered {reply!r}")
        return _numbers(reply)

    def _um(self, units: Iterable[float]) -> list[float]:
        return [number * self._dialect.um_per_unit for number in units]

    def _units(self, um: Iterable[float]) -> list[float]:
        return [number / self._dialect.um_per_unit for number in um]


def _dialect_of(identity: Identity) -> Dialect:
    """By the model's family; the rest of the name tells axes and housing."""
    for family, dialect in DIALECTS.items():
        if identity.model.startswith(family):
            return dialect
    known = ", ".join(DIALECTS)
    raise DeviceRefused("stage", f"{identity.model!r} is none of the models known: {known}")


def _is_last_line(line: bytes) -> bool:
    """Every line of a reply but the last ends in space and line feed."""
    return not line.endswith(b" \n")


def _is_identity(reply: Reply) -> bool:
    return len(reply) == 1 and b"Physik Instrumente" in reply[0] and reply[0].count(b",") >= 3


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6f}"


def _numbers(reply: Reply) -> list[float]:
    return finite("stage", [line.rpartition(b"=")[2] for line in reply])
