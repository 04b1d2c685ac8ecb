"""Where HiSLIP clients connect: two channels each, joined by the number of their session."""

import asyncio
from itertools import count
from typing import TYPE_CHECKING, cast

from controller.scpi_access import Access
from controller.scpi_hislip import BadHeader, Decoder, Fatal, Kind, Message
from controller.scpi_hislip_host import LARGEST, HislipHost
from controller.scpi_line import hang_up, tend

if TYPE_CHECKING:
    from controller.scpi_commands import Instrument

VERSION = 0x0100
VENDOR = int.from_bytes(b"GS", "big")
SUB_ADDRESS = b"hislip0"
JOIN_WITHIN_S = 10.0


class Hall:
    """The clients of one instrument, by the numbers of their sessions."""

    def __init__(self, instrument: "Instrument", access: Access) -> None:
        self.instrument, self.access = instrument, access
        self.channels: set[Channel] = set()
        self._hosts: dict[int, HislipHost] = {}
        self._numbers = count(1)

    def enter(self, host: HislipHost) -> int:
        """Its number, which no other has."""
        number = next(n for m in self._numbers if (n := m & 0xFFFF) not in self._hosts)
        self._hosts[number] = host
        return number

    def waiting(self, number: int) -> HislipHost | None:
        """The client that still lacks its second channel."""
        host = self._hosts.get(number)
        return None if host is None or host.is_joined else host

    def leave(self, host: HislipHost) -> None:
        """One of its channels has gone, and the other follows."""
        numbers = [number for number, other in self._hosts.items() if other is host]
        for number in numbers:
            del self._hosts[number]
            host.close()


class Channel(asyncio.Protocol):
    """One of the two connections of a client; its first message says which."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._decoder = Decoder(LARGEST)
        self._host: HislipHost | None = None
        self._is_sync = False
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        tend(transport)
        self._hall.channels.add(self)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(JOIN_WITHIN_S, self._give_up)

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._decoder.feed(data):
                self._heard(message)
        except BadHeader as err:
            self._end(Fatal.BAD_HEADER, str(err))

    def pause_writing(self) -> None:
        """The client does not read: ask it nothing more, and take nothing more from it."""
        if self._is_sync and self._host is not None:
            self._host.session.hold()
        elif self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._is_sync and self._host is not None:
            self._host.session.release()
        elif self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._hall.channels.discard(self)
        self._stop_waiting()
        self._transport = None
        if self._host is not None:
            self._hall.leave(self._host)
            self._host = None

    def hang_up(self) -> None:
        """Close, without waiting for a client that does not read."""
        hang_up(self._transport)

    def _heard(self, message: Message) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._host is None:
            self._begin(message)
        elif not self._host.is_joined:
            self._end(Fatal.NOT_BOTH_CHANNELS, "the asynchronous channel is missing")
        elif message.kind == Kind.FATAL_ERROR:
            self.hang_up()
        elif message.kind != Kind.ERROR:  # the client's own words to us need no answer
            self._host.heard(message, on_sync=self._is_sync)

    def _begin(self, message: Message) -> None:
        if message.kind == Kind.INITIALIZE and message.payload.lower() in {b"", SUB_ADDRESS}:
            self._begin_sync(message)
        elif message.kind == Kind.ASYNC_INITIALIZE:
            self._begin_async(message)
        else:
            self._end(Fatal.BAD_INITIALIZATION, "begin with Initialize, for hislip0")

    def _begin_sync(self, message: Message) -> None:
        assert self._transport is not None
        visitor = self._hall.access.visitor(self._transport)
        self._is_sync = True
        self._host = HislipHost(self._hall.instrument, visitor, self._transport)
        number = self._hall.enter(self._host)
        version = min(message.parameter >> 16, VERSION)
        self._say(Message(Kind.INITIALIZE_RESPONSE, 0, version << 16 | number))

    def _begin_async(self, message: Message) -> None:
        assert self._transport is not None
        self._host = self._hall.waiting(message.parameter)
        if self._host is None:
            self._end(Fatal.BAD_INITIALIZATION, "no session of this number waits")
            return
        self._host.join(self._transport)
        self._stop_waiting()
        self._say(Message(Kind.ASYNC_INITIALIZE_RESPONSE, 0, VENDOR))

    def _give_up(self) -> None:
        if self._host is None or not self._host.is_joined:
            self._end(Fatal.NOT_BOTH_CHANNELS, "the other channel did not come")

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def _say(self, message: Message) -> None:
        if self._transport is not None:
            self._transport.write(message.encode())

    def _end(self, why: Fatal, words: str) -> None:
        self._say(Message(Kind.FATAL_ERROR, why, 0, words.encode()))
        if self._transport is not None:
            self._transport.close()
