"""The module `machine` of a board whose chip is in the rig's process; for MicroPython."""

import sys

from hil.emulators.io_board_modules.bridge import ask

PWRON_RESET, WDT_RESET = 1, 3
LOST = 5  # EIO


class Pin:
    IN, OUT, PULL_UP, PULL_DOWN = 0, 1, 1, 2

    def __init__(
        self, number: int, mode: "int | None" = None, _pull: int = 0, *, value: int = 0
    ) -> None:
        self.number = number
        if mode == self.OUT:
            self.value(value)

    def value(self, level: "int | None" = None) -> int:
        return ask("pin", self.number, -1 if level is None else level)[0]


class SPI:
    def __init__(self, _bus: int, **_settings: object) -> None:
        """The rig has one."""

    def write_readinto(self, said: bytes, told: bytearray) -> None:
        told[:] = bytes(ask("spi", *said))


class I2C:
    def __init__(self, _bus: int, **_settings: object) -> None:
        """The rig has one."""

    def readfrom_mem(self, address: int, register: int, count: int) -> bytes:
        told = ask("i2c", address, register, count)
        if not told:
            raise OSError(LOST)
        return bytes(told)


class WDT:
    def __init__(self, *, timeout: int) -> None:
        ask("watchdog", timeout)

    def feed(self) -> None:
        ask("feed")


def reset() -> None:
    """The process ends, and the rig begins another."""
    sys.exit()


def reset_cause() -> int:
    return ask("cause")[0]


def unique_id() -> bytes:
    return bytes(ask("serial"))


def freq() -> int:
    return ask("freq")[0]
