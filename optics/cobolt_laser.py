"""Cobolt 06-01 series lasers (manual D0136, January 2020, "Serial command list").

Each command ends in a carriage return and gets one line; watts on the wire, some answers in mW.
Commands are those the maker's own client pycobolt sends. The laser tells a cold head from a
dark one only once it was asked to emit.
"""

import re
from collections.abc import Sequence

from optics.answers import finite, in_reach
from optics.devices import Identity, LaserStatus
from optics.faults import DeviceGarbled, DeviceRefused
from optics.link import Link, Patience, Reply
from optics.transports import Opener

MODES = OFF, WAITING_FOR_KEY, CONTINUOUS, ON_OFF, MODULATED, FAULT, ABORTED = range(7)  # of gom?
LEFT_BY_INTERLOCK = 3  # of f?; kept when the interlock is closed again
FAULTS = {
    1: "temperature error",
    LEFT_BY_INTERLOCK: "interlock error",
    4: "constant power timed out",
}
MODEL = re.compile(rb"\d{4}-\d\d-[-\w]+\r\n")
SERIES = "-06-"


class CoboltLaser:
    """A laser of the 06-01 series in constant power mode."""

    def __init__(
        self, opener: Opener, patience: Patience, range_uw: tuple[float, float] = (50.0, 200_000.0)
    ) -> None:
        """`range_uw` narrows what the laser allows of itself."""
        self.range_uw = range_uw
        self._link = Link("laser", opener, ends=lambda _line: True, patience=patience)
        self._allowed_uw = range_uw

    async def connect(self) -> Identity:
        [line] = await self._link.open(b"\rglm?\r", knows=_is_model)
        model = line.decode("ascii").strip()
        if SERIES not in model:
            raise DeviceRefused("laser", f"{model!r} is none of the 06-01 series")
        identity = Identity("Cobolt", model, await self._text("gsn?"), await self._text("gfv?"))
        least_uw, most_uw = self._allowed_uw
        self.range_uw = least_uw, min(most_uw, await self._number("gmlp?") * 1e3)
        await self._tell("l0")
        await self._tell("cp")
        return identity

    async def set_power(self, power_uw: float) -> None:
        in_reach("laser", power_uw, self.range_uw, "uW")
        await self._tell(f"p {power_uw * 1e-6:.6f}")

    async def switch(self, *, on: bool) -> None:
        if on and (trouble := await self._trouble(await self._mode())):
            raise DeviceRefused("laser", trouble)
        await self._tell("@cob1" if on else "l0")

    async def clear(self) -> None:
        await self._tell("cf")
        if trouble := await self._trouble(await self._mode()):
            raise DeviceRefused("laser", trouble)

    async def status(self) -> LaserStatus:
        emitting = await self._flag("l?")
        set_uw = await self._number("p?") * 1e6
        power_uw = await self._number("pa?") * 1e6
        mode = await self._mode()
        trouble = await self._trouble(mode)
        if not trouble and mode == CONTINUOUS and not emitting:
            trouble = "warming up"
        left = trouble == FAULTS[LEFT_BY_INTERLOCK]
        return LaserStatus(emitting, set_uw, power_uw, not trouble, trouble, left)

    async def aclose(self) -> None:
        await self._link.aclose()

    async def _trouble(self, mode: int) -> str:
        """Why it would not emit, warmth apart; the cause before the consequence."""
        fault = int(await self._number("f?"))
        if await self._flag("ilk?"):
            return "interlock open"
        if fault:
            return FAULTS.get(fault, f"fault {fault}")
        return {WAITING_FOR_KEY: "key switch is off", FAULT: "fault"}.get(mode, "")

    async def _mode(self) -> int:
        return await self._one_of(MODES, "gom?")

    async def _flag(self, query: str) -> bool:
        return await self._one_of((0, 1), query) == 1

    async def _one_of(self, known: Sequence[int], query: str) -> int:
        number = await self._number(query)
        if number not in known:
            raise DeviceGarbled("laser", f"{query!r} was answered {number:g}")
        return int(number)

    async def _tell(self, command: str) -> None:
        answer = await self._text(command)
        if answer != "OK":
            raise DeviceGarbled("laser", f"{command!r} was answered {answer!r}")

    async def _number(self, query: str) -> float:
        [number] = finite("laser", [(await self._text(query)).encode("latin-1")])
        return number

    async def _text(self, line: str) -> str:
        [answer] = await self._link.ask(f"{line}\r".encode())
        text = answer.decode("latin-1").strip()
        if text.startswith("Syntax error"):
            raise DeviceRefused("laser", f"{line!r} was answered {text!r}")
        return text


def _is_model(reply: Reply) -> bool:
    return MODEL.fullmatch(reply[0]) is not None
