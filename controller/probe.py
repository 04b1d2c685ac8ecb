"""Performs plans: moves the focus, lights, counts, and tells the plan what was counted."""

from typing import TypeVar

from controller.compute import Compute
from controller.counter import Counter
from controller.light import Light
from mapping.peak import Tally
from mapping.scan import Ask, Ended, Plan, advanced
from optics.devices import Stage
from optics.quantities import StagePoint

T = TypeVar("T")


class Probe:
    """The focus as a probe: at one place of the stage after the other."""

    def __init__(self, stage: Stage, light: Light, counter: Counter, compute: Compute) -> None:
        self._stage, self._light = stage, light
        self._counter, self._compute = counter, compute
        self._at: StagePoint | None = None

    def forget(self) -> None:
        """Somebody else has moved the stage."""
        self._at = None

    async def go(self, at: StagePoint) -> None:
        """Stand there, if not there already."""
        if at != self._at:
            self._at = None
            await self._stage.move_to(at)
            self._at = at

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
