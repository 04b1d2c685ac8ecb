"""ZeroMQ itself as judge: its sockets against ours, on both sides of the time tagger's wires."""

import asyncio
import json
from collections.abc import AsyncIterator

import numpy as np
import pytest
import zmq
import zmq.asyncio

from hil.emulators.id900 import PORTS
from hil.wires import Manners
from optics.faults import DeviceLost
from optics.link import Link, Patience
from optics.transports import opener_for
from optics.zmtp import Inflow, lines_over_zmtp
from tests.tagger_bench import Bench

QUICK = Patience(reply_s=1.0, open_s=1.0)


@pytest.fixture
async def context() -> AsyncIterator[zmq.asyncio.Context]:
    context = zmq.asyncio.Context()
    yield context
    context.destroy(linger=0)


def bound(context: zmq.asyncio.Context, kind: int) -> tuple[zmq.asyncio.Socket, str]:
    socket = context.socket(kind)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    return socket, f"tcp://127.0.0.1:{port}"


async def test_zeromq_answers_what_our_line_asks(context: zmq.asyncio.Context) -> None:
    """Short and long, one after the other, each request one message."""
    server, address = bound(context, zmq.REP)

    async def serve() -> None:
        while (asked := await server.recv()) != b"end":
            await server.send(asked * (1000 if asked == b"long" else 1))
        await server.send(b"ended")

    serving = asyncio.create_task(serve())
    link = Link("echo", lines_over_zmtp(opener_for(address, {})), lambda _line: True, QUICK)
    assert await link.open(b"hello\n", knows=lambda reply: reply == [b"hello\n"])
    assert await link.ask(b"long\n") == [b"long" * 1000 + b"\n"]
    assert await link.ask(b"end\n") == [b"ended\n"]
    await serving
    await link.aclose()
    server.close()


async def test_our_inflow_hears_zeromqs_stream_to_its_end(context: zmq.asyncio.Context) -> None:
    server, address = bound(context, zmq.PAIR)
    inflow = Inflow()
    await inflow.open(opener_for(address, {}))
    sent = [np.arange(n, dtype="<u8").tobytes() for n in (1, 30, 40, 65_536)]
    for message in [*sent, b""]:
        await server.send(message)
    async with asyncio.timeout(5):
        await inflow.ended
    assert inflow.messages == sent
    inflow.hang_up()
    server.close()
    await asyncio.sleep(0.01)


async def test_a_server_that_speaks_no_zeromq_is_told_from_one_that_does() -> None:
    async def chatter(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(chatter, "127.0.0.1", 0)
    address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    link = Link("echo", lines_over_zmtp(opener_for(address, {})), lambda _line: True, QUICK)
    with pytest.raises(DeviceLost, match="ZMTP"):
        await link.open(b"hello\n", knows=lambda _reply: True)
    await link.aclose()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)


async def test_a_strangers_zeromq_client_records_tags_from_the_emulator(
    context: zmq.asyncio.Context, seed: int
) -> None:
    """As the maker's streaming example does it: the service, a PAIR socket, REC:PLAY."""
    bench = Bench()
    async with bench.on_its_wires(seed, Manners()):
        await bench.tagger.aclose()
        await asyncio.sleep(0.05)  # each of its ports serves one client at a time
        commands, link, stream = (context.socket(kind) for kind in (zmq.REQ, zmq.REQ, zmq.PAIR))
        for socket, wire in zip((commands, link, stream), bench.wires, strict=False):
            socket.connect(wire.port.address)

        async def ask(socket: zmq.asyncio.Socket, text: str) -> str:
            await socket.send_string(text)
            return str((await socket.recv()).decode())

        async with asyncio.timeout(10):
            for line in ("REC:TRIG:ARM:MODE MANUal", "REC:ENABle ON", "REC:STOP", "REC:NUM 1"):
                await ask(commands, line)
            await ask(commands, f"REC:DURation {int(0.2e12)}")
            opened = f"start-stream --address 1.2.3.4 --channel 1 --stream-port {PORTS[0]}"
            identity = json.loads(await ask(link, opened))["id"]
            await ask(commands, "RAW1:SEND ON")
            await ask(commands, "REC:PLAY")
            words = b""
            while message := await stream.recv():
                words += message
            status = json.loads(await ask(link, f"stop --id {identity}"))["status"]
        for socket in (commands, link, stream):
            socket.close()
    times_ps = np.frombuffer(words, "<u8")
    assert status["timestamps_count"] == len(times_ps) == pytest.approx(4000, abs=1)
    assert set(np.diff(times_ps.astype(np.int64))) == {bench.clicks.period_ps}
