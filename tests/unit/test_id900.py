"""The emulated time controller alone: what it makes of any bytes, and of its settings."""

import json
import random

import numpy as np
import pytest

from hil.emulators.id900 import BLOCK_TAGS, TimeController
from hil.emulators.zmtp import GREETING, framed
from tests.hand_clock import HandClock
from tests.tagger_bench import Clicks
from tests.tagger_trials import READY, Spoken


class Bench:
    """A controller on a clock put on by hand, spoken to in messages."""

    def __init__(self, cps: float = 1000.0) -> None:
        self.clock, clicks = HandClock(), Clicks(cps)
        self.unit = TimeController(self.clock, clicks.counts, clicks.tags, self.clock.later)
        self._commands, self._service = Spoken(self.unit.commands), Spoken(self.unit.link)
        self.streamed: list[bytes] = []
        self.unit.streams[0].receive(GREETING + READY.replace(b"\x03REQ", b"\x04PAIR"))
        self.unit.streams[0].say = self.streamed.append

    def ask(self, text: str) -> str:
        return self._commands.receive(text.encode() + b"\n").decode().removesuffix("\n")

    def service(self, text: str) -> object:
        return json.loads(self._service.receive(text.encode() + b"\n"))

    def record(self, for_ps: int) -> None:
        self.service("start-stream --address a --channel 1 --stream-port 4242")
        self.ask(f"REC:ENAB ON;DUR {for_ps};:RAW1:SEND ON;:REC:PLAY")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_unit_without_a_colon_goes_on_where_the_one_before_it_was(bench: Bench) -> None:
    bench.ask("INPU2:COUN:MODE ACCU;INTE 250;:INPU1:ENAB ON")
    asked = ("INPU2:COUN:MODE?", "INPU2:COUN:INTE?", "INPU1:ENAB?", "INPU2:ENAB?")
    assert [bench.ask(query) for query in asked] == ["ACCU", "250", "ON", "OFF"]


def test_counts_are_of_the_last_cycle_or_since_the_reset(bench: Bench) -> None:
    bench.clock.advance(2.5)
    assert bench.ask("INPU1:COUN?") == "1000"
    bench.ask("INPU1:COUN:MODE ACCU")
    bench.ask("INPU1:COUN:RESE")
    bench.clock.advance(0.25)
    assert bench.ask("INPU1:COUN?") == "250"
    assert bench.ask("INPU3:COUN?") == "0"


def test_tags_are_told_as_they_come_in_bounded_blocks_and_end_with_nothing() -> None:
    fast = Bench(cps=2e6)
    fast.record(10**11)
    fast.clock.advance(0.06)
    assert len(fast.streamed) > 1, "not only at the end"
    assert fast.ask("REC:STAG?") == "PLAYing"
    fast.clock.advance(0.1)
    assert fast.ask("REC:STAG?") == "IDLE"
    assert fast.streamed.pop() == framed(b"")
    assert max(map(len, fast.streamed)) <= 8 * BLOCK_TAGS + 9
    times_ps = np.frombuffer(b"".join(message[9:] for message in fast.streamed), "<u8")
    assert times_ps.tolist() == list(range(0, 10**11, 500_000))


def test_a_stop_ends_the_record_without_more_tags(bench: Bench) -> None:
    bench.record(10**12)
    bench.clock.advance(0.12)
    bench.ask("REC:STOP")
    told = len(bench.streamed)
    bench.clock.advance(5)
    assert len(bench.streamed) == told


def test_a_power_cycle_forgets_settings_and_the_service_does_not(bench: Bench) -> None:
    bench.record(10**12)
    bench.unit.power_cycle()
    bench.clock.advance(60)
    assert Spoken(bench.unit.commands).receive(b"RAW1:SEND?\n") == b"OFF\n"
    assert bench.service("list") == ["a:5556"]
    status = bench.service("status --id a:5556")
    assert isinstance(status, dict)
    assert status["inactivity"] == pytest.approx(60, abs=0.2)


@pytest.mark.parametrize(
    "text", ["REC:DUR abc", "REC:DUR -1", "REC:DUR 1e99", "INPU1:COUN:INTE 0", "INPU9:ENAB ON"]
)
def test_values_that_cannot_be_are_refused(bench: Bench, text: str) -> None:
    before = [bench.ask(query) for query in ("REC:DUR?", "INPU1:COUN:INTE?")]
    assert bench.ask(text).startswith("SCPI_ERR_")
    assert [bench.ask(query) for query in ("REC:DUR?", "INPU1:COUN:INTE?")] == before


WORDS = (
    *("REC:", "PLAY", "STOP", ":RAW1:SEND ON", "INPU2:COUN?", "DUR 1e9", ";", "?", "\n", "#", ""),
    *("list", "start-stream", "stop", "status", "--id", "--channel 7", "--stream-port x", "--"),
)


def test_no_message_breaks_it(bench: Bench, rng: random.Random) -> None:
    for _ in range(2000):
        message = "".join(rng.choice(WORDS) + " " * rng.randint(0, 1) for _ in range(5)).encode()
        for socket in (bench.unit.commands, bench.unit.link):
            assert socket.receive(b"\1\0" + framed(message))
        bench.clock.advance(0.01)


def test_no_bytes_break_it_and_a_greeting_always_helps(bench: Bench, rng: random.Random) -> None:
    for _ in range(500):
        for socket in (bench.unit.commands, bench.unit.link, *bench.unit.streams):
            socket.receive(rng.randbytes(rng.randint(1, 40)))
    for socket in 2 * (bench.unit.commands, bench.unit.link):
        socket.receive(b"\1\0\0\x20half a request")
        assert socket.receive(GREETING + READY).startswith(GREETING)
        assert socket.receive(b"\1\0" + framed(b"list")).startswith(b"\1\0\0")
