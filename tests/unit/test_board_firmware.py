"""What is taken for firmware, and how it is cut into lines."""

from pathlib import Path

import pytest

from hil.emulators.io_board_flash import slot_files
from optics.board_firmware import BadFirmware, load
from tests.boards import host

CLONE = Path(__file__).parents[2] / "boards" / "io_board"


def test_the_clones_firmware_is_what_the_board_knows_it_by() -> None:
    firmware = load(CLONE)
    assert firmware.version == host.VERSION
    assert firmware.identity == host.identity(slot_files())
    assert not {"main.py", "slots.py", "framing.py"} & set(firmware.files)


def test_its_lines_carry_every_byte_in_order_and_fit_the_board() -> None:
    firmware = load(CLONE)
    lines = list(firmware.lines())
    assert [line for line, _ in lines] == list(host.update(firmware.files))[1:-2]
    assert max(len(host.sealed(line)) for line, _ in lines) <= 512
    carried = [count for _, count in lines]
    assert carried == sorted(carried)
    assert carried[-1] == firmware.size


SPOILED = {
    "nothing there": ({}, "has no slots.py"),
    "half of it": ({"slots.py": "BOOT = ()"}, "has no firmware.py"),
    "no list": ({"slots.py": "pass"}, "slots.py: has no BOOT"),
    "no Python": (
        {"slots.py": "BOOT = ()", "firmware.py": "VERSION = '1'", "wiring.py": "a\nb c\n"},
        "wiring.py:2: is no Python",
    ),
    "no name": (
        {"slots.py": "BOOT = ()", "firmware.py": "", "wiring.py": ""},
        "firmware.py: has no VERSION",
    ),
}


@pytest.mark.parametrize("how", SPOILED)
def test_what_is_none_is_told_with_its_place(how: str, tmp_path: Path) -> None:
    files, complaint = SPOILED[how]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(BadFirmware, match=complaint):
        load(tmp_path)
