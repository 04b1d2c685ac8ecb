"""Reads the transcripts, plays a dialogue to an emulator, and is the device to a driver.

The form of the files is described beside them, in tests/transcripts/README.md.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hil.wires import Emulator
from tests.hand_clock import HandClock

TRANSCRIPTS = Path(__file__).parent / "transcripts"
MARKED = re.compile(r"(>>?|<[~*]?) (.*)")
KEYED = re.compile(r"# (source|device|setup|tolerance|wait): (.*)")
READING = re.compile(
    r"(?:(?<==)|^(?=[-+.\de]+\r?$))-?\d+(?:\.(?P<decimals>\d+))?(?P<power>e[+-]\d\d)?"
)


class Mismatch(AssertionError):
    """One side did not say what the transcript says."""


@dataclass(frozen=True)
class Expected:
    """One line of the device: `mark` tells how closely it is compared."""

    mark: str
    text: str

    def agrees(self, said: str, tolerance: float) -> bool:
        if self.mark == "<*":
            return said.startswith(self.text.partition("…")[0])
        if self.mark == "<":
            return said == self.text
        return _form(said) == _form(self.text) and all(
            abs(float(mine[0]) - float(its[0])) <= tolerance
            for mine, its in zip(READING.finditer(self.text), READING.finditer(said), strict=True)
        )


@dataclass(frozen=True)
class Exchange:
    """What the host sends after a while, and what comes back; nothing is an answer too."""

    wait_s: float
    sent: str
    expected: list[Expected] = field(default_factory=list)

    @property
    def answer(self) -> str:
        return "".join(line.text.replace("…", "") + "\n" for line in self.expected)


@dataclass(frozen=True)
class Dialogue:
    title: str
    head: Mapping[str, str]
    exchanges: list[Exchange]

    @property
    def device(self) -> str:
        return self.head["device"]

    @property
    def readings(self) -> list[float]:
        lines = [line for exchange in self.exchanges for line in exchange.expected]
        return [float(found[0]) for line in lines for found in READING.finditer(line.text)]


def read(path: Path) -> list[Dialogue]:
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> list[Dialogue]:
    return [_dialogue(block.splitlines()) for block in re.split(r"\n\s*\n", text.strip())]


def _dialogue(lines: list[str]) -> Dialogue:
    head: dict[str, str] = {}
    exchanges: list[Exchange] = []
    wait_s = 0.0
    for line in lines[1:]:
        if keyed := KEYED.fullmatch(line):
            head[keyed[1]], wait_s = keyed[2], float(keyed[2]) if keyed[1] == "wait" else wait_s
            continue
        marked = MARKED.fullmatch(line)
        assert marked, f"not of the transcripts' form: {line!r}"
        mark, text = marked[1], _plain(marked[2])
        if mark in (">", ">>"):
            exchanges.append(Exchange(wait_s, text + "\n" * (mark == ">")))
            wait_s = 0.0
        else:
            exchanges[-1].expected.append(Expected(mark, text))
    return Dialogue(lines[0].removeprefix("# "), head, exchanges)


def _plain(text: str) -> str:
    visible = text.replace("␠", " ")
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), visible)


def _form(line: str) -> str:
    """The line with its readings blotted out, save how many decimals they have and what power."""
    return READING.sub(lambda it: f"{len(it['decimals'] or '')}{'e' * bool(it['power'])}", line)


Prepare = Callable[[Dialogue, HandClock, int], Emulator]
"""A unit in the state of the dialogue's `setup`."""


def play_to_emulator(dialogue: Dialogue, prepare: Prepare, seed: int) -> None:
    """The emulator is the device; what it says must agree line by line, silence included."""
    clock = HandClock()
    unit = prepare(dialogue, clock, seed)
    tolerance = float(dialogue.head.get("tolerance", 0))
    for exchange in dialogue.exchanges:
        clock.advance(exchange.wait_s)
        said = unit.receive(exchange.sent.encode("latin-1")).decode("latin-1")
        *lines, rest = said.split("\n")
        agreed = len(lines) == len(exchange.expected) and not rest
        pairs = zip(exchange.expected, lines, strict=False)
        if not (agreed and all(line.agrees(its, tolerance) for line, its in pairs)):
            raise Mismatch(f"{exchange.sent!r} was answered {said!r}, not {exchange.answer!r}")


class ScriptedDevice:
    """The far end of a wire that says what a transcript's device said.

    What the dialogue does not mention is answered from `besides`; what neither knows is kept
    in `strays` and gets no answer.
    """

    def __init__(
        self,
        exchanges: list[Exchange],
        besides: Mapping[str, str],
        says_the_same: Callable[[list[str], list[str]], bool],
        command: re.Pattern[str],
    ) -> None:
        """`command` is one of the host's commands; two of them are compared word by word."""
        self.strays: list[str] = []
        self.played = 0
        self._exchanges, self._besides = exchanges, besides
        self._says_the_same, self._command = says_the_same, command
        self._unread = ""
        self._arrived: Callable[[bytes], None] = lambda _data: None

    def connect(
        self, arrived: Callable[[bytes], None], _cut: Callable[[], None]
    ) -> "ScriptedDevice":
        self._arrived = arrived
        return self

    def close(self) -> None:
        self._arrived = lambda _data: None

    def write(self, data: bytes) -> None:
        self._unread += data.decode("latin-1")
        while command := self._command.match(self._unread):
            self._unread = self._unread[command.end() :]
            answer = self.answer(command[0]).encode("latin-1")
            if answer:
                asyncio.get_running_loop().call_soon(self._arrived, answer)

    def answer(self, sent: str) -> str:
        """What it says to this command."""
        if self.played < len(self._exchanges):
            exchange = self._exchanges[self.played]
            if self._says_the_same(sent.split(), exchange.sent.split()):
                self.played += 1
                return exchange.answer
        mnemonic, *_ = [*sent.split(), ""]
        if mnemonic not in self._besides:
            self.strays.append(sent)
        return self._besides.get(mnemonic, "")
