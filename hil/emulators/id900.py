"""An ID Quantique ID900 time controller with the maker's DataLinkTarget service in front of it.

Written from "Time Controller Series User Manual" (sections 6.3.4, 8.2.1, 9 and 10) and from
clients of real units; "unconfirmed" says that we chose. Commands go to the device, tags come
from the service, which lives on the host and survives the device's power cycle.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hil.emulators.id900_syntax import (
    BAD_VALUE,
    DEFAULTS,
    NO_SUCH_HEADER,
    NUMBERS,
    Unit,
    is_positive,
    units,
)
from hil.emulators.laser_head import Later, on_the_running_loop
from hil.emulators.zmtp import ZmtpServer

Tags = Callable[[float, float], tuple[NDArray[np.int64], NDArray[np.int64]]]
"""Rising times in ps and channels (0, 1) of all clicks between two instants in s."""
Counts = Callable[[float, float], tuple[int, int]]

IDENTITY = "ID Quantique,ID900,2130008H010,1.18.0"  # unconfirmed: the manual has no example
BOOT_S = 5.0  # unconfirmed
CHUNK_S = 0.05
BLOCK_TAGS = 1 << 16
MOST_CPS = 10e6  # over all inputs; section 6.3.4
PORTS = (4242, 4243)
CHANNELS = ("1", "2", "3", "4")


@dataclass
class Acquisition:
    """What the service is asked to pass on from one input."""

    channel: int
    stream: ZmtpServer
    records: int = 0
    tags: int = 0
    errors: list[str] = field(default_factory=list)
    heard_s: float = 0.0

    def status(self, now_s: float) -> Mapping[str, object]:
        return {
            "acquisitions_count": self.records,
            "errors": [{"description": text} for text in self.errors],
            "inactivity": round(now_s - self.heard_s, 6),
            "timestamps_count": self.tags,
        }


class TimeController:
    """Four sockets: `commands`, `link` and two `streams`; each is an emulator on a wire."""

    def __init__(
        self,
        clock: Callable[[], float],
        counts: Counts,
        tags: Tags,
        later: Later = on_the_running_loop,
    ) -> None:
        self.frozen, self.most_cps = False, MOST_CPS
        self.unplugged: set[int] = set()  # inputs whose detector's cable is out
        self._clock, self._counts, self._tags, self._later = clock, counts, tags, later
        self._acquisitions: dict[str, Acquisition] = {}
        self.commands = ZmtpServer(b"REP", self._command, self._hears)
        self.link = ZmtpServer(b"REP", self._service)
        self.streams = (ZmtpServer(b"PAIR"), ZmtpServer(b"PAIR"))
        self.powered, self._awake_s, self._record = False, -math.inf, 0
        self._start()
        self.powered = True

    def power_off(self) -> None:
        """The device only: the service goes on, and hears nothing any more."""
        self.powered = False
        self.commands.hang_up()
        self._record += 1

    def power_on(self) -> None:
        self.powered, self.frozen = True, False
        self._awake_s = self._clock() + BOOT_S
        self._start()

    def power_cycle(self) -> None:
        """Every setting is as it was when the device came from its maker (unconfirmed)."""
        self.power_off()
        self.power_on()

    def _start(self) -> None:
        self._settings = dict(DEFAULTS)
        self._errors = [0] * 5
        self._counted_since_s = [self._clock()] * 5
        self._playing = False
        self._record += 1

    def _hears(self) -> bool:
        return self.powered and not self.frozen and self._clock() >= self._awake_s

    def _command(self, message: bytes) -> bytes:
        """Several units in a message are answered in one line each (unconfirmed)."""
        answers = [self._obey(unit) for unit in units(message.decode("latin-1"))]
        return "\n".join(answers).encode("latin-1")

    def _obey(self, unit: Unit) -> str:
        match unit.header:
            case "*IDN?":
                return IDENTITY
            case "REC:PLAY":
                return self._play()
            case "REC:STOP":
                self._record += 1
                self._playing = False
                return ""
            case "REC:STAG?":
                return "PLAYing" if self._playing else "IDLE"
            case "INPU#:COUN?":
                return str(self._count(unit.number))
            case "INPU#:COUN:RESE":
                self._counted_since_s[unit.number] = self._clock()
                return "Counter value set to 0"
            case "RAW#:ERRORS?":
                return str(self._errors[unit.number])
            case "RAW#:ERRORS:CLEAR":
                self._errors[unit.number] = 0
                return ""
        return self._setting(unit)

    def _setting(self, unit: Unit) -> str:
        key = unit.header.rstrip("?").replace("#", str(unit.number))
        if key not in self._settings:
            return NO_SUCH_HEADER
        if unit.header.endswith("?"):
            return self._settings[key]
        if unit.header in NUMBERS and not is_positive(unit.value):
            return BAD_VALUE
        self._settings[key] = unit.value.upper()
        return f"Value set to {unit.value}"

    def _count(self, number: int) -> int:
        """Of the last whole cycle, or since the last reset."""
        now_s = self._clock()
        if self._settings[f"INPU{number}:COUN:MODE"].startswith("ACCU"):
            since_s, until_s = self._counted_since_s[number], now_s
        else:
            cycle_s = float(self._settings[f"INPU{number}:COUN:INTE"]) * 1e-3
            until_s = math.floor(now_s / cycle_s) * cycle_s
            since_s = max(until_s - cycle_s, 0.0)
        if number in self.unplugged or number > 2 or until_s <= since_s:
            return 0
        return self._counts(since_s, until_s)[number - 1]

    def _play(self) -> str:
        self._record += 1
        if self._settings["REC:ENAB"] == "ON":
            self._playing = True
            begun_s = self._clock()
            until_s = begun_s + float(self._settings["REC:DUR"]) * 1e-12
            self._go_on(self._record, begun_s, begun_s, until_s)
        return ""

    def _go_on(self, record: int, begun_s: float, since_s: float, until_s: float) -> None:
        """Send what was clicked since the last look; look again, or end it."""
        now_s = self._clock()
        if record != self._record or not self.powered or self.frozen:
            return
        whole_ms_s = max(math.floor(now_s * 1e3) * 1e-3, since_s)  # cheap for the world to answer
        seen_s = until_s if now_s >= until_s else whole_ms_s
        if seen_s > since_s:
            self._send(begun_s, since_s, seen_s)
        if seen_s < until_s:
            wait_s = min(CHUNK_S, until_s - now_s) + 1e-9
            self._later(wait_s, lambda: self._go_on(record, begun_s, seen_s, until_s))
            return
        self._playing = False
        for acquisition in self._sending():
            acquisition.records += 1
            acquisition.stream.push(b"")

    def _send(self, begun_s: float, since_s: float, until_s: float) -> None:
        times_ps, channels = self._tags(since_s, until_s)
        room = max(int(self.most_cps * (until_s - since_s)), 1)
        for acquisition in self._sending():
            number = acquisition.channel
            chosen = (channels == number - 1) & (number not in self.unplugged)
            kept = times_ps[:room][chosen[:room]] - round(begun_s * 1e9) * 1000
            if dropped := int(chosen[room:].sum()):
                self._errors[number] += dropped
                acquisition.errors.append(f"{dropped} timestamps lost")
            acquisition.tags += len(kept)
            acquisition.heard_s = until_s
            for at in range(0, len(kept), BLOCK_TAGS):
                acquisition.stream.push(kept[at : at + BLOCK_TAGS].astype("<u8").tobytes())

    def _sending(self) -> list[Acquisition]:
        return [
            acquisition
            for acquisition in self._acquisitions.values()
            if self._settings[f"RAW{acquisition.channel}:SEND"] == "ON"
        ]

    def _service(self, message: bytes) -> bytes:
        """A command of the DataLinkTarget service, section 10; answers are JSON."""
        name, *words = message.decode("latin-1").split() or [""]
        options = dict(zip(words[::2], words[1::2], strict=False))
        match name:
            case "list":
                answer: object = list(self._acquisitions)
            case "start-stream":
                answer = self._open(options)
            case "status" | "stop" if options.get("--id") in self._acquisitions:
                acquisition = self._acquisitions[options["--id"]]
                answer = acquisition.status(self._clock())
                if name == "stop":
                    del self._acquisitions[options["--id"]]
                    answer = {"status": answer}
            case _:
                answer = {"error": {"description": f"unrecognised command {name!r}"}}
        return json.dumps(answer, separators=(",", ":")).encode()

    def _open(self, options: Mapping[str, str]) -> object:
        try:
            channel = CHANNELS.index(options["--channel"]) + 1
            stream = self.streams[PORTS.index(int(options["--stream-port"]))]
            identity = options.get("--id", f"{options['--address']}:{5555 + channel}")
        except (KeyError, ValueError) as err:
            return {"error": {"description": f"bad or missing option: {err}"}}
        if identity in self._acquisitions:
            return {"error": {"description": f"{identity} is open"}}  # unconfirmed
        stream.clear()
        self._acquisitions[identity] = Acquisition(channel, stream, heard_s=self._clock())
        return {"id": identity}
