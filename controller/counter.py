"""The board's gates: fetched, told to outsiders, and summed for those who ask."""

import asyncio
from typing import NamedTuple

from controller.brightness import Clicks
from controller.snapshot import Newsstand
from optics.devices import Board
from optics.photon_number import LightPath
from optics.quantities import CountGate

TELL_EVERY_S = 0.1
PHOTONS_EVERY_S = 1.0


class Counted(NamedTuple):
    """Clicks of both detectors over whole gates."""

    clicks: int
    coincidences: int
    counted_s: float


NOTHING = Counted(0, 0, 0.0)


def added(sum_: Counted, gate: CountGate) -> Counted:
    return Counted(
        sum_.clicks + sum(gate.clicks),
        sum_.coincidences + gate.coincidences,
        sum_.counted_s + gate.counted_s,
    )


class Counter:
    """One reader of the board's gates at a time."""

    def __init__(self, board: Board, news: Newsstand, path: LightPath | None = None) -> None:
        self._board, self._news, self._path = board, news, path
        self.gate_s = 0.01
        self._rate, self._rate_told_s = Clicks(), 0.0
        self._photons, self._photons_told_s = Clicks(), 0.0

    async def set_gate(self, gate_s: float) -> None:
        """How long one gate counts from the next on."""
        await self._board.set_gate(gate_s)
        self.gate_s = gate_s
        self._news.publish(gate_s=gate_s)

    async def fresh(self) -> list[CountGate]:
        """Gates that ended since last asked; outsiders are told ten times a second."""
        gates = await self._board.gates()
        now_s = asyncio.get_running_loop().time()
        for gate in gates:
            self._rate.add(gate)
            self._photons.add(gate)
        if gates:
            self._tell(gates[-1], now_s)
        return gates

    async def count(self, for_s: float) -> Counted:
        """Over gates that began after this was called, until they are so long together."""
        loop = asyncio.get_running_loop()
        since_s, total = loop.time(), NOTHING
        await asyncio.sleep(for_s + self.gate_s)
        while True:
            for gate in await self.fresh():
                if gate.began_s >= since_s and total.counted_s < for_s:
                    total = added(total, gate)
            left_s = for_s - total.counted_s
            if left_s <= self.gate_s * 1e-3:
                return total
            await asyncio.sleep(max(left_s, self.gate_s / 4))

    def _tell(self, newest: CountGate, now_s: float) -> None:
        """What it is time for."""
        if now_s - self._rate_told_s >= TELL_EVERY_S:
            brightness_cps = self._rate.brightness_cps(now_s)
            self._news.publish(gate=newest, brightness_cps=brightness_cps)
            self._rate, self._rate_told_s = Clicks(), now_s
        if now_s - self._photons_told_s >= PHOTONS_EVERY_S:
            self._news.publish(photons=self._photons.photons(self._path, now_s))
            self._photons, self._photons_told_s = Clicks(), now_s
