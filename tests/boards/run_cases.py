"""Runs files of cases on whatever interpreter this is: `run_cases.py ROOT FILE... [KEY=NUMBER]`.

A case is a function `case_...`; the numbers are in `desk.SETTINGS`.
"""

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def main(root: str, names: "list[str]", settings: "dict[str, int]") -> int:
    """The number of cases that failed; each is told in a line."""
    if hasattr(gc, "threshold"):  # MicroPython: as main.py does it
        gc.threshold(4096)
    sys.path[:0] = [root + "/boards/io_board", root]
    module("desk").install(settings)
    failed = 0
    for name in names:
        cases = vars_of(module(name))
        for title in sorted(cases):
            if title.startswith("case_"):
                failed += not passes(f"{name} {title}", cases[title])
    return failed


def module(name: str) -> "Any":
    return getattr(__import__("tests.boards." + name).boards, name)


def vars_of(module: object) -> "dict[str, Any]":
    return {name: getattr(module, name) for name in dir(module)}


def passes(title: str, case: "Callable[[], str | None]") -> bool:
    try:
        told = case()
    except Exception as err:  # noqa: BLE001 - told, and the next case has its turn
        tell(f"FAILED {title}")
        getattr(sys, "print_exception", print_exception)(err)
        return False
    tell(f"passed {title}" + (f": {told}" if told else ""))
    return True


def print_exception(err: Exception) -> None:
    """CPython's way; MicroPython has one in sys."""
    __import__("traceback").print_exception(err)


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")


words = sys.argv[1:]
pairs = [word.split("=") for word in words if "=" in word]
sys.exit(
    main(
        words[0],
        [word for word in words[1:] if "=" not in word],
        {key: int(value) for key, value in pairs},
    )
)
