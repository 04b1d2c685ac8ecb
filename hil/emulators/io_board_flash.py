"""What lies on the emulated board's flash, and an interpreter that imports from there."""

import ast
import binascii
import builtins
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

from hil.emulators.io_board_store import FlashImage

FOLDER = Path(__file__).parents[2] / "boards" / "io_board"
SOURCES = {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.py"))}
"""The firmware as it is in the clone; read once, since an event loop may not wait for files."""


@functools.cache
def boot_names() -> tuple[str, ...]:
    """The files at the root of the flash, as the boot code itself lists them."""
    for node in ast.parse(SOURCES["slots.py"]).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "BOOT":
            return tuple(ast.literal_eval(node.value))
    raise LookupError("slots.py no longer lists the boot code")


def slot_files() -> dict[str, bytes]:
    """What belongs into a slot."""
    return {name: text for name, text in SOURCES.items() if name not in boot_names()}


def manifest(files: Mapping[str, bytes]) -> bytes:
    """One line per file: its name and its SHA-256."""
    lines = [f"{name} {hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files)]
    return "".join(lines).encode()


def installed() -> dict[str, bytes]:
    """A flash as it leaves the workshop: boot code, and firmware in slot a."""
    files = slot_files()
    flash = {name: SOURCES[name] for name in boot_names()}
    flash |= {f"a/{name}": text for name, text in files.items()}
    return flash | {"a/manifest": manifest(files)}


@functools.lru_cache(maxsize=64)
def _compiled(path: str, source: bytes) -> CodeType:
    return SourceFileLoader(path, f"<flash {path}>").source_to_code(source, f"<flash {path}>")


class Interpreter:
    """One life of the firmware: modules of its own, found on its own flash."""

    def __init__(self, flash: FlashImage, machine: object, rp2: object) -> None:
        self._flash = flash
        self._path = [""]
        self._modules: dict[str, Any] = {
            "machine": machine,
            "rp2": rp2,
            "sys": SimpleNamespace(path=self._path),
            "binascii": binascii,
            "hashlib": hashlib,
            "json": json,
        }

    def load(self, name: str) -> Any:
        """The module, run when this is the first time."""
        if name in self._modules:
            return self._modules[name]
        for folder in self._path:
            path = f"{folder}/{name}.py".removeprefix("/")
            if path in self._flash.files:
                return self._run(name, path)
        raise ImportError(f"no module named '{name}'")

    def _run(self, name: str, path: str) -> ModuleType:
        module = self._modules[name] = ModuleType(name)
        own = vars(builtins) | {"__import__": self._importer()}
        module.__dict__["__builtins__"] = own
        try:
            exec(_compiled(path, self._flash.files[path]), module.__dict__)  # noqa: S102 - its job
        except BaseException:
            del self._modules[name]
            raise
        return module

    def _importer(self) -> Callable[..., Any]:
        return lambda name, *_: self.load(name)
