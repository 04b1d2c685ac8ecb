"""A HiSLIP client of the tests' own, written from IVI-6.1 and knowing nothing of the server."""

import asyncio
import struct
from typing import NamedTuple

HEADER = struct.Struct("!2sBBIQ")
INITIALIZE, FATAL, ERROR, LOCK, LOCK_ANSWER, DATA, DATA_END = 0, 2, 3, 4, 5, 6, 7
CLEAR_COMPLETE, CLEARED, REMOTE, REMOTE_ANSWER, TRIGGER, INTERRUPTED = 8, 9, 10, 11, 12, 13
ASYNC_INTERRUPTED, SIZE, SIZE_ANSWER, ASYNC_INITIALIZE, CLEAR = 14, 15, 16, 17, 19
SERVICE, STATUS, STATUS_ANSWER, CLEAR_ANSWER, LOCK_INFO, LOCK_INFO_ANSWER = 20, 21, 22, 23, 24, 25
FIRST_ID = 0xFFFFFF00
PATIENCE_S = 20.0


class Told(NamedTuple):
    """One message of the server."""

    kind: int
    control: int
    parameter: int
    payload: bytes


class Channel:
    """One of the two connections."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, address: str) -> "Channel":
        host, _, port = address.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    def tell(self, kind: int, control: int = 0, parameter: int = 0, payload: bytes = b"") -> None:
        self._writer.write(HEADER.pack(b"HS", kind, control, parameter, len(payload)) + payload)

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def hear(self) -> Told:
        async with asyncio.timeout(PATIENCE_S):
            header = await self._reader.readexactly(HEADER.size)
            _, kind, control, parameter, size = HEADER.unpack(header)
            return Told(kind, control, parameter, await self._reader.readexactly(size))

    async def ended(self) -> bool:
        """Everything else is read away first."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reader.read()
        return self._reader.at_eof()

    async def aclose(self) -> None:
        self._writer.transport.abort()
        await asyncio.sleep(0)


class Client:
    """Both channels, and the numbers of messages."""

    def __init__(self, sync: Channel, asynchronous: Channel) -> None:
        self.sync, self.asynchronous = sync, asynchronous
        self.message_id = FIRST_ID
        self.delivered = 0

    @classmethod
    async def open(cls, address: str) -> "Client":
        sync = await Channel.open(address)
        sync.tell(INITIALIZE, 0, 0x0100_0000, b"hislip0")
        session = (await sync.hear()).parameter & 0xFFFF
        asynchronous = await Channel.open(address)
        asynchronous.tell(ASYNC_INITIALIZE, 0, session)
        await asynchronous.hear()
        return cls(sync, asynchronous)

    def send(self, text: str, kind: int = DATA_END) -> int:
        """The number of the message."""
        sent = self.message_id
        self.sync.tell(kind, self.delivered, sent, text.encode())
        self.message_id = (sent + 2) & 0xFFFFFFFF
        self.delivered = 0
        return sent

    async def read(self) -> str:
        """A whole response."""
        payload = b""
        while True:
            told = await self.sync.hear()
            payload += told.payload
            if told.kind == DATA_END:
                self.delivered = 1
                return payload.decode().removesuffix("\n")
            assert told.kind == DATA, told

    async def ask(self, text: str) -> str:
        self.send(text)
        return await self.read()

    async def poll(self) -> int:
        """The status byte."""
        self.asynchronous.tell(STATUS, self.delivered, self.message_id)
        self.delivered = 0
        told = await self.asynchronous.hear()
        assert told.kind == STATUS_ANSWER, told
        return told.control

    async def clear(self, *, overlapped: bool = False) -> Told:
        self.asynchronous.tell(CLEAR)
        assert (await self.asynchronous.hear()).kind == CLEAR_ANSWER
        self.sync.tell(CLEAR_COMPLETE, int(overlapped))
        while (told := await self.sync.hear()).kind != CLEARED:
            pass
        self.message_id, self.delivered = FIRST_ID, 0
        return told

    async def lock(self, key: str = "", within_ms: int = 0) -> int:
        self.asynchronous.tell(LOCK, 1, within_ms, key.encode())
        return (await self.asynchronous.hear()).control

    async def unlock(self) -> int:
        self.asynchronous.tell(LOCK, 0, self.message_id)
        return (await self.asynchronous.hear()).control

    async def aclose(self) -> None:
        await self.sync.aclose()
        await self.asynchronous.aclose()
