"""HiSLIP as a client meets it: two channels on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from controller.config import ScpiConfig
from controller.scpi_hislip import Fatal, Trouble
from controller.scpi_server import ScpiServer
from tests import hislip_client as hislip
from tests.conformance.desk import Bench
from tests.hislip_client import Channel, Client


class Room(Bench):
    """The bench's instrument behind a HiSLIP port."""

    address = ""
    stack: AsyncExitStack

    async def client(self) -> Client:
        client = await Client.open(self.address)
        self.stack.push_async_callback(client.aclose)
        return client

    async def channel(self) -> Channel:
        channel = await Channel.open(self.address)
        self.stack.push_async_callback(channel.aclose)
        return channel


@asynccontextmanager
async def opened(**config: int) -> AsyncIterator[Room]:
    room = Room()
    settings = ScpiConfig(port=-1, hislip_port=0, **config)  # type: ignore[arg-type]
    async with ScpiServer.open(settings, room.instrument, {}) as server, AsyncExitStack() as stack:
        room.address, room.stack = server.doors.hislip, stack
        yield room


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with opened() as running:
        yield running


async def test_a_query_is_answered_under_its_own_number(room: Room) -> None:
    client = await room.client()
    sent = client.send("*ESE 5;*ESE?")
    assert await client.sync.hear() == (hislip.DATA_END, 0, sent, b"5\n")


async def test_a_message_may_come_in_pieces_and_need_no_line_feed(room: Room) -> None:
    client = await room.client()
    client.send("*ES", hislip.DATA)
    client.send("E?;*S", hislip.DATA)
    assert await client.ask("RE?") == "0;0"
    assert await client.ask("*ESE?\n") == "0"
    client.send("SITE:IMP #0good")
    assert await client.ask("SYST:ERR?") == '0,"No error"'


async def test_a_response_that_was_not_read_is_interrupted_by_the_next_message(room: Room) -> None:
    """IVI-6.1 3.1.1: both channels are told, the old response is void, and the error is -410."""
    client = await room.client()
    client.send("*ESE?")
    assert (await client.sync.hear()).payload == b"0\n"
    second = client.send("*SRE?")
    assert await client.sync.hear() == (hislip.INTERRUPTED, 0, second, b"")
    assert await client.asynchronous.hear() == (hislip.ASYNC_INTERRUPTED, 0, second, b"")
    assert await client.read() == "0"
    assert await client.ask("SYST:ERR?;:SYST:ERR?") == '-410,"Query INTERRUPTED";0,"No error"'


async def test_a_message_behind_a_query_that_still_waits_interrupts_it(room: Room) -> None:
    client = await room.client()
    client.send("MAP:REG;*OPC?")
    second = client.send("*SRE?")
    await asyncio.sleep(0.05)
    room.desk.under_way.pop().set_result(None)
    assert await client.sync.hear() == (hislip.INTERRUPTED, 0, second, b"")
    assert await client.read() == "0"
    assert (await client.ask("SYST:ERR?")).startswith("-410")


async def test_the_status_byte_has_mav_until_the_response_is_read(room: Room) -> None:
    client = await room.client()
    assert await client.poll() == 0
    client.send("*ESE?")
    await asyncio.sleep(0.05)
    assert await client.poll() == 16
    assert await client.read() == "0"
    assert await client.poll() == 0
    client.send("NONSENSE")
    await asyncio.sleep(0.05)
    assert await client.poll() == 4


async def test_service_is_requested_once_for_each_reason_and_a_poll_acknowledges(
    room: Room,
) -> None:
    client = await room.client()
    client.send("*CLS;*ESE 1;*SRE 32;:MAP:REG;*OPC")
    assert await client.poll() == 0
    room.desk.under_way.pop().set_result(None)
    told = await client.asynchronous.hear()
    assert (told.kind, told.control) == (hislip.SERVICE, 96)
    assert [await client.poll(), await client.poll()] == [96, 32]
    client.send("*SRE 4;NONSENSE")
    assert (await client.asynchronous.hear()).control == 100
    assert await client.ask("*STB?") == "100"


async def test_device_clear_ends_waiting_and_forgets_what_was_sent(room: Room) -> None:
    client = await room.client()
    client.send("*ESE 7;:MAP:REG;*OPC?")
    client.send("*ESE 8", hislip.DATA)
    told = await client.clear()
    assert told.control == 0
    assert await client.ask("*ESE?;*SRE?") == "7;0"
    assert await client.ask("SYST:ERR?") == '0,"No error"'
    room.desk.under_way.pop().cancel()


async def test_in_overlapped_mode_responses_queue_and_are_numbered_by_the_instrument(
    room: Room,
) -> None:
    client = await room.client()
    assert (await client.clear(overlapped=True)).control == 1
    for text in ("*ESE?", "*SRE?", "*STB?"):
        client.send(text)
    numbers = [(await client.sync.hear()).parameter for _ in range(3)]
    assert numbers == [hislip.FIRST_ID, hislip.FIRST_ID + 2, hislip.FIRST_ID + 4]
    client.asynchronous.tell(hislip.STATUS, 0, numbers[1])
    assert (await client.asynchronous.hear()).control == 16
    client.asynchronous.tell(hislip.STATUS, 0, numbers[2])
    assert (await client.asynchronous.hear()).control == 0
    assert (await client.clear()).control == 0


async def test_locks_are_waited_for_shared_by_key_and_end_with_the_client(room: Room) -> None:
    first, second, third = [await room.client() for _ in range(3)]
    assert await first.lock() == 1
    assert await second.lock(within_ms=1) == 0
    waiting = asyncio.create_task(second.lock(within_ms=15_000))
    await asyncio.sleep(0.02)
    assert await third.ask("OUTP?;*ESE 3;*ESE?") == "1;3"
    third.send("OUTP OFF")
    assert (await third.ask("SYST:ERR?")).startswith('-203,"Command protected')
    third.asynchronous.tell(hislip.LOCK_INFO)
    assert (await third.asynchronous.hear())[:3] == (hislip.LOCK_INFO_ANSWER, 1, 1)
    assert [await first.unlock(), await waiting, await first.unlock()] == [1, 1, 3]
    await second.aclose()
    assert await first.lock("key", 15_000) == 1
    assert await third.lock("key") == 1
    assert [await first.unlock(), await third.unlock()] == [2, 2]


async def test_a_long_response_comes_in_pieces_the_client_can_take(room: Room) -> None:
    client = await room.client()
    client.asynchronous.tell(hislip.SIZE, 0, 0, (116).to_bytes(8, "big"))
    told = await client.asynchronous.hear()
    assert int.from_bytes(told.payload, "big") >= 1 << 20
    answer = await client.ask("SYST:HELP:HEAD?")
    assert "*IDN?/qonly/" in answer


async def test_what_is_unknown_or_too_large_is_told_and_the_channel_goes_on(room: Room) -> None:
    client = await room.client()
    for kind, control, size, trouble in (
        (99, 0, 0, Trouble.UNKNOWN_KIND),
        (hislip.DATA_END, 0, (1 << 20) + 17, Trouble.TOO_LARGE),
    ):
        client.sync.tell(kind, control, 0, bytes(size))
        told = await client.sync.hear()
        assert (told.kind, told.control) == (hislip.ERROR, trouble)
    client.asynchronous.tell(hislip.LOCK, 5)
    assert (await client.asynchronous.hear()).control == Trouble.UNKNOWN_CONTROL
    client.asynchronous.tell(hislip.REMOTE, 3)
    assert (await client.asynchronous.hear()).kind == hislip.REMOTE_ANSWER
    client.sync.tell(hislip.TRIGGER)
    assert (await client.ask("SYST:ERR?")).startswith("-211")


async def test_who_begins_wrongly_is_told_why_and_let_go(room: Room) -> None:
    for opening, fatal in (
        ((hislip.DATA_END, 0, 0, b"*IDN?"), Fatal.BAD_INITIALIZATION),
        ((hislip.INITIALIZE, 0, 0x0100_0000, b"other"), Fatal.BAD_INITIALIZATION),
        ((hislip.ASYNC_INITIALIZE, 0, 4711, b""), Fatal.BAD_INITIALIZATION),
    ):
        channel = await room.channel()
        channel.tell(*opening)
        told = await channel.hear()
        assert (told.kind, told.control) == (hislip.FATAL, fatal)
        assert await channel.ended()
    channel = await room.channel()
    channel.write(b"GET / HTTP/1.1\r\n\r\n")
    assert (await channel.hear()).control == Fatal.BAD_HEADER
    channel = await room.channel()
    channel.tell(hislip.INITIALIZE, 0, 0x0100_0000, b"hislip0")
    await channel.hear()
    channel.tell(hislip.DATA_END, 0, 0, b"*IDN?")
    assert (await channel.hear()).control == Fatal.NOT_BOTH_CHANNELS


async def test_when_one_channel_goes_the_other_follows(room: Room) -> None:
    client, other = await room.client(), await room.client()
    await client.asynchronous.aclose()
    assert await client.sync.ended()
    await other.sync.aclose()
    assert await other.asynchronous.ended()
    assert await (await room.client()).ask("*ESE?") == "0"


async def test_one_client_too_many_is_let_go() -> None:
    async with opened(most_sessions=2) as room:
        first, second = await room.client(), await room.client()
        assert await (await room.channel()).ended()
        assert [await first.ask("*ESE?"), await second.ask("*ESE?")] == ["0", "0"]
