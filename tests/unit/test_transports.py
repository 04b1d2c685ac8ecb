"""Every way to reach a device carries each byte unchanged, and says when the device is gone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest
import serial

from hil.ports import MemoryPort, PtyPort, TcpPort
from optics.transports import BadAddress, MemoryTransport, Opener, memory_opener, opener_for

AnyPort = PtyPort | TcpPort | MemoryPort

EVERY_BYTE = bytes(range(256))
CONTROL_BYTES = b"\x00\x03\x04\x0d\x0a\x11\x13\x1a\x1c\x7f\xff" * 3


class Ear(asyncio.Protocol):
    """Hears, and remembers how the connection was lost."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.heard = asyncio.StreamReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.heard.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard.feed_eof()
        self.lost.set_result(exc)

    async def asks(self, message: bytes) -> bytes:
        """What comes back, as many bytes as were sent."""
        assert self.transport is not None
        self.transport.write(message)
        return await self.heard.readexactly(len(message))

    async def leaves(self) -> None:
        assert self.transport is not None
        self.transport.abort()
        await self.lost


class Device:
    """The far end of a wire in memory; counts how often it was hung up on."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.hung_up = 0

    def connect(self, say: Callable[[bytes], None], cut: Callable[[], None]) -> "Device":
        self.say, self.cut = say, cut
        return self

    def write(self, data: bytes) -> None:
        self.heard.append(data)

    def close(self) -> None:
        self.hung_up += 1


def echoing(port: AnyPort) -> Opener:
    port.heard = port.send
    if isinstance(port, MemoryPort):
        return opener_for(port.address, {"far": memory_opener(port.connect)})
    return opener_for(port.address, {})


async def connected(opener: Opener) -> Ear:
    ear = Ear()
    await opener(lambda: ear)
    assert ear.transport is not None, "connection_made comes before the opener returns"
    return ear


@pytest.fixture(params=["pty", "tcp", "memory"])
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyPort]:
    kinds: dict[str, AnyPort] = {
        "pty": PtyPort(tmp_path / "tty"),
        "tcp": TcpPort(),
        "memory": MemoryPort("far"),
    }
    port = kinds[request.param]
    await port.open()
    yield port
    port.close()
    await asyncio.sleep(0)  # lets the server's side hang up


async def test_every_byte_comes_back_as_it_was_sent(port: AnyPort) -> None:
    ear = await connected(echoing(port))
    assert await ear.asks(EVERY_BYTE) == EVERY_BYTE
    for number in CONTROL_BYTES:
        assert await ear.asks(bytes([number])) == bytes([number])
    assert await ear.asks(EVERY_BYTE * 256) == EVERY_BYTE * 256
    await ear.leaves()


async def test_a_device_that_vanishes_is_noticed(port: AnyPort) -> None:
    ear = await connected(echoing(port))
    assert await ear.asks(b"there?") == b"there?"
    port.unplug()
    await ear.lost
    assert cast(asyncio.Transport, ear.transport).is_closing()


@pytest.mark.parametrize(
    "address", ["serial:///dev/no-such-line", "tcp://127.0.0.1:1", "memory://far"]
)
async def test_a_device_that_is_not_there_is_an_os_error(address: str) -> None:
    opener = opener_for(address, {"far": memory_opener(MemoryPort("far").connect)})
    with pytest.raises(OSError, match=r"No such file|Connect call failed|nothing answers"):
        await opener(Ear)


async def test_who_leaves_is_told_so_once_and_without_a_reason(
    port: AnyPort,
) -> None:
    ear = await connected(echoing(port))
    transport = cast(asyncio.Transport, ear.transport)
    assert not transport.is_closing()
    transport.abort()
    assert transport.is_closing()
    assert await ear.lost is None


async def test_a_serial_line_that_goes_while_it_is_written_to_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A cable is pulled between two bytes: no trace of a library in the log."""
    port = PtyPort(tmp_path / "line")
    await port.open()
    ear = Ear()
    await opener_for(port.address, {})(lambda: ear)
    gone = serial.SerialException("write failed: Input/output error")

    def write(_self: serial.Serial, _data: bytes) -> int:
        raise gone

    monkeypatch.setattr(serial.Serial, "write", write)
    assert ear.transport is not None
    ear.transport.write(b"half a li")
    assert await asyncio.wait_for(ear.lost, 10.0) is gone
    assert not caplog.records
    port.close()


async def test_a_serial_line_has_one_owner(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "tty")
    await port.open()
    ear = await connected(echoing(port))
    with pytest.raises(OSError, match="lock"):
        await echoing(port)(Ear)
    assert await ear.asks(b"still mine") == b"still mine"
    await ear.leaves()
    successor = await connected(echoing(port))
    assert await successor.asks(b"mine now") == b"mine now"
    await successor.leaves()
    port.close()


@pytest.mark.clocks("jumping")
async def test_a_wire_in_memory_is_deaf_and_dumb_after_the_cut() -> None:
    ear, device = Ear(), Device()
    transport = MemoryTransport(ear, device.connect)
    device.say(b"before")
    transport.write(bytearray(b"before"))
    device.cut()
    device.cut()
    device.say(b"after")
    transport.write(b"after")
    transport.abort()
    assert isinstance(await ear.lost, ConnectionResetError)
    assert (device.heard, device.hung_up) == ([b"before"], 0)
    assert await ear.heard.read() == b"before"


@pytest.mark.clocks("jumping")
async def test_what_arrives_while_reading_is_paused_waits_in_order() -> None:
    ear, device = Ear(), Device()
    transport = MemoryTransport(ear, device.connect)
    device.say(b"1")
    transport.pause_reading()
    device.say(b"2")
    transport.pause_reading()
    device.say(b"3")
    assert await ear.heard.readexactly(1) == b"1"
    reading = asyncio.create_task(ear.heard.readexactly(1))
    await asyncio.sleep(3600.0)
    assert not reading.done()
    transport.resume_reading()
    device.say(b"4")
    transport.abort()
    assert await reading + await ear.heard.read() == b"234"


@pytest.mark.clocks("jumping")
async def test_hanging_up_on_a_wire_in_memory_tells_the_device_once() -> None:
    ear, device = Ear(), Device()
    transport = MemoryTransport(ear, device.connect)
    transport.abort()
    transport.close()
    assert await ear.lost is None
    assert device.hung_up == 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/dev/ttyUSB0",
        "serial:",
        "serial://",
        "serial://ttyUSB0",
        "serial:///dev/ttyUSB0?baud=fast",
        "serial:///dev/ttyUSB0?baud=",
        "serial:///dev/ttyUSB0?baud=0",
        "serial:///dev/ttyUSB0?baud=-9600",
        "serial:///dev/ttyUSB0?speed=9600",
        "tcp://stage",
        "tcp://:5025",
        "tcp://stage:0",
        "tcp://stage:65536",
        "tcp://stage:many",
        "tcp://[::1:5025",
        "memory://unknown",
        "memory:far",
        "http://stage:80",
    ],
)
def test_an_address_that_means_nothing_is_refused_with_a_hint(address: str) -> None:
    far = {"far": memory_opener(MemoryPort("far").connect)}
    with pytest.raises(BadAddress, match=r"is no address: write serial:///.* or tcp://host:port"):
        opener_for(address, far)


@pytest.mark.parametrize(
    "address",
    [
        "serial:///dev/ttyUSB0",
        "serial:///dev/serial/by-id/usb-PI?baud=9600",
        "tcp://stage.lab:50000",
        "tcp://[::1]:50000",
        "memory://far",
    ],
)
def test_an_address_that_means_something_is_accepted(address: str) -> None:
    opener_for(address, {"far": memory_opener(MemoryPort("far").connect)})
