"""Keeps the light for as long as it is wanted, and lets nobody overlook that it ended.

The board ends every lease by itself; this renews it from the loop, so a loop that stands still
goes dark. After an end that nobody asked for, nothing is lit until somebody acknowledges it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

from optics.devices import Board
from optics.faults import DeviceFault, DeviceRefused

DEVICE = "board"
RENEWED_AFTER = 0.4  # of a lease
TRUSTED_LATE = 0.4  # of a lease: a loop later than this would soon lose the light anyway

LOST, LATE = "LOST", "LATE"


class End(NamedTuple):
    """Of the light, unasked."""

    reason: str  # the board's (README of its folder), LOST when it is out of reach, LATE for us
    noticed_s: float
    fault: DeviceFault


class LeaseKeeper:
    """`light` begins it, its own task renews it, `darken` ends it."""

    def __init__(self, board: Board, lease_s: float) -> None:
        self.ended: End | None = None
        self._board = board
        self._renewed_after_s = RENEWED_AFTER * lease_s
        self._trusted_late_s = TRUSTED_LATE * lease_s
        self._wanted = False
        self._keeping: asyncio.Task[None] | None = None
        self._bodies: set[asyncio.Timeout] = set()

    @property
    def lit(self) -> bool:
        """Whether there is light, as far as is known."""
        keeping = self._keeping
        return keeping is not None and not keeping.done() and self.ended is None

    def acknowledge(self) -> None:
        """Own up to the last end: `light` may light again."""
        self.ended = None

    async def light(self) -> None:
        """Take the light and keep it; DeviceRefused after an end that nobody has owned up to."""
        if self.ended is not None:
            detail = f"the light ended ({self.ended.reason}) and nobody has acknowledged it"
            raise DeviceRefused(DEVICE, detail)
        if self.lit:
            return
        self._wanted = True
        await self._board.light()
        if self._wanted and not self.lit:  # else somebody darkened meanwhile, after us
            self._keeping = asyncio.create_task(self._keep(), name="lease keeper")
            self._keeping.add_done_callback(self._kept)

    async def darken(self) -> None:
        """Want it no longer, then tell the board, then be sure; acknowledges nothing."""
        self._wanted = False
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
        try:
            await self._board.darken()
        finally:
            if keeping is not None:
                await asyncio.wait({keeping})
        if keeping is not None and not keeping.cancelled():
            keeping.result()  # a defect of ours is not overlooked either

    @contextlib.asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """Do what needs light: the body is ended, with the fault, when the light ends unasked."""
        if not self.lit:
            raise self.ended.fault if self.ended else DeviceRefused(DEVICE, "nothing is lit")
        body = asyncio.timeout(None)
        try:
            async with body:
                self._bodies.add(body)
                try:
                    yield
                finally:
                    self._bodies.discard(body)
        except TimeoutError:
            if body.expired() and self.ended is not None:
                raise self.ended.fault from None
            raise

    async def _keep(self) -> None:
        """Renew until cancelled, or until it cannot be."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                due_s = loop.time() + self._renewed_after_s
                await asyncio.sleep(self._renewed_after_s)
                if (late_s := loop.time() - due_s) > self._trusted_late_s:
                    await self._give_back(late_s)
                    return
                await self._board.renew()
        except DeviceFault as fault:
            self._end(await self._reason(fault), fault)

    def _kept(self, keeping: asyncio.Task[None]) -> None:
        """Not even a defect of ours, which `darken` raises, leaves a body at work in the dark."""
        if not keeping.cancelled():
            self._end_bodies()

    async def _give_back(self, late_s: float) -> None:
        """Ours is the fault: a loop that came so late is not trusted with light."""
        self._end(LATE, DeviceRefused(DEVICE, f"the event loop came {late_s:.3f} s late to renew"))
        with contextlib.suppress(DeviceFault):  # then it ends by itself
            await self._board.darken()

    async def _reason(self, fault: DeviceFault) -> str:
        """What the board says ended it."""
        if not isinstance(fault, DeviceRefused):
            return LOST
        try:
            return (await self._board.lease()).ended_by
        except DeviceFault:
            return LOST

    def _end(self, reason: str, fault: DeviceFault) -> None:
        self.ended = End(reason, asyncio.get_running_loop().time(), fault)
        self._end_bodies()

    def _end_bodies(self) -> None:
        """There is nothing left that they could do."""
        bodies, self._bodies = self._bodies, set()
        for body in bodies:
            body.reschedule(asyncio.get_running_loop().time())
