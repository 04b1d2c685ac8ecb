"""What the source says of itself, heard as a host hears it: over SCPI and nothing else."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

from hil.hosts import Host
from hil.truth import Claim

PATIENCE_S = 1.0
NOT_A_NUMBER = 9.9e37
LABEL = "drill"
QUERY = "SOUR:STAT?;:SITE:SEL?;:SOUR:FAUL?"
SILENT = Claim("SILENT")
Clear = Callable[[], None]


class Witness:
    """One host that only asks; a controller that is dead or busy says nothing."""

    def __init__(self, host: Host, clear: Clear) -> None:
        self._host, self._clear = host, clear

    async def claim(self) -> Claim:
        """State, site and fault, or SILENT."""
        parts = (await self._said(QUERY) or "").split(";", 2)
        if len(parts) < len(Claim._fields):
            return SILENT
        return Claim(parts[0], *(part.strip('"') for part in parts[1:]))

    async def all_claims(self) -> dict[str, Any]:
        """The report's `claims`."""
        now = await self.claim()
        brightness = await self._numbers("FETC:BRIG?")
        purity = await self._numbers("FETC:PUR?")
        return {
            "state": now.state,
            "site": now.site or None,
            "brightness_cps": brightness[0],
            "brightness_err_cps": brightness[1],
            "g2": purity[0],
            "g2_upper95": purity[2],
        }

    async def leave_a_fact(self) -> None:
        """Something the controller acknowledges, and so may never forget."""
        await self._said(f'SYST:LAB "{LABEL}";*OPC?')

    async def lost_facts(self, sites: int) -> list[str]:
        """What was acknowledged and is no longer known."""
        lost = [] if await self._said("SYST:LAB?") == f'"{LABEL}"' else ["label"]
        known = await self.sites()
        return lost + (["sites"] if known is not None and known < sites else [])

    async def sites(self) -> int | None:
        """How many it knows."""
        [number, *_] = await self._numbers("SITE:COUN?")
        return None if number is None else int(number)

    async def say(self, message: str) -> None:
        await self._host.tell(message)

    async def _numbers(self, query: str) -> list[float | None]:
        said = await self._said(query)
        numbers = [_number(part) for part in said.split(",")] if said else []
        return [*numbers, None, None, None]

    async def _said(self, message: str) -> str | None:
        """The answer; None, and nothing left over for the next one, where there is none in time."""
        self._clear()
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._host.ask(message)
        except (TimeoutError, OSError, EOFError):
            return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < NOT_A_NUMBER else None
