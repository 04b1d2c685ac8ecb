"""The rig's end of the wires to a real MicroPython: what its `machine` asks of a chip."""

import asyncio
import socket
from collections.abc import Callable, Sequence

from hil.emulators.io_board_chip import SERIAL, SOLDERED, Chip, Pin, Pio
from hil.emulators.io_board_machines import CLOCK_HZ, Machine

Words = Sequence[int]


class PinWires:
    """Answers one request a line with one line of numbers."""

    def __init__(self, chip: Chip) -> None:
        self._chip, self._rp2 = chip, Pio(chip)
        self._spi, self._i2c = chip.SPI(0), chip.I2C(1)
        self._machines: dict[int, Machine] = {}
        self._rest = b""
        self._ours, self.theirs = socket.socketpair()
        self._ours.setblocking(False)
        asyncio.get_running_loop().add_reader(self._ours, self._readable)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        self._ours.close()
        self.theirs.close()

    def _readable(self) -> None:
        try:
            data = self._ours.recv(4096)
        except (BlockingIOError, ConnectionResetError):
            return
        if not data:
            asyncio.get_running_loop().remove_reader(self._ours)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            name, *words = line.decode().split()
            answers = REQUESTS[name](self, [int(word) for word in words])
            self._ours.send(" ".join(map(str, answers)).encode() + b"\n")

    def pin(self, words: Words) -> Words:
        number, level = words
        return [Pin(self._chip, SOLDERED[number]).value(None if level < 0 else level)]

    def spi(self, words: Words) -> Words:
        told = bytearray(3)
        self._spi.write_readinto(bytes(words), told)
        return told

    def i2c(self, words: Words) -> Words:
        try:
            return self._i2c.readfrom_mem(*words)
        except OSError:
            return []

    def watchdog(self, words: Words) -> Words:
        self._chip.WDT(timeout=words[0])
        return []

    def feed(self, _words: Words) -> Words:
        self._chip.feed()
        return []

    def machine(self, words: Words) -> Words:
        number, side = words
        pins = {"sideset_base": Pin(self._chip, SOLDERED[side])} if side >= 0 else {}
        self._machines[number] = self._rp2.StateMachine(number, None, **pins)
        return []

    def put(self, words: Words) -> Words:
        self._machines[words[0]].put(words[1])
        return []

    def get(self, words: Words) -> Words:
        return [self._machines[words[0]].get()]

    def active(self, words: Words) -> Words:
        self._machines[words[0]].active(words[1])
        return []

    def exec(self, words: Words) -> Words:
        self._machines[words[0]].exec(words[1])
        return []

    def rx(self, words: Words) -> Words:
        return [self._machines[words[0]].rx_fifo()]

    def tx(self, words: Words) -> Words:
        return [self._machines[words[0]].tx_fifo()]

    def cause(self, _words: Words) -> Words:
        return [self._chip.reset_cause()]


REQUESTS: dict[str, Callable[[PinWires, Words], Words]] = {
    "pin": PinWires.pin,
    "spi": PinWires.spi,
    "i2c": PinWires.i2c,
    "watchdog": PinWires.watchdog,
    "feed": PinWires.feed,
    "machine": PinWires.machine,
    "put": PinWires.put,
    "get": PinWires.get,
    "active": PinWires.active,
    "exec": PinWires.exec,
    "rx": PinWires.rx,
    "tx": PinWires.tx,
    "cause": PinWires.cause,
    "serial": lambda _wires, _words: SERIAL,
    "freq": lambda _wires, _words: [CLOCK_HZ],
}
