"""The messages of HiSLIP, IVI-6.1: bytes in, messages out, no I/O."""

import struct
from enum import IntEnum
from typing import NamedTuple

HEADER = struct.Struct("!2sBBIQ")
PROLOGUE = b"HS"
FIRST_ID = 0xFFFF_FF00  # of messages, at the start and after each device clear


class Kind(IntEnum):
    """Message types, IVI-6.1 table 4."""

    INITIALIZE = 0
    INITIALIZE_RESPONSE = 1
    FATAL_ERROR = 2
    ERROR = 3
    ASYNC_LOCK = 4
    ASYNC_LOCK_RESPONSE = 5
    DATA = 6
    DATA_END = 7
    DEVICE_CLEAR_COMPLETE = 8
    DEVICE_CLEAR_ACKNOWLEDGE = 9
    ASYNC_REMOTE_LOCAL_CONTROL = 10
    ASYNC_REMOTE_LOCAL_RESPONSE = 11
    TRIGGER = 12
    INTERRUPTED = 13
    ASYNC_INTERRUPTED = 14
    ASYNC_MAXIMUM_MESSAGE_SIZE = 15
    ASYNC_MAXIMUM_MESSAGE_SIZE_RESPONSE = 16
    ASYNC_INITIALIZE = 17
    ASYNC_INITIALIZE_RESPONSE = 18
    ASYNC_DEVICE_CLEAR = 19
    ASYNC_SERVICE_REQUEST = 20
    ASYNC_STATUS_QUERY = 21
    ASYNC_STATUS_RESPONSE = 22
    ASYNC_DEVICE_CLEAR_ACKNOWLEDGE = 23
    ASYNC_LOCK_INFO = 24
    ASYNC_LOCK_INFO_RESPONSE = 25


class Fatal(IntEnum):
    """Why a connection cannot go on, IVI-6.1 table 14."""

    BAD_HEADER = 1
    NOT_BOTH_CHANNELS = 2
    BAD_INITIALIZATION = 3
    TOO_MANY_CLIENTS = 4


class Trouble(IntEnum):
    """What was wrong with one message, IVI-6.1 table 16."""

    UNKNOWN_KIND = 1
    UNKNOWN_CONTROL = 2
    TOO_LARGE = 4


class Message(NamedTuple):
    """One message; of a kind we know or of another, and without payload if that is too large."""

    kind: int
    control: int = 0
    parameter: int = 0
    payload: bytes = b""
    is_too_large: bool = False

    def encode(self) -> bytes:
        """As it goes over the wire."""
        size = len(self.payload)
        return HEADER.pack(PROLOGUE, self.kind, self.control, self.parameter, size) + self.payload


class BadHeader(Exception):
    """What came is no HiSLIP; nothing after it can be understood."""


class Decoder:
    """Chunks to messages; the payload of one that is too large is dropped as it comes."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._buffer = bytearray()
        self._to_drop = 0

    def feed(self, data: bytes) -> list[Message]:
        """Those that these bytes complete; BadHeader when they are of something else."""
        self._buffer += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        dropped = min(self._to_drop, len(self._buffer))
        del self._buffer[:dropped]
        self._to_drop -= dropped
        if self._to_drop or len(self._buffer) < HEADER.size:
            return None
        prologue, kind, control, parameter, size = HEADER.unpack_from(self._buffer)
        if prologue != PROLOGUE:
            raise BadHeader(bytes(self._buffer[: HEADER.size]))
        if size > self._largest:
            del self._buffer[: HEADER.size]
            self._to_drop = size
            return Message(kind, control, parameter, is_too_large=True)
        end = HEADER.size + size
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[HEADER.size : end])
        del self._buffer[:end]
        return Message(kind, control, parameter, payload)


def in_pieces(response: bytes, largest: int, message_id: int) -> list[Message]:
    """A response as Data messages of at most so many bytes, the last of them DataEnd."""
    cuts = range(0, max(len(response), 1), largest)
    pieces = [Message(Kind.DATA, 0, message_id, response[at : at + largest]) for at in cuts]
    pieces[-1] = pieces[-1]._replace(kind=Kind.DATA_END)
    return pieces
