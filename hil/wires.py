"""Wires between a port and an emulator: they split, join, delay, garble, drop, and are cut.

By default a wire already cuts what it carries at random places and lets the pieces dawdle,
as real lines do; an emulator or a driver that needs whole lines is defective.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from hil.eventlog import EventLog


class Emulator(Protocol):
    """A device behind a wire; bytes in, bytes out, its own clock.

    One that also speaks later declares `say: Callable[[bytes], None]`, which its wire sets.
    """

    def receive(self, data: bytes) -> bytes:
        """Take what arrived, however it was cut up; return what the device says to it."""


class Port(Protocol):
    """The socket into which the controller's end of the cable is plugged."""

    address: str
    heard: Callable[[bytes], None]

    async def open(self) -> None:
        """Start to exist."""

    def send(self, data: bytes) -> None:
        """Hand bytes to whoever is connected; lost when nobody is."""

    def unplug(self) -> None:
        """Vanish, as a cable that is pulled."""

    def replug(self) -> None:
        """Come back under the same address."""

    def close(self) -> None:
        """Cease to exist."""


@dataclass(frozen=True)
class Manners:
    """How a wire treats its cargo: a delay drawn for each piece, chances for each byte.

    `split` is the chance of another cut, `join` that a piece clings to one still under way.
    """

    split: float = 0.3
    join: float = 0.3
    least_delay_s: float = 0.0
    most_delay_s: float = 0.001
    garble: float = 0.0
    drop: float = 0.0


class Wire:
    """Joins a port to an emulator."""

    def __init__(
        self, name: str, port: Port, emulator: Emulator, seed: int, manners: Manners, log: EventLog
    ) -> None:
        self.name, self.port, self.emulator, self.manners = name, port, emulator, manners
        self.log, self._up, self._down = log, f"{name} <", f"{name} >"
        self._own_manners, self._troubles = manners, list[dict[str, float]]()
        rng = random.Random(f"{seed} {name}")
        self._to_device = _Lane(self, rng, self._reach_device)
        self._to_host = _Lane(self, rng, self._reach_host)
        self._cable_in = self._device_there = self._plugged = True
        port.heard = self._to_device.carry
        if hasattr(emulator, "say"):
            emulator.say = self._say

    @contextmanager
    def troubled(self, **changes: float) -> Iterator[None]:
        """Other manners for a while: `with wire.troubled(garble=0.01): ...`."""
        end = self.trouble(**changes)
        try:
            yield
        finally:
            end()

    def trouble(self, **changes: float) -> Callable[[], None]:
        """Other manners, on top of those of other troubles, until what is returned is called."""
        self._troubles.append(changes)
        self._behave()

        def end() -> None:
            self._troubles.remove(changes)
            self._behave()

        return end

    def _behave(self) -> None:
        self.manners = self._own_manners
        for changes in self._troubles:
            self.manners = replace(self.manners, **changes)

    @contextmanager
    def broken(self) -> Iterator[float]:
        """A cable that is out for a while; yields the instant at which it was cut."""
        self.cut()
        try:
            yield asyncio.get_running_loop().time()
        finally:
            self.mend()

    def cut(self) -> None:
        """Pull the cable; what was on the way is lost, half a line included."""
        self._cable_in = False
        self._follow()

    def mend(self) -> None:
        self._cable_in = True
        self._follow()

    def present(self, there: bool) -> None:
        """The device shows itself on the bus, or vanishes from it as one that resets does."""
        self._device_there = there
        self._follow()

    def _follow(self) -> None:
        plugged = self._cable_in and self._device_there
        if plugged == self._plugged:
            return
        self._plugged = plugged
        if plugged:
            self.port.replug()
        else:
            self._to_device.clear()
            self._to_host.clear()
            self.port.unplug()

    def hold_next_answer(self, for_s: float) -> None:
        """The device takes that much longer over its next answer, and only that one."""
        self._to_host.hold_s = for_s

    def close(self) -> None:
        self.cut()
        self.port.close()

    def _say(self, data: bytes) -> None:
        if self._plugged:
            self._to_host.carry(data)

    def _reach_host(self, data: bytes) -> None:
        self.log.note(self._up, data)
        self.port.send(data)

    def _reach_device(self, data: bytes) -> None:
        self.log.note(self._down, data)
        if self._plugged and (answer := self.emulator.receive(data)):
            self._to_host.carry(answer)


class _Lane:
    """One direction of a wire: pieces in order, each with its hour of arrival."""

    def __init__(self, wire: Wire, rng: random.Random, arrive: Callable[[bytes], None]) -> None:
        self.hold_s = 0.0
        self._wire, self._rng, self._arrive = wire, rng, arrive
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    def carry(self, data: bytes) -> None:
        manners, loop = self._wire.manners, asyncio.get_running_loop()
        pieces, chance = self._pieces, self._rng.random
        due_s = pieces[-1][0] if pieces else loop.time()
        due_s, self.hold_s = due_s + self.hold_s, 0.0
        least_s, span_s = manners.least_delay_s, manners.most_delay_s - manners.least_delay_s
        for piece in self._cut_up(self._worn(data, manners), manners.split):
            if not pieces or chance() >= manners.join:
                due_s += least_s + span_s * chance()
            pieces.append((due_s, piece))
        if self._alarm is None:
            self._alarm = loop.call_at(pieces[0][0], self._ring)

    def clear(self) -> None:
        self._pieces.clear()
        self.hold_s = 0.0
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        """Whatever is due by now arrives as one piece."""
        loop, pieces = asyncio.get_running_loop(), self._pieces
        arrived, soon_s = b"", loop.time() + 1e-9
        while pieces and pieces[0][0] <= soon_s:
            arrived += pieces.popleft()[1]
        self._alarm = loop.call_at(pieces[0][0], self._ring) if pieces else None
        if arrived:  # nothing does when every byte was dropped
            self._arrive(arrived)

    def _cut_up(self, data: bytes, split: float) -> list[bytes]:
        pieces, chance = [], self._rng.random
        while len(data) > 1 and chance() < split:
            at = 1 + int(chance() * (len(data) - 1))
            pieces.append(data[:at])
            data = data[at:]
        pieces.append(data)
        return pieces

    def _worn(self, data: bytes, manners: Manners) -> bytes:
        if not manners.garble and not manners.drop:
            return data
        worn = bytearray()
        for byte in data:
            fate = self._rng.random()
            if fate < manners.garble:
                worn.append(self._rng.randrange(256))
            elif fate >= manners.garble + manners.drop:
                worn.append(byte)
        return bytes(worn)
