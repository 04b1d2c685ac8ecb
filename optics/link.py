"""One byte stream, one exchange at a time, every wait bounded.

A link that failed stays closed until somebody opens it again: a device that was away may
have forgotten everything, and only its driver knows what to tell it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from optics.faults import DeviceFault, DeviceGarbled, DeviceLost
from optics.transports import Opener

Reply = list[bytes]
Follows = Callable[[bytes], int]
"""How many raw bytes follow a line; they come as the next item of the reply."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how much to read, before giving up."""

    reply_s: float = 0.5
    open_s: float = 3.0
    reply_bytes: int = 16_384
    first_pause_s: float = 0.05
    longest_pause_s: float = 5.0


class Link:
    """Asks a device and hands each answer to the one who asked."""

    def __init__(
        self,
        device: str,
        opener: Opener,
        ends: Callable[[bytes], bool],
        patience: Patience,
        follows: Follows = lambda _line: 0,
    ) -> None:
        """`ends` tells the last line of a reply from one that is followed by more."""
        self.device = device
        self._opener, self._ends, self._patience = opener, ends, patience
        self._follows = follows
        self._conversation: _Conversation | None = None
        self._turn = asyncio.Lock()
        self._pause_s = 0.0
        self._greetings = 0  # said since one was answered
        self._late: asyncio.TimerHandle | None = None

    async def open(self, greeting: bytes, knows: Callable[[Reply], bool]) -> Reply:
        """Connect and return the first answer that `knows` recognises as one to the greeting.

        Devices answer in order, so whatever an earlier conversation left on the wire comes
        before that answer and is thrown away with it. Waits first for as long as earlier
        failures have earned.
        """
        self._drop("opened anew")
        await asyncio.sleep(self._pause_s)
        limit = self._patience.reply_bytes
        conversation = _Conversation(self.device, self._ends, self._follows, limit)
        try:
            async with asyncio.timeout(self._patience.open_s):
                await self._opener(lambda: conversation)
                self._greetings += 1
                reply = await conversation.exchange(greeting)
                while not knows(reply):
                    reply = await conversation.exchange(b"")
            await self._let_pass(conversation)
            self._conversation, self._pause_s, self._greetings = conversation, 0.0, 0
        except (TimeoutError, OSError, DeviceFault) as err:
            self._lengthen_pause()
            raise DeviceLost(self.device, f"cannot be reached ({_words(err)})") from err
        finally:
            if self._conversation is None:
                conversation.hang_up("never greeted")
        return reply

    async def _let_pass(self, conversation: "_Conversation") -> None:
        """Answers to greetings of earlier attempts come right behind the first, or never."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.reply_s):
                for _ in range(self._greetings - 1):
                    await conversation.exchange(b"")

    async def ask(self, message: bytes, within_s: float | None = None) -> Reply:
        """Send, then return the reply.

        A cancelled caller leaves the exchange to finish by itself, so the next caller never
        reads an answer that was meant for someone else.
        """
        self._live()  # a lost device is told at once, not after a turn in the queue
        await self._turn.acquire()
        try:
            reply = self._begin(message, within_s or self._patience.reply_s)
        except BaseException:
            self._next_turn()
            raise
        return await reply

    def interject(self, raw: bytes) -> None:
        """Send at once, past an exchange that may be under way; expects no answer."""
        self._live().send(raw)

    async def aclose(self) -> None:
        """Give the wire back without waiting for a device that no longer reads."""
        self._drop("closed by us")
        await asyncio.sleep(0)  # lets the transport tell its protocol

    def _begin(self, message: bytes, within_s: float) -> "asyncio.Future[Reply]":
        conversation = self._live()
        if conversation.uninvited:
            self._fail("spoke out of turn")
            raise DeviceGarbled(self.device, f"spoke out of turn: {conversation.uninvited[:80]!r}")
        loop = asyncio.get_running_loop()
        self._late = loop.call_later(within_s, self._give_up, message, within_s)
        return conversation.exchange(message, self._finished)

    def _give_up(self, message: bytes, within_s: float) -> None:
        self._fail(f"no answer to {message!r} within {within_s:g} s")

    def _finished(self, fault: DeviceFault | None) -> None:
        """An exchange is over, whether or not anybody still waits for it."""
        self._next_turn()
        if isinstance(fault, DeviceGarbled):
            self._fail("garbled")

    def _next_turn(self) -> None:
        self._turn.release()
        if self._late is not None:
            self._late.cancel()

    def _live(self) -> "_Conversation":
        if self._conversation is None or self._conversation.over:
            raise DeviceLost(self.device, "not connected")
        return self._conversation

    def _fail(self, why: str) -> None:
        self._lengthen_pause()
        self._drop(why)

    def _lengthen_pause(self) -> None:
        """Let the next attempt wait longer than the one before."""
        limits = self._patience
        self._pause_s = min(limits.longest_pause_s, 2 * self._pause_s or limits.first_pause_s)

    def _drop(self, why: str) -> None:
        if self._conversation is not None:
            self._conversation.hang_up(why)
        self._conversation = None


Finished = Callable[[DeviceFault | None], None]
"""Told how an exchange ended."""


def _nobody(_fault: DeviceFault | None) -> None:
    """Wants to know."""


class _Conversation(asyncio.Protocol):
    """One connection's life: what has arrived, and who waits for it."""

    def __init__(
        self, device: str, ends: Callable[[bytes], bool], follows: Follows, limit: int
    ) -> None:
        self.over = False
        self._device, self._ends, self._follows, self._limit = device, ends, follows, limit
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._items: Reply = []
        self._block_bytes, self._last_line = 0, b""
        self._waiting: asyncio.Future[Reply] | None = None
        self._finished: Finished = _nobody

    @property
    def uninvited(self) -> bytes:
        """What came without having been asked for."""
        return b"" if self._waiting else bytes(self._unread)

    def exchange(self, message: bytes, finished: Finished = _nobody) -> "asyncio.Future[Reply]":
        """Whoever awaits the reply may be cancelled; `finished` is told all the same."""
        if message:
            self.send(message)
        waiting = self._waiting = asyncio.get_running_loop().create_future()
        self._finished = finished
        self._deliver()  # what has arrived already may be the answer
        return waiting

    def send(self, raw: bytes) -> None:
        if self._transport is None:
            raise DeviceLost(self._device, "hung up")
        self._transport.write(raw)

    def hang_up(self, why: str) -> None:
        self.over = True
        self._settle(DeviceLost(self._device, why))
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()  # close() waits for a reader that may be gone for good

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.over:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._deliver()

    def connection_lost(self, exc: Exception | None) -> None:
        self.over = True
        self._transport = None
        self._settle(DeviceLost(self._device, f"the wire is gone ({_words(exc)})"))

    def _deliver(self) -> None:
        while self._waiting is not None and (item := self._cut()):
            self._items.append(item)
            if not self._block_bytes and self._ends(self._last_line):
                self._settle(None)
        if (self._unread or self._items) and self._held_bytes() > self._limit:
            self._settle(DeviceGarbled(self._device, f"more than {self._limit} bytes in a reply"))
            del self._unread[self._limit :]  # proof enough that it spoke out of turn

    def _held_bytes(self) -> int:
        return len(self._unread) + sum(map(len, self._items))

    def _cut(self) -> bytes:
        """The next line, or the block that a line announced; empty while it is incomplete."""
        end = self._block_bytes or self._unread.find(b"\n") + 1
        if len(self._unread) < end:
            return b""
        item = bytes(self._unread[:end])
        del self._unread[:end]
        if self._block_bytes or not item:
            self._block_bytes = 0
        else:
            self._last_line, self._block_bytes = item, self._follows(item)
        return item

    def _settle(self, fault: DeviceLost | DeviceGarbled | None) -> None:
        """End the exchange under way, with a fault or with what has come."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        items, self._items = self._items, []
        if waiting.done():  # whoever asked was cancelled
            pass
        elif fault is None:
            waiting.set_result(items)
        else:
            waiting.set_exception(fault)
        self._finished(fault)


def _words(err: BaseException | None) -> str:
    return f"{type(err).__name__}: {err}" if err and str(err) else type(err).__name__
