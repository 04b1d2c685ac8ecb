"""The board on a desk: its real firmware, a chip in memory, and a clock put on by hand.

Runs on CPython and on MicroPython; `run_cases.py` starts it.
"""

import binascii
import hashlib
import sys

from hil.emulators.io_board_chip import PINS, Chip, Pio, Reset, World
from hil.emulators.io_board_store import FlashImage, PowerCut, Ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SETTLED_MS = 150  # the interlock is believed after 100
BLANK = {"a/x.py": b"pass\n"}


class Borrowed:
    """Stands for `machine` or `rp2` in `sys.modules`, whichever chip is on the desk."""

    module: "Any" = None

    def __getattr__(self, name: str) -> "Any":
        return getattr(self.module, name)


MACHINE, RP2 = Borrowed(), Borrowed()


SETTINGS: "dict[str, int]" = {}


def install(settings: "dict[str, int]") -> None:
    """Before the first import of the firmware."""
    SETTINGS.update(settings)
    sys.modules["machine"], sys.modules["rp2"] = MACHINE, RP2  # type: ignore[assignment]


def part(name: str) -> "Any":
    """A module of the firmware."""
    return __import__(name)


def sealed(text: str) -> str:
    return f"{text} *{binascii.crc32(text.encode()):08X}"


def manifest(files: "dict[str, bytes]") -> bytes:
    lines = []
    for name in sorted(files):
        digest = binascii.hexlify(hashlib.sha256(files[name]).digest()).decode()
        lines.append(f"{name} {digest}\n")
    return "".join(lines).encode()


class Desk:
    """A board that was just plugged in; `runtime` is None while it is off."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.world = World(lambda: self.now_s)
        self.light: list[tuple[float, bool]] = []
        self.world.lit = lambda at_s, lit: self.light.append((at_s, lit))
        slot = {name[2:]: text for name, text in BLANK.items()}
        self.store = FlashImage(BLANK)
        self.store.files["a/manifest"] = manifest(slot)
        self.runtime: Any = None
        self.boot()

    @property
    def chip(self) -> Chip:
        assert self.world.chip
        return self.world.chip

    def boot(self, cause: int = Chip.PWRON_RESET) -> None:
        chip = Chip(self.world, cause)
        MACHINE.module, RP2.module = chip, Pio(chip)
        ticks = Ticks(lambda: self.now_s)
        try:
            self.runtime = part("runtime").Runtime(ticks, self.store, PINS)
        except (Reset, PowerCut):
            self.runtime = None
        else:
            self.turn()

    def turn(self, data: bytes = b"") -> str:
        """One round of the loop; after a reset or a cut the board is off, and says nothing."""
        if not self.runtime:
            return ""
        try:
            said: bytes = self.runtime.turn(data)
        except (Reset, PowerCut):
            self.runtime = None
            return ""
        return said.decode()

    def after(self, ms: int, turn_ms: int = 1) -> None:
        for _ in range(ms // turn_ms):
            self.now_s += turn_ms / 1000
            self.turn()

    def ask(self, query: str) -> str:
        return self.turn(query.encode() + b"\n").rstrip("\n")

    def order(self, command: str) -> str:
        """Send a command with its checksum; the error it led to, in SCPI's words."""
        self.turn(sealed(command).encode() + b"\n")
        return self.ask("SYST:ERR?")

    def light_up(self, ms: int = 250) -> None:
        """From a fresh start to a lease that runs."""
        self.world.interlock_closed = True
        self.after(SETTLED_MS)
        for command in ("LEAS 0", f"LEAS {ms}"):
            error = self.order(command)
            assert error == '0,"No error"', error
        assert self.world.laser_on


class Chance:
    """The same draws on every interpreter (xorshift, Marsaglia 2003)."""

    def __init__(self, seed: int) -> None:
        self._state = seed & 0xFFFFFFFF or 1

    def below(self, limit: int) -> int:
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        return state % limit

    def pick(self, choices: "Any") -> "Any":
        return choices[self.below(len(choices))]


def raises(error: "type[BaseException]", act: "Callable[[], Any]") -> bool:
    try:
        act()
    except error:
        return True
    return False
