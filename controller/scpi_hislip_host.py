"""A host on HiSLIP: one session over two channels, IVI-6.1 chapters 3 to 6."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from controller.scpi_access import Visitor
from controller.scpi_hislip import FIRST_ID, HEADER, Kind, Message, Trouble, in_pieces
from controller.scpi_line import hang_up
from controller.scpi_reader import LONGEST_MESSAGE
from controller.scpi_session import Session
from controller.scpi_status import ScpiError

if TYPE_CHECKING:
    from controller.scpi_commands import Instrument

LARGEST = LONGEST_MESSAGE + HEADER.size
MOST_QUEUED = 64  # messages taken in before their turn; then the host must wait
DELIVERED, OVERLAPPED = 1, 1  # control bits: the response was read; the mode is overlapped
LOCK_FAILED, LOCK_DONE, LOCK_SHARED_RELEASED, LOCK_WRONG = 0, 1, 2, 3
RELEASED = {"exclusive": LOCK_DONE, "shared": LOCK_SHARED_RELEASED, "": LOCK_WRONG}


Acts = dict[int, Callable[[Message], None]]


class Incoming(NamedTuple):
    """A piece of a program message."""

    message_id: int
    payload: bytes
    is_end: bool


class HislipHost:
    """What the two channels of one client share.

    In synchronized mode a message that comes before the last response was read interrupts it:
    the response is dropped, both channels are told, and the session finds -410. In overlapped
    mode responses queue, numbered by us.
    """

    def __init__(self, instrument: "Instrument", visitor: Visitor, sync: asyncio.Transport) -> None:
        self.session = Session(instrument, self, visitor, end_marked=True)
        self._locks = instrument.locks
        self._sync, self._async = sync, sync  # the second comes with `join`
        self._incoming: deque[Incoming] = deque()
        self._waits: set[asyncio.Task[None]] = set()
        self._largest = LARGEST
        self._overlapped = self._clearing = self._deaf = False
        self._is_joined = self._has_unread = False
        self._last_sent, self._executing = FIRST_ID, FIRST_ID
        self._on_sync: Acts = {
            Kind.DATA: self._data,
            Kind.DATA_END: self._data,
            Kind.TRIGGER: self._trigger,
            Kind.DEVICE_CLEAR_COMPLETE: self._clear_complete,
        }
        self._on_async: Acts = {
            Kind.ASYNC_STATUS_QUERY: self._status_query,
            Kind.ASYNC_DEVICE_CLEAR: self._device_clear,
            Kind.ASYNC_MAXIMUM_MESSAGE_SIZE: self._size,
            Kind.ASYNC_LOCK: self._lock,
            Kind.ASYNC_LOCK_INFO: self._lock_info,
            Kind.ASYNC_REMOTE_LOCAL_CONTROL: self._remote_local,
        }

    @property
    def is_joined(self) -> bool:
        """Both channels are there."""
        return self._is_joined

    @property
    def has_unread(self) -> bool:
        return self._has_unread

    def join(self, channel: asyncio.Transport) -> None:
        """The asynchronous channel is there."""
        self._async, self._is_joined = channel, True

    def close(self) -> None:
        """Either channel is gone, and the other with it."""
        for wait in tuple(self._waits):
            wait.cancel()
        self._incoming.clear()
        self.session.close()
        hang_up(self._sync)
        hang_up(self._async)

    def heard(self, message: Message, *, on_sync: bool) -> None:
        """One message of the client, on either channel."""
        channel = self._sync if on_sync else self._async
        act = (self._on_sync if on_sync else self._on_async).get(message.kind)
        if message.is_too_large:
            self._complain(channel, Trouble.TOO_LARGE, f"more than {LARGEST} bytes")
        elif act is None:
            self._complain(channel, Trouble.UNKNOWN_KIND, f"message type {message.kind}")
        else:
            act(message)

    def _complain(self, channel: asyncio.Transport, trouble: Trouble, words: str) -> None:
        channel.write(Message(Kind.ERROR, trouble, 0, words.encode()).encode())

    # The synchronous channel.

    def _data(self, message: Message) -> None:
        if self._clearing:
            return
        if message.control & DELIVERED:
            self._has_unread = False
        if self._has_unread and not self._overlapped:
            self._interrupt(message.parameter)
        is_end = message.kind == Kind.DATA_END
        self._incoming.append(Incoming(message.parameter, message.payload, is_end))
        self._go_on()
        self._heed()

    def _trigger(self, message: Message) -> None:
        if message.control & DELIVERED:
            self._has_unread = False
        self.session.status.report(ScpiError(-211, "there is nothing to trigger"))

    def _clear_complete(self, message: Message) -> None:
        self._overlapped = bool(message.control & OVERLAPPED)
        self._clearing = False
        self._last_sent = FIRST_ID
        self._sync.write(Message(Kind.DEVICE_CLEAR_ACKNOWLEDGE, int(self._overlapped)).encode())

    def _go_on(self) -> None:
        """One message after the other, so that each response is known to be whose."""
        while self._incoming and self.session.is_idle:
            self._executing, payload, is_end = self._incoming.popleft()
            self.session.feed(payload, end=is_end)

    def _heed(self) -> None:
        deaf = self._deaf or len(self._incoming) > MOST_QUEUED
        if self._sync.is_closing():
            return
        if deaf:
            self._sync.pause_reading()
        else:
            self._sync.resume_reading()

    def _interrupt(self, message_id: int) -> None:
        self._has_unread = False
        self._sync.write(Message(Kind.INTERRUPTED, 0, message_id).encode())
        self._async.write(Message(Kind.ASYNC_INTERRUPTED, 0, message_id).encode())
        self.session.status.report(ScpiError(-410))

    # What the session tells.

    def respond(self, response: bytes) -> None:
        """Send it, unless the host has already sent what interrupts it."""
        if self._incoming and not self._overlapped:
            self._interrupt(self._incoming[0].message_id)
            return
        message_id = self._executing
        if self._overlapped:
            message_id = self._last_sent
            self._last_sent = (self._last_sent + 2) & 0xFFFF_FFFF
        pieces = in_pieces(response, self._largest - HEADER.size, message_id)
        self._sync.write(b"".join(piece.encode() for piece in pieces))
        self._has_unread = True

    def flush(self) -> None:
        if self._incoming:
            asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        self._go_on()
        self._heed()

    def listen(self, *, wanted: bool) -> None:
        self._deaf = not wanted
        self._heed()

    def request_service(self, status_byte: int) -> None:
        self._async.write(Message(Kind.ASYNC_SERVICE_REQUEST, status_byte).encode())

    # The asynchronous channel.

    def _status_query(self, message: Message) -> None:
        if self._overlapped:
            acknowledged = (self._last_sent - 2) & 0xFFFF_FFFF
            self._has_unread = self._has_unread and message.parameter != acknowledged
        elif message.control & DELIVERED:
            self._has_unread = False
        self._tell(Kind.ASYNC_STATUS_RESPONSE, self.session.poll())

    def _device_clear(self, _message: Message) -> None:
        self._clearing, self._has_unread = True, False
        self._incoming.clear()
        self.session.clear()
        self._heed()
        self._tell(Kind.ASYNC_DEVICE_CLEAR_ACKNOWLEDGE)

    def _size(self, message: Message) -> None:
        wanted = int.from_bytes(message.payload, "big")
        self._largest = min(max(wanted, 2 * HEADER.size), LARGEST)
        ours = LARGEST.to_bytes(8, "big")
        self._async.write(Message(Kind.ASYNC_MAXIMUM_MESSAGE_SIZE_RESPONSE, payload=ours).encode())

    def _lock(self, message: Message) -> None:
        if message.control == 0:
            self._tell(Kind.ASYNC_LOCK_RESPONSE, RELEASED[self._locks.release(self.session)])
        elif message.control != 1:
            self._complain(self._async, Trouble.UNKNOWN_CONTROL, f"lock {message.control}")
        elif self._waits or self._locks.exclusive is self.session:
            self._tell(Kind.ASYNC_LOCK_RESPONSE, LOCK_WRONG)
        else:
            key = message.payload.decode("latin-1")
            wait = asyncio.create_task(self._wait_for_lock(key, message.parameter / 1000))
            self._waits.add(wait)
            wait.add_done_callback(self._waits.discard)

    async def _wait_for_lock(self, key: str, within_s: float) -> None:
        granted = await self._locks.wait(self.session, key, within_s)
        self._tell(Kind.ASYNC_LOCK_RESPONSE, LOCK_DONE if granted else LOCK_FAILED)

    def _lock_info(self, _message: Message) -> None:
        is_exclusive = self._locks.exclusive is not None
        self._tell(Kind.ASYNC_LOCK_INFO_RESPONSE, int(is_exclusive), self._locks.holders)

    def _remote_local(self, _message: Message) -> None:
        """There are no keys to lock; the host is answered and that is all."""
        self._tell(Kind.ASYNC_REMOTE_LOCAL_RESPONSE)

    def _tell(self, kind: Kind, control: int = 0, parameter: int = 0) -> None:
        self._async.write(Message(kind, control, parameter).encode())
