"""Our own I/O board: permission for light, counts, slow inputs and outputs (boards/io_board).

The board is the authority on its line; it announces protocol and vocabulary at connection, and
what this driver does not know it refuses.
"""

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass

from optics.board_clock import BoardClock, ClockWentBack
from optics.board_line import DEVICE, BoardLine, Greeting
from optics.devices import Identity, LeaseStatus
from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused, OutOfReach
from optics.link import Patience
from optics.quantities import CountGate
from optics.transports import Opener

PROTOCOL = 2
NEEDED = {"LEASe", "LEASe?", "INTerlock?", "COUNts?", "GATE", "WINDow", "DAC", "LENS", "LENS?"}
NEEDED |= {"TEMPerature?", "CLOCk?"}
HIGHEST_CODE = 0xFFFF
GATES_A_REPLY = 8
LOOKS_AT_CLOCK = 8
LONGEST_LEASE_S = 0.5
LOST_THERMOMETER = 9.91e37  # SCPI's not-a-number
ZERO_CELSIUS_K = 273.15


@dataclass(frozen=True)
class IoBoardSettings:
    """What the operator decides about the board."""

    um_per_code: tuple[float, float, float]  # of the piezo's offsets x, y, z; 0: it has none
    codes_per_rad: float  # of the rotator of the pump's polarisation
    zero_codes: tuple[int, int, int] = (0x8000,) * 3
    polariser_zero_code: int = 0
    lease_s: float = 0.25
    window_s: float = 24e-9  # how far apart two clicks may be to coincide, either way
    lens_travel_s: float = 0.1
    port: str = "PORT"  # for the operator who has to flash it


class IoBoard:
    """Fits `Board`."""

    def __init__(self, opener: Opener, settings: IoBoardSettings, patience: Patience) -> None:
        if not 0.0 < settings.lease_s <= LONGEST_LEASE_S:
            raise ValueError(f"a lease lasts at most {LONGEST_LEASE_S} s")
        self._line = BoardLine(opener, patience)
        self._settings = settings
        self._lease_line = f"LEAS {round(settings.lease_s * 1e3)}"
        self._clock = BoardClock()
        self._next_gate = 1
        self._lens_stands_at_s = 0.0

    async def connect(self) -> Identity:
        greeting = await self._line.open()
        if complaint := _unfit(greeting):
            remedy = f"flash it: gansource flash --port {self._settings.port}"
            raise DeviceRefused(DEVICE, f"{complaint}; {remedy}")
        [newest] = await self._line.ask(
            "LEAS 0", f"WIND {round(self._settings.window_s * 1e9)}", "COUN?"
        )
        self._next_gate = _record(newest)[4] + 1
        self._clock = BoardClock()
        for _ in range(LOOKS_AT_CLOCK):
            await self._ask_with_clock()
        return greeting.identity

    async def light(self) -> None:
        await self._line.ask("LEAS 0", self._lease_line)

    async def renew(self) -> None:
        await self._line.ask(self._lease_line)

    async def darken(self) -> None:
        """Dark now, past an exchange that may be under way; then make sure."""
        self._line.interject("LEAS 0")
        await self._line.ask("LEAS 0")

    async def lease(self) -> LeaseStatus:
        [told] = await self._line.ask("LEAS?")
        state, left_ms, reason, since_ms = _words(told, 4)
        lit = state == "LIT"
        return LeaseStatus(lit, int(left_ms) / 1e3, "" if lit else reason, int(since_ms) / 1e3)

    async def interlock_closed(self) -> bool:
        return await self._line.ask("INT?") == ["1"]

    async def gates(self) -> list[CountGate]:
        """A gate that is missing in the numbers was lost; one told twice is refused."""
        found: list[CountGate] = []
        while True:
            [told] = await self._ask_with_clock(f"COUN? {self._next_gate}")
            fresh = list(self._taken(told))
            found += fresh
            if len(fresh) < GATES_A_REPLY:
                return found

    async def set_gate(self, gate_s: float) -> None:
        if not 1e-3 <= gate_s <= 10.0:
            raise OutOfReach(DEVICE, f"a gate of {gate_s} s is not within 1 ms to 10 s")
        await self._line.ask(f"GATE {round(gate_s * 1e3)}")

    async def offset(self, x_um: float, y_um: float, z_um: float) -> None:
        settings = self._settings
        axes = zip((x_um, y_um, z_um), settings.um_per_code, settings.zero_codes, strict=True)
        codes = [_code(zero + _steps(um, um_per_code)) for um, um_per_code, zero in axes]
        await self._line.ask(*(f"DAC {channel},{code}" for channel, code in enumerate(codes)))

    async def polarise(self, angle_rad: float) -> None:
        """Half a turn further is the same polarisation."""
        turned = angle_rad % math.pi * self._settings.codes_per_rad
        await self._line.ask(f"DAC 3,{_code(self._settings.polariser_zero_code + turned)}")

    async def widen(self, *, wide: bool) -> None:
        """Return once the lens stands."""
        loop = asyncio.get_running_loop()
        if await self._line.ask("LENS?") != [str(int(wide))]:
            self._lens_stands_at_s = loop.time() + self._settings.lens_travel_s
            await self._line.ask(f"LENS {int(wide)}")
        await asyncio.sleep(self._lens_stands_at_s - loop.time())

    async def temperatures_k(self) -> tuple[float, float]:
        [told] = await self._line.ask("TEMP?")
        mount_k, board_k = map(_kelvin, _words(told, 2))
        return mount_k, board_k

    async def aclose(self) -> None:
        await self._line.aclose()

    async def _ask_with_clock(self, *lines: str) -> list[str]:
        """Whatever else is asked, the board's clock is looked at on the way."""
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        board_us, *answers = await self._line.ask("CLOC?", *lines)
        try:
            self._clock.note(asked_s, loop.time(), int(board_us))
        except ClockWentBack as err:
            raise DeviceLost(DEVICE, "it has started anew") from err
        except ValueError as err:
            raise DeviceGarbled(DEVICE, f"its clock says {board_us!r}") from err
        return answers

    def _taken(self, told: str) -> Iterator[CountGate]:
        for record in told.split(";"):
            a, b, both, counted_us, number, read_us = _record(record)
            if not number:
                return
            if number < self._next_gate:
                raise DeviceGarbled(DEVICE, f"gate {number} was told twice")
            self._next_gate = number + 1
            yield CountGate((a, b), both, counted_us * 1e-6, number, self._clock.loop_s(read_us))


def _unfit(greeting: Greeting) -> str:
    """Why this board and this driver cannot work together, or nothing."""
    firmware = f"its firmware {greeting.identity.firmware}"
    if "safe mode" in greeting.identity.model:
        return f"it is in safe mode ({greeting.fault or 'and does not say why'})"
    if greeting.protocol != PROTOCOL:
        return f"{firmware} speaks protocol {greeting.protocol}, this gansource {PROTOCOL}"
    if missing := sorted(NEEDED - greeting.vocabulary):
        return f"{firmware} does not know {', '.join(missing)}"
    return ""


def _words(told: str, count: int) -> list[str]:
    words = told.split(",")
    if len(words) != count:
        raise DeviceGarbled(DEVICE, f"expected {count} words, got {told!r}")
    return words


def _record(told: str) -> list[int]:
    return [int(word) for word in _words(told, 6)]


def _steps(um: float, um_per_code: float) -> float:
    """Of the converter; without an input on that axis there is no way but none."""
    if um_per_code:
        return um / um_per_code
    return math.copysign(math.inf, um) if um else 0.0


def _code(wanted: float) -> int:
    if not 0 <= wanted <= HIGHEST_CODE:  # false for NaN too
        raise OutOfReach(DEVICE, f"code {wanted:.0f} is beyond the converter's range")
    return round(wanted)


def _kelvin(celsius: str) -> float:
    value_c = float(celsius)
    return math.nan if value_c >= LOST_THERMOMETER else value_c + ZERO_CELSIUS_K
