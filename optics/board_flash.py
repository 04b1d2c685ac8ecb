"""New firmware into the board's spare slot, on trial, and kept only when it is healthy.

The board starts a slot on trial once: without a confirmation it takes the old one again, so
whatever is cut short here, and whenever, leaves a board that answers.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import NamedTuple

from optics.board_firmware import Firmware
from optics.board_line import DEVICE, BoardLine, Greeting
from optics.faults import DeviceFault, DeviceLost, DeviceRefused
from optics.link import Patience
from optics.transports import Opener

PATIENCE = Patience(reply_s=10.0, longest_pause_s=1.0)
"""A flash takes a while to be emptied, and the boot code to hash it."""
LAST_WORDS_S = 0.5  # the board leaves 200 ms after it was told to
SETTLED_S = 2.0  # gates have ended and thermometers been read after so long
BACK_WITHIN_S = 90.0  # firmware that never answers is given up by the board after 60

FILES, GATES, HEAT, DAC, LIGHT = 1, 2, 4, 8, 16
FAILURES = {FILES: "files", GATES: "gates", HEAT: "thermometers", DAC: "DAC", LIGHT: "light"}
SOLDERED_BESIDE = HEAT | DAC  # may be missing on a desk


class Slots(NamedTuple):
    """What runs, and what lies in both slots."""

    running: str  # A, B or NONE
    on_trial: bool
    identity: str
    spare_identity: str


class Flashed(NamedTuple):
    """What came of it."""

    serial: str
    before: str  # version, or that of the safe mode
    version: str
    identity: str
    slot: str
    changed: bool
    failing: tuple[str, ...]  # of what is soldered beside the board, and was not better before


class GivenUp(Exception):
    """The new firmware was not healthy, and the board runs what it ran before."""


class BoardFlash:
    """One board on its line."""

    def __init__(self, opener: Opener, patience: Patience = PATIENCE) -> None:
        self._line = BoardLine(opener, patience)

    async def flash(self, firmware: Firmware, told: Callable[[float], None]) -> Flashed:
        """Put it on the board; `told` hears the share that is done. GivenUp, or a DeviceFault."""
        before, slots = await self._known()
        if slots.on_trial:  # somebody stopped half-way; nothing can be written before that is over
            before, slots = await self._restarted()
        if slots.identity == firmware.identity:
            failed = await self._failed()
            return _flashed(before, before, firmware, slots, failed, changed=False)
        failed_before = None if _is_safe_mode(before) else await self._failed()
        await self._fill(firmware, told)
        after, slots = await self._tried(firmware)
        failed = await self._healthy(after, firmware, failed_before)
        await self._line.ask("FIRM:CONF")
        if (slots := await self._slots()).on_trial:
            raise DeviceRefused(DEVICE, "did not confirm the new firmware; flash it again")
        told(1.0)
        return _flashed(before, after, firmware, slots, failed, changed=True)

    async def appears(self) -> None:
        """Wait for a board that has just been started."""
        await asyncio.sleep(LAST_WORDS_S)
        await self._returned()

    async def aclose(self) -> None:
        await self._line.aclose()

    async def _known(self) -> tuple[Greeting, Slots]:
        return await self._line.open(), await self._slots()

    async def _slots(self) -> Slots:
        [told] = await self._line.ask("FIRM?")
        running, kept, identity, spare_identity = told.split(",")
        return Slots(running, kept == "TRIAL", identity, spare_identity)

    async def _failed(self) -> int:
        """Its self-test, which wants darkness and a little time since the start."""
        await self._line.ask("LEAS 0")
        await asyncio.sleep(SETTLED_S)
        [told] = await self._line.ask("*TST?")
        return int(told)

    async def _fill(self, firmware: Firmware, told: Callable[[float], None]) -> None:
        await self._line.ask("FIRM:BEG")
        for line, carried in firmware.lines():
            await self._line.ask(line)
            told(0.9 * carried / firmware.size)
        await self._line.ask(f'FIRM:COMM "{firmware.identity}"')
        if (await self._slots()).spare_identity != firmware.identity:
            raise DeviceRefused(DEVICE, "its flash gives back something else; flash it again")

    async def _tried(self, firmware: Firmware) -> tuple[Greeting, Slots]:
        """Start the other slot; GivenUp when it was the old one that came up."""
        after, slots = await self._restarted("FIRM:SWIT")
        if slots.identity != firmware.identity:
            raise GivenUp(after.fault or "the board took the old one again and does not say why")
        return after, slots

    async def _healthy(self, after: Greeting, firmware: Firmware, failed_before: int | None) -> int:
        """What fails and may; GivenUp, and the old firmware back, when more does."""
        try:
            complaint, failed = "", await self._failed()
        except DeviceFault as err:
            complaint, failed = f"its self-test does not end well ({err.detail})", 0
        excused = SOLDERED_BESIDE if failed_before is None else SOLDERED_BESIDE & failed_before
        if worse := failed & ~excused:
            complaint = f"its self-test fails in {', '.join(_words(worse))}"
        elif after.identity.firmware != firmware.version:
            complaint = f"it says it is {after.identity.firmware}"
        if complaint:
            await self._restarted()
            raise GivenUp(complaint)
        return failed

    async def _restarted(self, how: str = "SYST:REST") -> tuple[Greeting, Slots]:
        """Start anew, and wait for whoever comes up."""
        with contextlib.suppress(DeviceLost):  # its answer may be lost, and the order heard
            await self._line.ask(how)
        await asyncio.sleep(LAST_WORDS_S)
        return await self._returned()

    async def _returned(self) -> tuple[Greeting, Slots]:
        try:
            async with asyncio.timeout(BACK_WITHIN_S):
                while True:
                    try:
                        return await self._known()
                    except DeviceLost:
                        continue
        except TimeoutError:
            raise DeviceLost(DEVICE, f"did not come back within {BACK_WITHIN_S:g} s") from None


def _is_safe_mode(greeting: Greeting) -> bool:
    return "safe mode" in greeting.identity.model


def _words(failed: int) -> tuple[str, ...]:
    return tuple(word for bit, word in FAILURES.items() if failed & bit)


def _flashed(
    before: Greeting,
    after: Greeting,
    firmware: Firmware,
    slots: Slots,
    failed: int,
    *,
    changed: bool,
) -> Flashed:
    return Flashed(
        serial=after.identity.serial,
        before=before.identity.firmware,
        version=after.identity.firmware,
        identity=firmware.identity,
        slot=slots.running,
        changed=changed,
        failing=_words(failed),
    )
