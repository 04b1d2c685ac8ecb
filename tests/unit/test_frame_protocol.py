"""The frame-server protocol by hand: what its description promises, of the server and the emulator.

Neither has seen the other's code; both are asked the same, byte for byte.
"""

import asyncio
import re
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from hil.emulators.camera import CameraEmulator
from hil.eventlog import EventLog
from hil.ports import TcpPort
from hil.wires import Manners, Wire
from tests.unit.camera_bench import SMALL, Stagelight

SNAP = "SNAP exposure_us=5000 gain=1 within_us=2000000"


class Hand:
    """Types lines and reads what comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, body: str, total: str | None = None) -> tuple[str, bytes]:
        """The answer without its sum, which is right, and the block that follows it."""
        self._writer.write(f"{body} *{total or self._sum(body)}\n".encode())
        async with asyncio.timeout(20):
            line = (await self._reader.readuntil(b"\n")).decode()
            said, star, its_sum = line.rstrip("\n").rpartition(" *")
            assert star
            assert its_sum == self._sum(said)
            follows = re.search(r" bytes=(\d+) .*slot=-1$", said)
            return said, await self._reader.readexactly(int(follows[1])) if follows else b""

    def write(self, raw: bytes) -> None:
        self._writer.write(raw)

    async def aclose(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    @staticmethod
    def _sum(body: str) -> str:
        return f"{zlib.crc32(body.encode()):08X}"


@asynccontextmanager
async def emulator(_folder: Path, seed: int) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    device, port = CameraEmulator(SMALL, clock, seed, Stagelight(SMALL).expose), TcpPort()
    wire = Wire("camera", port, device, seed, Manners(), EventLog(clock))
    await port.open()
    try:
        yield port.address
    finally:
        device.power_off()  # or it goes on exposing while the loop is taken down
        wire.close()


@asynccontextmanager
async def server(folder: Path, _seed: int) -> AsyncIterator[str]:
    """The real one, playing a recording of the same light."""
    words = ("-m", "optics.frame_server", f"file://{folder}/light.npy", "--listen")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, "tcp://127.0.0.1:0", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.communicate()


@pytest.fixture(params=[emulator, server])
async def hand(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> AsyncIterator[Hand]:
    await asyncio.to_thread(
        np.save, tmp_path / "light.npy", Stagelight(SMALL).picture(0.005, 1.0)[None]
    )
    async with AsyncExitStack() as stack:
        address = urlsplit(await stack.enter_async_context(request.param(tmp_path, seed)))
        hand = Hand(*await asyncio.open_connection(address.hostname, address.port))
        stack.push_async_callback(hand.aclose)
        yield hand


async def test_who_does_not_greet_is_told_to(hand: Hand) -> None:
    said, _ = await hand.ask("STOP")
    assert said.startswith("ERROR kind=lost why=greet")


async def test_a_greeting_tells_version_and_shape(hand: Hand) -> None:
    said, _ = await hand.ask("HELLO version=1")
    assert said.startswith("CAMERA version=1 maker=")
    assert " width=64 height=48 " in said


@pytest.mark.parametrize(
    ("body", "total", "answer"),
    [
        ("STOP", "00000000", "ERROR kind=garbled"),
        ("DANCE", None, "ERROR kind=refused"),
        ("SNAP exposure_us=5000", None, "ERROR kind=refused"),
        ("SNAP exposure_us=1e-9 gain=1 within_us=1", None, "ERROR kind=range"),
        ("SNAP exposure_us=nan gain=1 within_us=1", None, "ERROR kind=range"),
        ("REGION x=60 y=0 width=5 height=1", None, "ERROR kind=range"),
        ("TRIGGER source=whistle", None, "ERROR kind=refused"),
        ("NEXT within_us=1000", None, "NONE"),
        ("STOP", None, "OK"),
    ],
)
async def test_what_is_answered_at_once(
    hand: Hand, body: str, total: str | None, answer: str
) -> None:
    await hand.ask("HELLO version=1")
    assert (await hand.ask(body, total))[0].startswith(answer)
    assert (await hand.ask("STOP"))[0] == "OK"


async def test_a_frame_is_its_head_and_its_bytes(hand: Hand) -> None:
    await hand.ask("HELLO version=1")
    await hand.ask("REGION x=2 y=3 width=10 height=4")
    began_s = asyncio.get_running_loop().time()
    said, block = await hand.ask(SNAP)
    lasted_us = (asyncio.get_running_loop().time() - began_s) * 1e6
    head = dict(pair.split("=") for pair in said.removeprefix("FRAME ").split(" "))
    assert (head["width"], head["height"], head["complete"]) == ("10", "4", "1")
    assert int(head["crc"], 16) == zlib.crc32(block)
    assert 5000 <= int(head["age_us"]) <= lasted_us
    seen = np.frombuffer(block, "<u2").reshape(4, 10)
    assert np.array_equal(seen, Stagelight(SMALL).picture(0.005, 1.0)[3:7, 2:12])


async def test_a_run_is_numbered_without_a_gap(hand: Hand) -> None:
    await hand.ask("HELLO version=1")
    assert (await hand.ask("RUN exposure_us=1000 gain=1 rate_hz=100"))[0] == "OK"
    heads = [(await hand.ask("NEXT within_us=2000000"))[0] for _ in range(5)]
    numbers = [int(head.split(" ")[1].partition("=")[2]) for head in heads]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert all(" lost=0 complete=1 " in head for head in heads)


async def test_noise_and_endless_lines_do_not_end_the_session(hand: Hand, seed: int) -> None:
    await hand.ask("HELLO version=1")
    noise = np.random.default_rng(seed).integers(0, 256, 20_000, np.uint8).tobytes()
    hand.write(noise.replace(b"\n", b"x") + b"\n")
    said, _ = await hand.ask("STOP")
    assert said.startswith("ERROR kind=garbled")  # the noise's, and then the request's own
    assert (await hand.ask(SNAP))[0] == "OK"
