"""The I/O board's line: every line with its checksum, both ways (boards/io_board/README.md).

Commands are silent, so each exchange ends by asking the board for its verdict, and after any but
a good one the errors that may still wait are forgotten first. What was damaged on the way is said
again: no line of the board does harm when it comes twice.
"""

import re
import zlib
from functools import lru_cache
from typing import NamedTuple

from optics.devices import Identity
from optics.faults import DeviceGarbled, DeviceRefused, DeviceStuck
from optics.link import Link, Patience, Reply
from optics.transports import Opener

DEVICE = "board"
SEALED = re.compile(rb"(.*) \*([0-9A-F]{8})\r?\n", re.DOTALL)
VERDICT = re.compile(rb'(0|-\d+),"(.*)" \*[0-9A-F]{8}\r?\n')
GOOD, HARDWARE = 0, -240
SAID_AGAIN = 2  # times
QUOTE = '"'
WHO = ("*IDN?", "SYST:PROT?", "SYST:FAUL?")


class Greeting(NamedTuple):
    """What a board says of itself at connection."""

    identity: Identity
    protocol: int
    vocabulary: frozenset[str]
    fault: str  # what last went wrong with its firmware, or empty


class Damaged(Exception):
    """A line that did not arrive as it was sent."""


class BoardLine:
    """Asks the board, and hands back answers whose checksum is right."""

    def __init__(self, opener: Opener, patience: Patience) -> None:
        self._link = Link(DEVICE, opener, ends=_is_verdict, patience=patience)
        self._clear = False  # no error of an earlier line can be waiting
        self._asking = 0

    async def open(self) -> Greeting:
        """Connect, and learn who answers; half a line of an earlier talker is ended first."""
        self._clear = False
        reply = await self._link.open(b"\n" + _message(("*CLS", *WHO)), knows=_is_greeting)
        return _greeting(_answers(reply, WHO))

    async def ask(self, *lines: str, within_s: float | None = None) -> list[str]:
        """Send lines; the answers of the queries among them. DeviceRefused in the board's words."""
        complaint = Damaged()
        for _ in range(1 + SAID_AGAIN):
            try:
                return await self._ask_once(lines, within_s)
            except Damaged as err:
                complaint = err
        raise DeviceGarbled(DEVICE, f"{lines[0][:40]!r} did not get through ({complaint})")

    async def _ask_once(self, lines: tuple[str, ...], within_s: float | None) -> list[str]:
        """Damaged when it must be said again."""
        message = _message(lines if self._clear and not self._asking else ("*CLS", *lines))
        self._clear = False
        self._asking += 1
        try:
            answers = _answers(await self._link.ask(message, within_s), lines)
            self._clear = self._asking == 1
        finally:
            self._asking -= 1
        return answers

    def interject(self, line: str) -> None:
        """Send a command at once, past an exchange that may be under way."""
        self._clear = False
        self._link.interject(sealed(line))

    async def aclose(self) -> None:
        await self._link.aclose()


@lru_cache(maxsize=256)
def sealed(text: str) -> bytes:
    """A line with its checksum and its end."""
    body = text.encode()
    return b"%s *%08X\n" % (body, zlib.crc32(body))


def _message(lines: tuple[str, ...]) -> bytes:
    """Lines and the question for the verdict on them."""
    return b"".join(map(sealed, (*lines, "SYST:ERR?")))


def _opened(line: bytes) -> str:
    found = SEALED.fullmatch(line)
    if found is None or int(found[2], 16) != zlib.crc32(found[1]):
        raise Damaged(repr(line[:40]))
    return found[1].decode("latin-1")


def _answers(reply: Reply, lines: tuple[str, ...]) -> list[str]:
    """The answers to these lines, or the board's complaint as a fault."""
    *answers, verdict = map(_opened, reply)
    number, _, text = verdict.partition(",")
    if _means_damage(int(number)):
        raise Damaged(verdict)
    if int(number) != GOOD:
        fault = DeviceStuck if int(number) == HARDWARE else DeviceRefused
        raise fault(DEVICE, f"{text.strip(QUOTE).partition(';')[2] or text} ({number})")
    queries = [line for line in lines if line.split()[0].endswith("?")]
    if len(answers) != len(queries):
        raise Damaged(f"{len(answers)} answers to {len(queries)} queries")
    return answers


def _means_damage(number: int) -> bool:
    """Whether it was no line of ours that arrived: ours have a checksum and a known header."""
    return -199 <= number <= -100 or number in (-203, -360, -363)


def _is_verdict(line: bytes) -> bool:
    return VERDICT.fullmatch(line) is not None


def _is_greeting(reply: Reply) -> bool:
    try:
        identity, protocol, _ = _answers(reply, WHO)
    except (Damaged, DeviceRefused, DeviceStuck):
        return False
    return identity.startswith("gansource,") and protocol.partition(",")[0].isdigit()


def _greeting(answers: list[str]) -> Greeting:
    identity, protocol, fault = answers
    number, _, words = protocol.partition(",")
    return Greeting(
        Identity(*identity.rsplit(",", 3)),
        int(number),
        frozenset(words.strip(QUOTE).split(",")),
        fault.strip(QUOTE),
    )
