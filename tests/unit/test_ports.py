"""Where cables end: a port vanishes and comes back under its own name, and serves one client."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hil.ports import BACKLOG_BYTES, MemoryPort, PtyPort, TcpPort

CHUNK = 1 << 14


class Client(NamedTuple):
    """One connection to a TCP port."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def of(cls, port: TcpPort) -> "Client":
        host, number = port.address.removeprefix("tcp://").split(":")
        return cls(*await asyncio.open_connection(host, int(number)))

    async def asks(self, message: bytes) -> bytes:
        self.writer.write(message)
        return await self.reader.readexactly(len(message))

    async def is_left_alone(self) -> bool:
        """True once the port has hung up; may be told so gently or by a reset."""
        try:
            rest = await self.reader.read()
        except ConnectionResetError:
            rest = b""
        await self.leave()
        return rest == b""

    async def leave(self) -> None:
        self.writer.transport.abort()
        await asyncio.sleep(0)


class SerialReader:
    """A program that has opened a serial device and reads when it gets round to it."""

    def __init__(self, device: str) -> None:
        self._descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    async def begin(self) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=4 * BACKLOG_BYTES)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(self._descriptor, "rb", 0)
        )
        return reader

    async def leave(self) -> None:
        self._transport.close()
        await asyncio.sleep(0)


async def was_served(port: TcpPort) -> bool:
    client = await Client.of(port)
    try:
        return await client.asks(b"served?") == b"served?"
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return False
    finally:
        await client.leave()


@pytest.fixture
async def pty(tmp_path: Path) -> AsyncIterator[PtyPort]:
    port = PtyPort(tmp_path / "tty-stage")
    await port.open()
    yield port
    port.close()


@pytest.fixture
async def tcp() -> AsyncIterator[TcpPort]:
    port = TcpPort()
    port.heard = port.send
    await port.open()
    yield port
    port.close()
    await asyncio.sleep(0)  # lets the client's socket close


async def test_an_unplugged_pty_is_gone_and_comes_back_under_its_name(pty: PtyPort) -> None:
    address, node = pty.address, pty.link.resolve()
    assert address == f"serial://{pty.link}"
    assert node.is_char_device()
    pty.unplug()
    pty.unplug()
    assert not pty.link.is_symlink()
    pty.send(b"into the void")
    pty.replug()
    assert pty.address == address
    assert pty.link.resolve().is_char_device()
    pty.close()
    assert not pty.link.is_symlink()


async def test_a_pty_takes_over_a_name_that_an_earlier_run_left_behind(tmp_path: Path) -> None:
    stale = tmp_path / "tty-stage"
    stale.symlink_to("/dev/gone")
    port = PtyPort(stale)
    await port.open()
    assert stale.resolve().is_char_device()
    port.close()


async def test_a_slow_reader_gets_all_that_a_pty_keeps(pty: PtyPort) -> None:
    slow = SerialReader(str(pty.link))
    sent = os.urandom(BACKLOG_BYTES)
    for start in range(0, len(sent), CHUNK):
        pty.send(sent[start : start + CHUNK])
    reader = await slow.begin()
    assert await reader.readexactly(len(sent)) == sent
    await slow.leave()


async def test_what_a_pty_cannot_keep_is_lost_and_the_line_goes_on(pty: PtyPort) -> None:
    slow = SerialReader(str(pty.link))
    sent = b"".join(bytes([number]) * CHUNK for number in range(2 * BACKLOG_BYTES // CHUNK))
    for start in range(0, len(sent), CHUNK):
        pty.send(sent[start : start + CHUNK])
    reader = await slow.begin()
    kept = await reader.readexactly(BACKLOG_BYTES)
    pty.send(b"END")
    kept += (await reader.readuntil(b"END")).removesuffix(b"END")
    assert kept == sent[: len(kept)]
    assert BACKLOG_BYTES <= len(kept) < len(sent)
    await slow.leave()


async def test_a_pty_forgets_its_backlog_when_it_is_unplugged(pty: PtyPort) -> None:
    pty.send(b"stale" * CHUNK)
    pty.unplug()
    pty.replug()
    client = SerialReader(str(pty.link))
    reader = await client.begin()
    pty.send(b"fresh\n")
    assert await reader.readline() == b"fresh\n"
    await client.leave()


async def test_a_pty_serves_one_client_after_another(pty: PtyPort) -> None:
    for greeting in (b"first\n", b"second\n"):
        client = SerialReader(str(pty.link))
        reader = await client.begin()
        pty.send(greeting)
        assert await reader.readline() == greeting
        await client.leave()


async def test_a_tcp_port_refuses_a_second_client_until_the_first_has_left(tcp: TcpPort) -> None:
    first, second = await Client.of(tcp), await Client.of(tcp)
    assert await second.is_left_alone()
    assert await first.asks(b"still served") == b"still served"
    await first.leave()
    attempts = 0
    while not await was_served(tcp):  # until the port has noticed
        attempts += 1
        assert attempts < 100


async def test_an_unplugged_tcp_port_hangs_up_and_comes_back_under_its_number(
    tcp: TcpPort,
) -> None:
    address, client = tcp.address, await Client.of(tcp)
    assert await client.asks(b"served") == b"served"
    tcp.unplug()
    tcp.send(b"into the void")
    assert await client.is_left_alone()
    assert await (await Client.of(tcp)).is_left_alone()
    tcp.replug()
    assert tcp.address == address
    again = await Client.of(tcp)
    assert await again.asks(b"served again") == b"served again"
    await again.leave()


async def test_a_closed_tcp_port_is_not_there(tcp: TcpPort) -> None:
    tcp.close()
    with pytest.raises(ConnectionRefusedError):
        await Client.of(tcp)


@pytest.mark.clocks("jumping")
async def test_a_memory_port_serves_one_client_at_a_time() -> None:
    port, to_device, to_host = MemoryPort("stage"), list[bytes](), list[bytes]()
    assert port.address == "memory://stage"
    await port.open()
    port.heard = to_device.append
    client = port.connect(to_host.append, to_host.clear)
    with pytest.raises(ConnectionRefusedError, match="memory://stage"):
        port.connect(to_host.append, to_host.clear)
    client.write(b"question")
    port.send(b"answer")
    assert (to_device, to_host) == ([b"question"], [b"answer"])
    client.close()
    port.send(b"to nobody")
    port.connect(to_host.append, to_host.clear)
    client.close()  # whose turn is over; the next one's is not
    port.send(b"to the next")
    assert to_host == [b"answer", b"to the next"]


@pytest.mark.clocks("jumping")
async def test_an_unplugged_memory_port_cuts_its_client_and_can_come_back() -> None:
    port, heard, cuts = MemoryPort("stage"), list[bytes](), list[str]()
    with pytest.raises(ConnectionRefusedError):
        port.connect(heard.append, lambda: cuts.append("before it was opened"))
    await port.open()
    port.connect(heard.append, lambda: cuts.append("unplugged"))
    port.unplug()
    port.unplug()
    port.send(b"into the void")
    with pytest.raises(ConnectionRefusedError):
        port.connect(heard.append, lambda: cuts.append("still away"))
    assert (heard, cuts) == ([], ["unplugged"])
    port.replug()
    port.connect(heard.append, lambda: cuts.append("closed"))
    port.send(b"back")
    port.close()
    assert (heard, cuts) == ([b"back"], ["unplugged", "closed"])
