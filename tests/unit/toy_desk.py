"""A desk in front of one emitter with a Gaussian response, on the jumping clock."""

import asyncio
import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import numpy as np

from controller.config import Config, StageConfig
from controller.desk import Desk, Locked
from controller.snapshot import Newsstand, Snapshot
from controller.states import State
from mapping.catalogue import Seen, Site
from mapping.peak import Peak, Response
from mapping.placement import Placement
from optics.devices import LaserStatus
from optics.quantities import ChipPoint, CountGate, StagePoint

GATE_S, CPS, GROUND_CPS, POWER_UW = 0.01, 1e5, 2e3, 1000.0
MIDDLE = StagePoint(100.0, 100.0, 100.0)
RESPONSE = Response(0.11, 0.32)
SEEN = Seen(ChipPoint(0, 0, 0), ChipPoint(0.005, 0.005, 0.02), POWER_UW, CPS, 300.0, GROUND_CPS)
SITE = Site("E0001", SEEN._replace(saturation_uw=POWER_UW))
PEAK = Peak(MIDDLE, StagePoint(0.005, 0.005, 0.02), CPS, 500.0, GROUND_CPS, RESPONSE, 1.0)


@dataclass
class ToyDesk:
    """What tracking needs of a desk; `at`, `dim` and `pump` may be changed at any time."""

    at: StagePoint = MIDDLE
    dim: float = 1.0
    pump: float = 1.0
    stands: StagePoint = MIDDLE
    nudges: list[StagePoint] = field(default_factory=list)
    epochs: int = 0
    power_uw: float = POWER_UW
    lying: Placement | None = None
    locked: Locked = field(default_factory=lambda: Locked(SITE, PEAK, POWER_UW))

    def __post_init__(self) -> None:
        self.config = Config(StageConfig("memory://stage"))
        self.news = Newsstand(Snapshot(state=State.EMITTING, power_set_uw=POWER_UW))
        self.probe = self.counter = self.archive = self
        self.light = SimpleNamespace(laser=self)
        self._rng, self._number = np.random.default_rng(1), 0
        self._counted_s = self.now_s()

    def desk(self) -> Desk:
        return cast(Desk, self)

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def status(self) -> LaserStatus:
        return LaserStatus(True, self.power_uw, self.power_uw * self.pump, True, "")

    async def nudge(self, to: StagePoint) -> None:
        self.nudges.append(to)
        self.stands = to

    async def grow_epoch(self, _: object) -> None:
        self.epochs += 1

    async def fresh(self) -> list[CountGate]:
        gates = []
        while self._counted_s + GATE_S <= self.now_s():
            self._counted_s += GATE_S
            self._number += 1
            a, b = (int(n) for n in self._rng.poisson(self._mean() / 2, 2))
            gates.append(CountGate((a, b), 0, GATE_S, self._number, self._counted_s))
        return gates

    def _mean(self) -> float:
        x, y, z = (a - b for a, b in zip(self.stands, self.at, strict=True))
        off2 = (x * x + y * y) / RESPONSE.side_um**2 + z * z / RESPONSE.depth_um**2
        pumped = self.pump / (1 + 0.5 * (self.pump - 1))
        signal = CPS * self.dim * pumped * math.exp(-off2 / 2)
        return (signal + GROUND_CPS * self.pump) * GATE_S
