"""The pins and the loop of main.py: what happens before what, on modules that only take notes."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from hil.emulators.io_board_chip import PINS

FIRMWARE = Path(__file__).parents[2] / "boards" / "io_board"
MAIN = FIRMWARE / "main.py"


class Over(Exception):
    """Nothing more arrives."""


class Notes:
    """Modules for main.py, and what it did with them, in order."""

    def __init__(self, arriving: bytes, *, jumper: bool = False) -> None:
        self.done: list[tuple[Any, ...]] = []
        self._arriving, self._jumper = list(arriving), jumper
        pin = mock.Mock(side_effect=self._pin, IN="in", OUT="out", PULL_UP="up")
        note = self._note
        console = SimpleNamespace(read=self._read, write=lambda data: note("write", data))
        self.modules: dict[str, Any] = {
            "machine": SimpleNamespace(Pin=pin),
            "micropython": SimpleNamespace(kbd_intr=lambda char: note("kbd_intr", char)),
            "gc": SimpleNamespace(threshold=lambda size: note("threshold", size)),
            "select": SimpleNamespace(poll=lambda: self, POLLIN=1),
            "flash": SimpleNamespace(Flash=lambda: "flash"),
            "runtime": SimpleNamespace(Runtime=self._runtime),
            "sys": SimpleNamespace(
                stdin=SimpleNamespace(buffer=console), stdout=SimpleNamespace(buffer=console)
            ),
        }

    def register(self, *_stream: object) -> None:
        """Of `select.poll`: there is only one stream."""

    def poll(self, within_ms: int) -> bool:
        self._note("poll", within_ms)
        if not self._arriving and within_ms:
            raise Over
        return bool(self._arriving)

    def turn(self, data: bytes) -> bytes:
        self._note("turn", data)
        return data.upper()

    def run(self) -> None:
        source = compile(MAIN.read_text(), MAIN, "exec")
        with mock.patch.dict(sys.modules, self.modules):
            exec(source, {"__name__": "__main__"})  # noqa: S102 - as the board does at its start

    def told(self, what: str) -> Iterator[Any]:
        return (note[1] for note in self.done if note[0] == what)

    def _note(self, *what: Any) -> None:
        self.done.append(what)

    def _pin(self, number: int, mode: str, _pull: str = "", value: int = 0) -> Any:
        self._note("pin", number, mode, value)
        return SimpleNamespace(value=lambda: int(not self._jumper))

    def _runtime(self, _time: object, storage: object, pins: dict[str, int]) -> "Notes":
        self._note("runtime", storage, pins)
        return self

    def _read(self, count: int) -> bytes:
        self._note("read", count)
        return bytes([self._arriving.pop(0)])


def test_dark_first_then_deaf_to_interrupts_then_the_loop() -> None:
    notes = Notes(b"*idn?\x03\n")
    with pytest.raises(Over):
        notes.run()
    order = [note[0] for note in notes.done]
    assert notes.done[0] == ("pin", PINS["laser"], "out", 0)
    assert ("kbd_intr", -1) in notes.done
    assert order.index("kbd_intr") < order.index("runtime") < order.index("read")
    assert b"".join(notes.told("turn")) == b"*idn?\x03\n"
    assert b"".join(notes.told("write")) == b"*IDN?\x03\n"


def test_it_reads_so_much_and_then_looks_after_the_rest() -> None:
    notes = Notes(b"x" * 200)
    with pytest.raises(Over):
        notes.run()
    assert [len(data) for data in notes.told("turn")] == [64, 64, 64, 8]


def test_the_pins_are_those_that_the_rig_has_soldered() -> None:
    notes = Notes(b"")
    with pytest.raises(Over):
        notes.run()
    [pins] = [note[2] for note in notes.done if note[0] == "runtime"]
    lens = re.search(r"^LENS = (\d+)", (FIRMWARE / "wiring.py").read_text(), re.MULTILINE)
    assert lens
    assert {**pins, "lens": int(lens[1])} == PINS


def test_the_bench_jumper_leaves_it_dark_and_open() -> None:
    notes = Notes(b"", jumper=True)
    notes.run()
    assert notes.done[0] == ("pin", PINS["laser"], "out", 0)
    assert "runtime" not in [note[0] for note in notes.done]
