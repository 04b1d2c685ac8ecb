"""The time tagger on trial: its sockets to play a dialogue to, and what its driver is asked to do.

The dialogues are of messages; ZeroMQ's frames around them are ZeroMQ's own matter.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hil.emulators.id900 import TimeController
from hil.emulators.id900_syntax import units
from hil.emulators.zmtp import GREETING, ZmtpServer, framed
from hil.wires import Emulator
from optics.faults import DeviceFault
from optics.idq_detector import IdqDetector, IdqSettings, IdqSockets
from optics.link import Patience
from optics.transports import Opener, memory_opener
from tests.hand_clock import HandClock
from tests.transcript_player import Dialogue, Mismatch, Prepare, ScriptedDevice

COMMAND = re.compile(r"[^\n]*\n")
READY = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ"
OPTIONS = {"--address", "--channel", "--stream-port", "--id"}


class Spoken:
    """A REP socket whose messages are told as lines."""

    def __init__(self, socket: ZmtpServer) -> None:
        self._socket = socket
        assert socket.receive(GREETING + READY).startswith(GREETING)

    def receive(self, data: bytes) -> bytes:
        said = b""
        for line in data.split(b"\n")[:-1]:
            reply = self._socket.receive(b"\1\0" + framed(line)).removeprefix(b"\1\0")
            head = 9 if reply[0] & 2 else 2
            said += reply[head:] + b"\n"
        return said


def prepare(choose: Callable[[TimeController], ZmtpServer], clock: HandClock) -> Emulator:
    nothing = np.array([], np.int64)
    unit = TimeController(clock, lambda *_: (0, 0), lambda *_: (nothing, nothing), clock.later)
    return Spoken(choose(unit))


PLAYED: Mapping[str, Prepare | None] = {
    "ID900": lambda _dialogue, clock, _seed: prepare(lambda unit: unit.commands, clock),
    "ID900 service": lambda _dialogue, clock, _seed: prepare(lambda unit: unit.link, clock),
}

BESIDES = {
    "*IDN?": "ID Quantique,ID900,1,1.0\n",
    "list": "[]\n",
    "start-stream": '{"id":"1"}\n',
    "stop": '{"status":{"timestamps_count":0}}\n',
    "REC:STAG?": "PLAYing\n",
    **dict.fromkeys((f"RAW{n}:ERRORS?" for n in (1, 2)), "0\n"),
    **dict.fromkeys((f"INPU{n}:{what}" for n in (1, 2) for what in ("ENAB", "COUN:MODE")), "\n"),
    **dict.fromkeys((f"INPU{n}:COUN:INTE" for n in (1, 2)), "Value set to 1000\n"),
    **dict.fromkeys((f"RAW{n}:{what}" for n in (1, 2) for what in ("REF:LINK", "SEND")), "\n"),
    **dict.fromkeys((f"RAW{n}:ERRORS:CLEAR" for n in (1, 2)), "\n"),
    **dict.fromkeys((f"REC:{what}" for what in ("STOP", "PLAY", "ENAB", "NUM", "DUR")), "\n"),
    "REC:TRIG:ARM:MODE": "\n",
}


@dataclass(frozen=True)
class Trial:
    """What to ask of the driver, how many of the host's lines that is, and what must come out."""

    call: Callable[[IdqDetector], Awaitable[object]]
    speaks: int
    outcome: object


async def lost_in_a_second(tagger: IdqDetector) -> int:
    await tagger.connect()
    return (await tagger.tags(1.0)).lost


TRIALS = {
    "id900: one record, as the maker's example streams it": Trial(lost_in_a_second, 10, 0),
    "id900: the service opens a stream and closes it": Trial(lost_in_a_second, 3, 0),
}


class Messages:
    """A scripted device behind a REP socket."""

    def __init__(self, device: ScriptedDevice) -> None:
        self.device = device
        self._answers: list[bytes] = []
        self._arrived: Callable[[bytes], None] = lambda _data: None
        self._socket = ZmtpServer(b"REP", self._answer)

    def connect(self, arrived: Callable[[bytes], None], _cut: Callable[[], None]) -> "Messages":
        self._arrived = arrived
        return self

    def write(self, data: bytes) -> None:
        asyncio.get_running_loop().call_soon(self._arrived, self._socket.receive(data))

    def close(self) -> None:
        self._arrived = lambda _data: None

    def _answer(self, message: bytes) -> bytes:
        return self.device.answer(message.decode("latin-1") + "\n").encode("latin-1").rstrip(b"\n")


def ended_stream() -> Opener:
    """A PAIR socket that says at once that there is nothing more."""
    socket = ZmtpServer(b"PAIR")
    socket.push(b"")

    class FarEnd:
        def __init__(self, arrived: Callable[[bytes], None]) -> None:
            self._arrived = arrived

        def write(self, data: bytes) -> None:
            asyncio.get_running_loop().call_soon(self._arrived, socket.receive(data))

        def close(self) -> None:
            self._arrived = lambda _data: None

    return memory_opener(lambda arrived, _cut: FarEnd(arrived))


async def drive(dialogue: Dialogue) -> None:
    """The driver is the host; its messages must be those of the transcript, in their order."""
    trial = TRIALS[dialogue.title]
    played = Messages(ScriptedDevice(dialogue.exchanges, BESIDES, says_the_same, COMMAND))
    other = Messages(ScriptedDevice([], BESIDES, says_the_same, COMMAND))
    both = (other, played) if dialogue.device == "ID900 service" else (played, other)
    commands, link = (memory_opener(end.connect) for end in both)
    settings = IdqSettings(address="10.98.99.7")
    sockets = IdqSockets(commands, link, ended_stream(), ended_stream())
    tagger = IdqDetector(sockets, settings, Patience())
    try:
        outcome = await trial.call(tagger)
    except DeviceFault as fault:
        outcome = str(fault)
    finally:
        await tagger.aclose()
    strays = [*played.device.strays, *other.device.strays]
    if played.device.played != trial.speaks or strays:
        raise Mismatch(f"{played.device.played} of {trial.speaks} said, besides {strays}")
    if outcome != trial.outcome:
        raise Mismatch(f"the driver made {outcome!r} of it, not {trial.outcome!r}")


def says_the_same(sent: list[str], written: list[str]) -> bool:
    """SCPI in its long or short form; the service's words as they are."""
    return _meaning(sent) == _meaning(written)


def _meaning(words: list[str]) -> object:
    if OPTIONS & set(words) or words == ["list"]:
        return words
    return [
        (unit.header, unit.number, unit.value.upper().removesuffix("AL"))
        for unit in units(" ".join(words))
    ]
