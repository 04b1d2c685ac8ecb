"""The module `rp2` of a board whose state machines are in the rig's process; for MicroPython."""

from hil.emulators.io_board_modules.bridge import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.emulators.io_board_modules.machine import Pin


class PIO:
    OUT_LOW = 2


def asm_pio(**_settings: object) -> "Callable[[object], object]":
    return lambda program: program


class StateMachine:
    def __init__(self, number: int, _program: object, **pins: "Pin") -> None:
        self._number = number
        ask("machine", number, pins["sideset_base"].number if "sideset_base" in pins else -1)

    def active(self, on: int) -> None:
        ask("active", self._number, on)

    def put(self, word: int) -> None:
        ask("put", self._number, word)

    def get(self) -> int:
        return ask("get", self._number)[0]

    def exec(self, opcode: int) -> None:
        ask("exec", self._number, opcode)

    def rx_fifo(self) -> int:
        return ask("rx", self._number)[0]

    def tx_fifo(self) -> int:
        return ask("tx", self._number)[0]
