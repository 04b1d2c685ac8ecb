"""Performs plans: moves the focus, lights, counts, and tells the plan what was counted."""

import asyncio
from typing import TypeVar

from controller.compute import Compute
from controller.counter import Counter
from controller.light import Light
from mapping.offsets import shared
from mapping.peak import Tally
from mapping.scan import Ask, Ended, Plan, advanced
from optics.devices import Stage
from optics.quantities import StagePoint

T = TypeVar("T")

NONE = StagePoint(0.0, 0.0, 0.0)


class Probe:
    """The focus as a probe: at one place of the stage after the other."""

    def __init__(
        self,
        stage: Stage,
        light: Light,
        counter: Counter,
        compute: Compute,
        reach_um: tuple[float, float, float] = NONE,
    ) -> None:
        self._stage, self._light = stage, light
        self._counter, self._compute = counter, compute
        self._at: StagePoint | None = None  # of the stage itself
        self._offset, self._reach_um = NONE, reach_um

    def forget(self) -> None:
        """Somebody else has moved the stage."""
        self._at = None

    async def go(self, at: StagePoint) -> None:
        """Stand there by the stage alone, if not there already."""
        await self.release()
        if at != self._at:
            self._at = None
            await self._stage.move_to(at)
            self._at = at

    async def nudge(self, to: StagePoint) -> None:
        """Stand there by the board's offsets, as far as they reach: quick, fine, and no step back.

        What they have gathered of a long drift goes over to the stage in small steps.
        """
        try:
            at = None if self._at is None else shared(self._at, to, self._reach_um)
        except ValueError:
            at = None
        if at is None:
            await self.go(to)
        else:
            await self._share(at, to)

    async def release(self) -> None:
        """No offsets."""
        await self._displace(NONE)

    async def _share(self, at: StagePoint, to: StagePoint) -> None:
        offset = StagePoint(*(far - near for far, near in zip(to, at, strict=True)))
        if at == self._at:
            await self._displace(offset)
            return
        self._at = None
        await asyncio.gather(self._stage.move_to(at), self._displace(offset))
        self._at = at

    async def _displace(self, offset: StagePoint) -> None:
        if offset != self._offset:
            await self._light.board.offset(*offset)
            self._offset = offset

    async def perform(self, plan: Plan[T]) -> T:
        """All of a plan, lit already; what it concludes."""
        step = await self._compute(advanced, plan, None)
        while isinstance(step, Ask):
            step = await self._compute(advanced, plan, await self._answer(step))
        conclusion: T = _end(step).value
        return conclusion

    async def _answer(self, ask: Ask) -> Tally:
        await self._light.set(power_uw=ask.power_uw, pump_rad=ask.pump_rad)
        await self.go(ask.at)
        counted = await self._counter.count(ask.dwell_s)
        return Tally(ask.at, counted.clicks, counted.counted_s)


def _end(step: Ask | Ended) -> Ended:
    if isinstance(step, Ask):
        raise TypeError("a plan that asks has not ended")
    return step
