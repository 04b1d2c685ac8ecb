"""The real files of the board, on the file system of whoever runs this, in an empty folder."""

import os

from tests.boards.desk import part, raises


def case_files_are_written_as_a_whole_and_hashed() -> None:
    flash = part("flash").Flash()
    assert flash.read("state") is None
    flash.write("state", b"one")
    flash.write("state", b"two")
    assert flash.read("state") == b"two"
    assert "state.new" not in os.listdir()  # noqa: PTH208 - MicroPython has no pathlib
    assert flash.digest("missing") == ""
    flash.write("abc", b"abc")
    assert flash.digest("abc").startswith("ba7816bf8f01cfea")


def case_a_slot_is_filled_listed_and_emptied() -> None:
    flash = part("flash").Flash()
    assert flash.names("b") == []
    for piece in (b"x" * 700, b"y"):
        flash.append("b/two.py", piece)
    flash.append("b/one.py", b"z")
    assert flash.names("b") == ["one.py", "two.py"]
    assert flash.read("b/two.py") == b"x" * 700 + b"y"
    for name in flash.names("b"):
        flash.remove(f"b/{name}")
    assert flash.names("b") == []
    assert raises(OSError, lambda: flash.remove("b/one.py"))


def case_slots_live_on_it() -> None:
    flash, slots = part("flash").Flash(), part("slots")
    first = slots.Slots(flash)
    first.choose(False)
    first.leave("CRASH", "because")
    second = slots.Slots(flash)
    second.choose(True)
    assert (second.boots, second.cause) == (2, "CRASH")
    assert second.why == "no slot holds firmware that is whole"
