"""Reads the transcripts, plays a dialogue to an emulator, and is the device to a driver.

The form of the files is described beside them, in tests/transcripts/README.md.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hil.emulators.pi_gcs import PiGcs
from hil.emulators.pi_gcs_models import Model

TRANSCRIPTS = Path(__file__).parent / "transcripts"
MARKED = re.compile(r"(>>?|<[~*]?) (.*)")
KEYED = re.compile(r"# (source|device|setup|tolerance|wait): (.*)")
READING = re.compile(r"(?<==)-?\d+(?:\.(?P<decimals>\d+))?(?P<power>e[+-]\d\d)?")
COMMAND = re.compile(r"[\x05\x07\x18]|[^\n\x05\x07\x18]*\n")


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


def play_to_emulator(dialogue: Dialogue, model: Model, seed: int) -> None:
    """The emulator is the device; what it says must agree line by line, silence included."""
    now_s = [0.0]
    unit = _prepared(dialogue, model, now_s, seed)
    tolerance = float(dialogue.head.get("tolerance", 0))
    for exchange in dialogue.exchanges:
        now_s[0] += exchange.wait_s
        said = unit.receive(exchange.sent.encode("latin-1")).decode("latin-1")
        *lines, rest = said.split("\n")
        agreed = len(lines) == len(exchange.expected) and not rest
        pairs = zip(exchange.expected, lines, strict=False)
        if not (agreed and all(line.agrees(its, tolerance) for line, its in pairs)):
            raise Mismatch(f"{exchange.sent!r} was answered {said!r}, not {exchange.answer!r}")


def _prepared(dialogue: Dialogue, model: Model, now_s: list[float], seed: int) -> PiGcs:
    """A unit brought into the state of `setup` by what a host can do."""
    setup = dialogue.head.get("setup", "fresh")
    words = {word.split()[0]: word.split()[1:] for word in setup.split("; ")}
    places = [float(place) for place in words.get("at", [])] or [0.0] * len(model.axes)
    servo_on = words.get("servo") == ["on"]
    axes = model.axes
    if "travel" in words:
        low, high = (float(end) * axes[0].um_per_unit for end in words["travel"])
        axes = tuple(replace(axis, low_um=low, high_um=high) for axis in axes)
    if "at" in words and not servo_on:
        axes = tuple(replace(axis, rest_um=at) for axis, at in zip(axes, places, strict=True))
    unit = PiGcs(replace(model, axes=axes), lambda: now_s[0], seed)
    moves = " ".join(f"{axis.name} {at}" for axis, at in zip(axes, places, strict=True))
    lines = [f"SVO {axis.name} 1" for axis in axes] if servo_on else []
    lines += ["FRF"] if "referenced" in words else []
    lines += [f"MOV {moves}"] if servo_on and "at" in words and "unreferenced" not in words else []
    for line in lines:
        unit.receive(f"{line}\n".encode())
        now_s[0] += 30.0
    assert unit.receive(b"ERR?\n") == b"0\n", f"setup failed: {lines}"
    return unit


class ScriptedDevice:
    """The far end of a wire that says what a transcript's device said.

    What the dialogue does not mention is answered from `besides`; what neither knows is kept
    in `strays` and gets no answer.
    """

    def __init__(
        self, exchanges: list[Exchange], besides: Mapping[str, str], axes: list[str]
    ) -> None:
        self.strays: list[str] = []
        self.played = 0
        self._exchanges, self._besides, self._axes = exchanges, besides, axes
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
        while command := COMMAND.match(self._unread):
            self._unread = self._unread[command.end() :]
            answer = self._answer(command[0]).encode("latin-1")
            if answer:
                asyncio.get_running_loop().call_soon(self._arrived, answer)

    def _answer(self, sent: str) -> str:
        if self.played < len(self._exchanges):
            exchange = self._exchanges[self.played]
            if _says_the_same(sent.split(), exchange.sent.split(), self._axes):
                self.played += 1
                return exchange.answer
        mnemonic, *_ = [*sent.split(), ""]
        if mnemonic not in self._besides:
            self.strays.append(sent)
        return self._besides.get(mnemonic, "")


def _says_the_same(sent: list[str], written: list[str], axes: list[str]) -> bool:
    """A driver's words against the transcript's.

    By the rules of MS249E, p. 116: a query without arguments is one for all axes, and a
    command may name more axes than one.
    """
    if not sent or not written or sent[0].upper() != written[0].upper():
        return False
    if sent[0].endswith("?"):
        return sent[1:] == (written[1:] or (sent[1:] and axes))
    mine = dict(zip(sent[1::2], map(float, sent[2::2]), strict=True))
    its = dict(zip(written[1::2], map(float, written[2::2]), strict=True))
    return mine.items() >= its.items()
