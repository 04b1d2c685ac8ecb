"""Our client's side of ZeroMQ's wire protocol, byte by byte; ZeroMQ itself judges it elsewhere."""

import asyncio
import random
from collections.abc import Callable

import pytest

from optics.zmtp import GREETING, Inflow, ZmtpPeer

READY = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03REP"


class Sink(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.aborted = b"", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.aborted = True


class Bench:
    """A peer that has just been connected."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.lost: list[Exception | None] = []
        self.sink = Sink()
        self.peer = ZmtpPeer(b"REQ", self.heard.append, self.lost.append)
        self.peer.connection_made(self.sink)

    def shake_hands(self) -> None:
        self.peer.data_received(GREETING + READY)
        self.sink.written = b""


def test_it_greets_at_once_and_asks_only_when_the_far_end_is_ready() -> None:
    bench = Bench()
    bench.peer.send(b"", b"*IDN?")
    assert bench.sink.written == GREETING
    assert len(GREETING) == 64
    bench.peer.data_received(GREETING)
    assert bench.sink.written.endswith(b"Socket-Type\x00\x00\x00\x03REQ")
    bench.peer.data_received(READY)
    assert bench.sink.written.endswith(b"\x01\x00\x00\x05*IDN?")


@pytest.mark.parametrize("size", [0, 1, 255, 256, 70_000])
def test_frames_of_any_length_go_both_ways(size: int) -> None:
    bench = Bench()
    bench.shake_hands()
    bench.peer.send(b"x" * size)
    short, long = bytes((0, size % 256)), b"\x02" + size.to_bytes(8, "big")
    assert bench.sink.written == (short if size < 256 else long) + b"x" * size
    bench.peer.data_received(b"\x01\x00" + bench.sink.written)
    assert bench.heard == [b"x" * size]


def test_bytes_may_come_in_any_pieces(rng: random.Random) -> None:
    stream = GREETING + READY + b"".join(b"\x01\x00\x00\x03%03d" % n for n in range(200))
    bench = Bench()
    while stream:
        at = rng.randint(1, 9)
        bench.peer.data_received(stream[:at])
        stream = stream[at:]
    assert bench.heard == [b"%03d" % n for n in range(200)]


@pytest.mark.parametrize(
    "noise", [b"HTTP/1.1 400", GREETING + b"\xff", GREETING + b"\x02" + b"\x7f" * 8]
)
def test_what_is_no_zeromq_ends_the_connection(noise: bytes) -> None:
    bench = Bench()
    bench.peer.data_received(noise + bytes(9))
    assert bench.sink.aborted
    assert "ZMTP" in str(bench.lost[0])


def test_random_bytes_are_never_more_than_a_lost_connection(rng: random.Random) -> None:
    for _ in range(300):
        bench = Bench()
        bench.shake_hands()
        bench.peer.data_received(rng.randbytes(rng.randint(1, 60)))
        assert all(isinstance(why, ConnectionError) for why in bench.lost)


@pytest.mark.clocks("jumping")
async def test_a_stream_that_is_there_a_little_later_is_waited_for_but_not_for_ever() -> None:
    tries: list[float] = []
    loop = asyncio.get_running_loop()
    there_s = 0.3

    async def opener(factory: Callable[[], asyncio.Protocol]) -> None:
        tries.append(loop.time())
        if loop.time() < there_s:
            raise ConnectionRefusedError("nobody yet")
        factory().connection_made(Sink())

    inflow = Inflow()
    await inflow.open(opener)
    assert there_s <= loop.time() < there_s + 0.1
    inflow.hang_up()
    there_s = 1e9
    with pytest.raises(ConnectionRefusedError):
        await Inflow().open(opener)
    assert len(tries) < 40
