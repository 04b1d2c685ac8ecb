"""Coherent OBIS LX and LS lasers with a remote (OBIS LX/LS operator's manual, appendix C).

With handshaking on, every answer ends in a line OK or ERR and a number. The remote's part of
SYSTem:STATus? was seen on hardware; tests/transcripts/obis.txt names where.
"""

from optics.answers import finite, in_reach
from optics.devices import Identity, LaserStatus
from optics.faults import DeviceGarbled, DeviceRefused
from optics.link import Link, Patience, Reply
from optics.transports import Opener

GREETING = b"\rSYST:COMM:HAND ON\rSYST:COMM:PROM OFF\r*IDN?\r"
FAULT, EMISSION, DELAY, WARM_UP = 1 << 0, 1 << 1, 1 << 4, 1 << 8
KEY_OUT, INTERLOCK_OPEN = 1 << 25, 1 << 26
OBSTACLES = {KEY_OUT: "key switch is off", INTERLOCK_OPEN: "interlock open"}
DELAYS = {WARM_UP: "warming up", DELAY: "emission delay"}
FAULTS = {  # of SYSTem:FAULt?
    0x1: "base plate temperature",
    0x2: "diode temperature",
    0x4: "internal temperature",
    0x8: "laser power supply",
    0x10: "internal bus",
    0x20: "diode over current",
    0x40: "checksum",
    0x80: "checksum recovery",
    0x100: "buffer overflow",
    0x200: "warm-up limit",
    0x400: "cooler driver",
    0x800: "controller bus",
    0x1000: "diode temperature limit",
    0x2000: "laser ready",
    0x4000: "photodiode",
    0x8000: "fatal",
    0x10000: "start-up",
    0x20000: "watchdog reset",
    0x40000: "field calibration",
    0x100000: "over power",
}


class ObisLaser:
    """A laser of the family in constant power mode."""

    def __init__(
        self, opener: Opener, patience: Patience, range_uw: tuple[float, float] = (50.0, 200_000.0)
    ) -> None:
        """`range_uw` narrows what the laser allows of itself."""
        self.range_uw = range_uw
        self._link = Link("laser", opener, ends=_is_handshake, patience=patience)
        self._allowed_uw = range_uw

    async def connect(self) -> Identity:
        reply = await self._link.open(GREETING, knows=_is_identity)
        parts = reply[0].decode("latin-1").strip().split(" - ")
        maker, model, firmware = [*parts, "", ""][:3]
        serial = await self._text("SYST:INF:SNUM?")
        least_uw, most_uw = self._allowed_uw
        self.range_uw = (
            max(least_uw, await self._watts("SOUR:POW:LIM:LOW?")),
            min(most_uw, await self._watts("SOUR:POW:LIM:HIGH?")),
        )
        await self._tell("SOUR:AM:STAT OFF")
        await self._tell("SOUR:AM:INT CWP")
        return Identity(maker, model, serial, firmware)

    async def set_power(self, power_uw: float) -> None:
        in_reach("laser", power_uw, self.range_uw, "uW")
        await self._tell(f"SOUR:POW:LEV:IMM:AMPL {power_uw * 1e-6:.6f}")

    async def switch(self, *, on: bool) -> None:
        if on and (trouble := await self._trouble(await self._flags())):
            raise DeviceRefused("laser", trouble)
        await self._tell(f"SOUR:AM:STAT {'ON' if on else 'OFF'}")

    async def clear(self) -> None:
        """Only a warm boot forgets a fault; the laser is away for some seconds then."""
        if (await self._flags()) & FAULT:
            await self._tell("*RST")
        elif trouble := await self._trouble(await self._flags()):
            raise DeviceRefused("laser", trouble)

    async def status(self) -> LaserStatus:
        flags = await self._flags()
        set_uw = await self._watts("SOUR:POW:LEV:IMM:AMPL?")
        power_uw = await self._watts("SOUR:POW:LEV?")
        trouble = await self._trouble(flags) or _first(DELAYS, flags)
        return LaserStatus(
            bool(flags & EMISSION), set_uw, power_uw, ready=not trouble, trouble=trouble
        )

    async def aclose(self) -> None:
        await self._link.aclose()

    async def _flags(self) -> int:
        return await self._hexadecimal("SYST:STAT?")

    async def _trouble(self, flags: int) -> str:
        """Why it would not emit, warmth apart."""
        if flags & FAULT:
            code = await self._hexadecimal("SYST:FAUL?")
            return _first(FAULTS, code) or f"fault {code:X}"
        return _first(OBSTACLES, flags)

    async def _hexadecimal(self, query: str) -> int:
        text = await self._text(query)
        try:
            return int(text, 16)
        except ValueError as err:
            raise DeviceGarbled("laser", f"{query!r} was answered {text!r}") from err

    async def _watts(self, query: str) -> float:
        [number] = finite("laser", [(await self._text(query)).encode("latin-1")])
        return number * 1e6

    async def _text(self, query: str) -> str:
        return await self._ask(query, lines=1)

    async def _tell(self, command: str) -> None:
        await self._ask(command, lines=0)

    async def _ask(self, line: str, lines: int) -> str:
        reply = await self._link.ask(f"{line}\r".encode())
        *texts, handshake = (part.decode("latin-1").strip() for part in reply)
        if handshake != "OK":
            raise DeviceRefused("laser", f"{line!r} was answered {handshake!r}")
        if len(texts) != lines:
            raise DeviceGarbled("laser", f"{line!r} was answered {reply!r}")
        return "".join(texts)


def _first(words: dict[int, str], flags: int) -> str:
    """What the first flag means that is set, or nothing."""
    return next((word for flag, word in words.items() if flags & flag), "")


def _is_handshake(line: bytes) -> bool:
    return line.strip() == b"OK" or line.startswith(b"ERR")


def _is_identity(reply: Reply) -> bool:
    return len(reply) == 2 and b"OBIS" in reply[0] and reply[1].strip() == b"OK"
