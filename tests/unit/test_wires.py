"""Wires: whatever they do to the pieces, the bytes stay what the manners say they are."""

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from hil.eventlog import EventLog
from hil.wires import Manners, Wire

pytestmark = pytest.mark.clocks("jumping")

SIGMAS = 5.0
KIND = Manners(split=0.0, join=0.0, most_delay_s=0.0)


def _nobody(_data: bytes) -> None:
    """Listens until the wire is attached."""


class Socket:
    """A port that writes down what arrives, when, and what is done to its cable."""

    def __init__(self) -> None:
        self.address = "memory://socket"
        self.heard: Callable[[bytes], None] = _nobody
        self.arrivals: list[tuple[float, bytes]] = []
        self.handled: list[str] = []

    async def open(self) -> None:
        self.handled.append("open")

    def send(self, data: bytes) -> None:
        self.arrivals.append((asyncio.get_running_loop().time(), data))

    def unplug(self) -> None:
        self.handled.append("unplug")

    def replug(self) -> None:
        self.handled.append("replug")

    def close(self) -> None:
        self.handled.append("close")

    @property
    def bytes_arrived(self) -> bytes:
        return b"".join(piece for _, piece in self.arrivals)


class Echo:
    """A device that says what it hears, and remembers in which pieces it came."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def receive(self, data: bytes) -> bytes:
        self.pieces.append(data)
        return data


def wired(seed: int, manners: Manners) -> tuple[Wire, Socket, Echo]:
    socket, echo = Socket(), Echo()
    log = EventLog(asyncio.get_running_loop().time)
    return Wire("stage", socket, echo, seed, manners, log), socket, echo


async def chatter(socket: Socket, rng: random.Random, messages: int) -> bytes:
    """Messages of random lengths at random times, and time enough for the last to come back."""
    said = [rng.randbytes(rng.randrange(1, 60)) for _ in range(messages)]
    for message in said:
        socket.heard(message)
        await asyncio.sleep(rng.choice((0.0, 1e-4, 1e-2)))
    await asyncio.sleep(60.0)
    return b"".join(said)


@pytest.mark.parametrize(("split", "join"), [(0.0, 0.0), (0.3, 0.3), (0.9, 0.1), (0.1, 1.0)])
async def test_nothing_is_lost_or_reordered_however_it_is_cut_up(
    split: float, join: float, rng: random.Random
) -> None:
    for seed in range(30):
        wire, socket, echo = wired(seed, Manners(split=split, join=join, most_delay_s=0.003))
        said = await chatter(socket, rng, messages=20)
        assert b"".join(echo.pieces) == said
        assert socket.bytes_arrived == said
        assert b"" not in echo.pieces
        wire.close()


async def test_by_default_a_wire_cuts_messages_and_joins_them(rng: random.Random) -> None:
    _wire, socket, echo = wired(1, Manners())
    said = [b"%d\n" % number for number in range(1000, 1300)]
    for message in said:
        socket.heard(message)
        await asyncio.sleep(0.0002)
    await asyncio.sleep(1.0)
    assert any(not piece.endswith(b"\n") for piece in echo.pieces)
    assert any(b"\n" in piece[:-1] for piece in echo.pieces)


async def test_a_lonely_message_takes_as_long_as_the_manners_allow() -> None:
    _wire, socket, _echo = wired(1, Manners(split=0.0, least_delay_s=0.002, most_delay_s=0.005))
    loop, latencies_s = asyncio.get_running_loop(), list[float]()
    for _ in range(200):
        asked_s = loop.time()
        socket.heard(b"?")
        await asyncio.sleep(0.1)
        latencies_s.append(socket.arrivals[-1][0] - asked_s)
    assert len(socket.arrivals) == 200
    assert 2 * 0.002 - 1e-9 <= min(latencies_s) < 0.0055
    assert 0.0085 < max(latencies_s) <= 2 * 0.005 + 1e-9


async def test_pieces_follow_one_another_each_with_its_own_delay() -> None:
    wire, socket, _echo = wired(1, replace(KIND, least_delay_s=0.01, most_delay_s=0.01))
    wire.hold_next_answer(1.0)
    for _ in range(5):
        socket.heard(b"?")
    await asyncio.sleep(10.0)
    moments = [at_s for at_s, _ in socket.arrivals]
    assert moments == pytest.approx([1.02, 1.03, 1.04, 1.05, 1.06])


@pytest.mark.parametrize("outage_s", [0.0, 1.0])
async def test_a_cut_loses_what_is_under_way_and_a_mended_wire_carries_again(
    outage_s: float,
) -> None:
    wire, socket, echo = wired(1, Manners(split=0.0, least_delay_s=0.01, most_delay_s=0.01))
    socket.heard(b"answer under way")
    await asyncio.sleep(0.015)
    socket.heard(b"question under way")
    with wire.broken() as cut_s:
        assert cut_s == asyncio.get_running_loop().time()
        assert socket.handled == ["unplug"]
        await asyncio.sleep(outage_s)
    assert socket.handled == ["unplug", "replug"]
    await asyncio.sleep(1.0)
    assert (echo.pieces, socket.arrivals) == ([b"answer under way"], [])
    socket.heard(b"after")
    await asyncio.sleep(1.0)
    assert (echo.pieces[1:], socket.bytes_arrived) == ([b"after"], b"after")


async def test_a_device_behind_a_cut_wire_hears_nothing() -> None:
    wire, socket, echo = wired(1, KIND)
    wire.cut()
    socket.heard(b"anyone?")
    await asyncio.sleep(1.0)
    assert echo.pieces == []


async def test_only_the_next_answer_is_held() -> None:
    wire, socket, echo = wired(1, Manners(split=0.9, most_delay_s=0.001))
    wire.hold_next_answer(2.0)
    loop, moments = asyncio.get_running_loop(), []
    for question in (b"first question", b"second question"):
        asked_s, before = loop.time(), len(socket.arrivals)
        socket.heard(question)
        await asyncio.sleep(10.0)
        moments.append([at_s - asked_s for at_s, _ in socket.arrivals[before:]])
    held, prompt = moments
    assert 2.0 <= min(held) <= max(held) < 2.1
    assert max(prompt) < 0.1
    assert b"".join(echo.pieces) == socket.bytes_arrived == b"first questionsecond question"


async def test_who_asks_again_meanwhile_does_not_overtake_a_held_answer() -> None:
    wire, socket, _echo = wired(1, KIND)
    wire.hold_next_answer(2.0)
    socket.heard(b"first ")
    await asyncio.sleep(1.0)
    socket.heard(b"second")
    await asyncio.sleep(10.0)
    assert socket.bytes_arrived == b"first second"


@pytest.mark.parametrize(("garble", "drop"), [(0.02, 0.0), (0.0, 0.05), (0.03, 0.04)])
async def test_bytes_are_garbled_and_dropped_as_often_as_told(garble: float, drop: float) -> None:
    wire, socket, echo = wired(1, KIND)
    sent = 50_000
    with wire.troubled(garble=garble, drop=drop):
        socket.heard(b"U" * sent)
    await asyncio.sleep(1.0)
    [worn] = echo.pieces
    lost, changed = sent - len(worn), len(worn) - worn.count(b"U")
    for found, chance in ((lost, drop), (changed, garble * 255 / 256)):
        spread = math.sqrt(sent * chance * (1 - chance))
        assert found == pytest.approx(sent * chance, abs=SIGMAS * spread)
    assert wire.manners == KIND, "the trouble is over"
    assert socket.bytes_arrived == worn, "and the answer had none of it"
    if garble:
        assert len(set(worn)) > 200, "any byte may come of it"


async def test_a_message_that_is_lost_whole_arrives_nowhere() -> None:
    _wire, socket, echo = wired(1, Manners(drop=1.0))
    socket.heard(b"gone")
    await asyncio.sleep(1.0)
    assert (echo.pieces, socket.arrivals) == ([], [])


async def test_trouble_ends_with_the_block_even_if_that_fails() -> None:
    wire, socket, _echo = wired(1, KIND)
    with pytest.raises(KeyError), wire.troubled(drop=1.0), wire.broken():
        raise KeyError
    assert wire.manners == KIND
    assert socket.handled == ["unplug", "replug"]


async def test_the_same_seed_cuts_the_same_pieces_at_the_same_times(seed: int) -> None:
    runs = []
    for wire_seed in (1, 1, 2):
        wire, socket, echo = wired(wire_seed, Manners(garble=0.01, drop=0.01))
        began_s = asyncio.get_running_loop().time()
        await chatter(socket, random.Random(seed), messages=50)
        arrivals = [(pytest.approx(at_s - began_s), piece) for at_s, piece in socket.arrivals]
        runs.append((echo.pieces, arrivals))
        wire.close()
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[2][0]


async def test_a_closed_wire_closes_its_port() -> None:
    wire, socket, _echo = wired(1, KIND)
    wire.close()
    assert socket.handled == ["unplug", "close"]


class Announcer(Echo):
    """A device that also speaks when nobody asked."""

    def __init__(self) -> None:
        super().__init__()
        self.say: Callable[[bytes], None] = _nobody


async def test_a_device_that_speaks_later_is_heard_unless_its_cable_is_out() -> None:
    port, device = Socket(), Announcer()
    wire = Wire("camera", port, device, 1, KIND, EventLog(asyncio.get_running_loop().time))
    device.say(b"frame 1")
    with wire.broken():
        device.say(b"frame 2")
    device.say(b"frame 3")
    await asyncio.sleep(1.0)
    assert port.bytes_arrived == b"frame 3"  # the first was still on the way
    device.say(b"frame 4")
    await asyncio.sleep(1.0)
    assert port.bytes_arrived == b"frame 3frame 4"
