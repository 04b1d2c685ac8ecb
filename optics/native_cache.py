"""Machine code kept between runs, in the private environment of this program."""

import hashlib
import marshal
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(sys.prefix) / "native"
PRIVATE = sys.prefix != sys.base_prefix  # nothing is left in another's Python
DIGEST = hashlib.sha256


def kept(name: str, key: bytes, make: Callable[[], bytes]) -> bytes:
    """The code of that name and key, made where it is not yet there or damaged."""
    path = FOLDER / f"{name}.{DIGEST(key).hexdigest()[:24]}.o"
    try:
        stored = path.read_bytes()
    except OSError:
        stored = b""
    digest, code = stored[:32], stored[32:]
    if code and digest == DIGEST(code).digest():
        return code
    code = make()
    if PRIVATE:
        _store(path, DIGEST(code).digest() + code)
    return code


def _store(path: Path, content: bytes) -> None:
    """Whole or not at all; where nothing may be written the code is made anew each time."""
    beside = path.with_suffix(f".{os.getpid()}")
    try:
        FOLDER.mkdir(exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)


def identity(
    function: Callable[..., Any], called: Callable[[object], Callable[..., Any] | None]
) -> bytes:
    """Whatever decides about the machine code of a loop, loops that it calls included."""
    return b"".join(
        part
        for one in _reached(function, called, [])
        for part in (
            marshal.dumps(one.__code__.replace(co_filename="", co_firstlineno=0)),
            repr((one.__annotations__, _numbers(one))).encode(),
        )
    )


def _reached(
    function: Callable[..., Any],
    called: Callable[[object], Callable[..., Any] | None],
    seen: list[Any],
) -> Iterator[Any]:
    if function in seen:
        return
    seen.append(function)
    yield function
    for name in function.__code__.co_names:
        if (inner := called(function.__globals__.get(name))) is not None:
            yield from _reached(inner, called, seen)


def _numbers(function: Any) -> list[tuple[str, object]]:
    known = function.__globals__
    return [
        (name, known[name])
        for name in function.__code__.co_names
        if isinstance(known.get(name), int | float)
    ]
