"""Firmware for the I/O board as it lies in a folder, and the lines that carry it to a slot."""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

BLOCK = 192  # bytes a line: in hexadecimal, with all around it, below the board's 512
NEEDED = ("firmware.py", "wiring.py")


class BadFirmware(ValueError):
    """What lies there is no firmware; says where and what to do."""


class Firmware(NamedTuple):
    """The content of a slot."""

    files: Mapping[str, bytes]
    version: str

    @property
    def identity(self) -> str:
        """By which the board knows a slot's content."""
        lines = [
            f"{name} {hashlib.sha256(content).hexdigest()}\n"
            for name, content in sorted(self.files.items())
        ]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def size(self) -> int:
        return sum(map(len, self.files.values()))

    def lines(self) -> Iterator[tuple[str, int]]:
        """Each line that fills the slot, and how many bytes have been carried after it."""
        carried = 0
        for name, content in sorted(self.files.items()):
            for start in range(0, len(content), BLOCK):
                block = content[start : start + BLOCK]
                carried += len(block)
                yield f'FIRM:DATA "{name}",{start},"{block.hex()}"', carried


def load(folder: Path) -> Firmware:
    """What belongs into a slot: every module of the folder but those of the boot code."""
    found = _found(folder)
    boot = set(_constant(folder, found, "slots.py", "BOOT"))
    files = {name: content for name, content in found.items() if name not in boot}
    if missing := [name for name in NEEDED if name not in files]:
        raise BadFirmware(f"{folder}: has no {missing[0]}; give the folder of the firmware")
    for name in files:
        _parsed(folder, found, name)
    return Firmware(files, str(_constant(folder, found, "firmware.py", "VERSION")))


def boot_code(folder: Path) -> dict[str, bytes]:
    """What lies at the root of the flash, and no update reaches."""
    found = _found(folder)
    names = _constant(folder, found, "slots.py", "BOOT")
    for name in names:
        _parsed(folder, found, name)
    return {name: found[name] for name in names}


def _found(folder: Path) -> dict[str, bytes]:
    try:
        return {path.name: path.read_bytes() for path in folder.glob("*.py")}
    except OSError as err:
        raise BadFirmware(f"{folder}: {err.strerror}; give the folder of the firmware") from err


def _constant(folder: Path, found: Mapping[str, bytes], module: str, name: str) -> Any:
    for node in _parsed(folder, found, module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise BadFirmware(f"{folder / module}: has no {name}; give the folder of the firmware")


def _parsed(folder: Path, found: Mapping[str, bytes], module: str) -> ast.Module:
    if module not in found:
        raise BadFirmware(f"{folder}: has no {module}; give the folder of the firmware")
    try:
        return ast.parse(found[module])
    except (SyntaxError, ValueError) as err:
        line = getattr(err, "lineno", None) or 1
        raise BadFirmware(f"{folder / module}:{line}: is no Python ({err}); mend it") from err
