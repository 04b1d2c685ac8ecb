"""A quantum-key host that knows SCPI and nothing else, and what was true of its blocks.

The host cuts a block by what it is told: the epoch, QUEStionable, and whether light was claimed all
along. It asks two seconds after a block has ended, since a limit is judged over a second of counts.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from hil.hosts import Host
from hil.mischief import nearest
from hil.rack import Rack

BLOCK_S, VERDICT_AFTER_S, BETWEEN_S = 5.0, 2.0, 0.5
HOLD_OFF_S = 30.0
EMITTING_BIT = 1 << 9
CONDITIONS = ":STAT:OPER:COND?;:STAT:QUES:COND?"
PATIENCE_S, READY_WITHIN_S = 3.0, 300.0
LOOK_EVERY_S = 0.05


class Block(NamedTuple):
    """One block: when it was, and why the host cut it; no words are none."""

    began_s: float
    ended_s: float
    cut: str


class KeyHost:
    """Makes blocks, one after the other."""

    def __init__(self, host: Host, forget: Callable[[], None], clock: Callable[[], float]) -> None:
        self._host, self._forget, self._clock = host, forget, clock

    async def blocks(self, count: int) -> AsyncIterator[Block]:
        """Each once its verdict is in; TimeoutError when the source stays unfit for too long."""
        await self._host.tell("STAT:OPER:PTR 0;NTR 512;:STAT:QUES:PTR 32767;NTR 0")
        for _ in range(count):
            epoch = await self._fit_to_begin()
            began_s = self._clock()
            await asyncio.sleep(BLOCK_S)
            ended_s = self._clock()
            await asyncio.sleep(VERDICT_AFTER_S)
            yield Block(began_s, ended_s, await self._verdict(epoch))
            await self._host.tell("SOUR:HOLD 0")
            await asyncio.sleep(BETWEEN_S)

    async def _fit_to_begin(self) -> int:
        """The epoch, once there is light that nothing is held against; events are cleared."""
        async with asyncio.timeout(READY_WITHIN_S):
            while True:
                await self._host.tell(f"SOUR:HOLD {HOLD_OFF_S}")
                told = await self._said(f"STAT:OPER?;:STAT:QUES?;{CONDITIONS};:SOUR:EPOC?")
                if told is not None and int(told[2]) & EMITTING_BIT and int(told[3]) == 0:
                    return int(told[4])
                await asyncio.sleep(BETWEEN_S)

    async def _verdict(self, epoch: int) -> str:
        told = await self._said("SOUR:EPOC?;:STAT:QUES?;:STAT:OPER?;:STAT:OPER:COND?")
        if told is None:
            return "no answer"
        reasons = {
            "epoch": int(told[0]) != epoch,
            f"QUES {told[1]}": int(told[1]) != 0,
            "EMITTING ended": bool(int(told[2]) & EMITTING_BIT),
            "not EMITTING": not int(told[3]) & EMITTING_BIT,
        }
        return ", ".join(reason for reason, holds in reasons.items() if holds)

    async def _said(self, message: str) -> list[str] | None:
        self._forget()
        try:
            async with asyncio.timeout(PATIENCE_S):
                return (await self._host.ask(message)).split(";")
        except TimeoutError:
            return None


class Look(NamedTuple):
    """What was so at one instant."""

    at_s: float
    pointing: float  # share of what the emitter could give now
    given_cps: float  # by the emitter, to detectors that live
    best_cps: float  # what it could give
    laser: float  # share of the power that is set
    emitter: int  # the one nearest to the focus


class Truth:
    """Looks at the world all along."""

    def __init__(self, rack: Rack, clock: Callable[[], float], set_uw: float) -> None:
        self._world, self._clock, self._set_uw = rack.world, clock, set_uw
        self._looks: list[Look] = []

    async def watch(self) -> None:
        """For ever."""
        while True:
            self._looks.append(self._look(self._clock()))
            await asyncio.sleep(LOOK_EVERY_S)

    def _look(self, now_s: float) -> Look:
        emitter = nearest(self._world, now_s)
        seeing = sum(self._world.detectors.at(now_s)) / 2
        given, best = self._world.signal_cps(emitter, now_s)
        laser = self._world.laser_power_uw(now_s) / self._set_uw
        pointing = given / best if best else 1.0
        return Look(now_s, pointing, seeing * given, best, laser, emitter)

    def wrongs(self, block: Block) -> str:
        """Which limit was left for so long that a host must be told of it; empty for none."""
        looks = self._between(block.began_s, block.ended_s)
        usual_cps = max(look.best_cps for look in looks)
        left = {
            "laser": [abs(look.laser - 1.0) > 0.08 for look in looks],  # 0.05 is promised
            "brightness": [look.given_cps < 0.45 * usual_cps for look in looks],  # 0.5
            "pointing": [look.pointing < 0.8 for look in looks],  # 0.9
        }
        lasting = [name for name, outs in left.items() if _longest(outs) > TOLD_WITHIN_S]
        others = {look.emitter for look in looks if look.laser > LIT and look.pointing > FACED}
        return ", ".join([*lasting, *(["another emitter"] if len(others) > 1 else [])])

    def is_blameless(self, block: Block) -> bool:
        """Whether everything was well within its limits until the verdict."""
        looks = self._between(block.began_s, block.ended_s + VERDICT_AFTER_S)
        usual_cps = max(look.best_cps for look in looks)
        return all(
            abs(look.laser - 1.0) < 0.03
            and look.given_cps > 0.65 * usual_cps
            and look.pointing > 0.94
            for look in looks
        )

    def _between(self, since_s: float, until_s: float) -> list[Look]:
        return [look for look in self._looks if since_s <= look.at_s <= until_s]


LIT, FACED = 0.3, 0.3
TOLD_WITHIN_S = 1.6


def _longest(outs: Sequence[bool]) -> float:
    """Seconds on end, by looks that come at an even pace."""
    longest = now = 0
    for out in outs:
        now = now + 1 if out else 0
        longest = max(longest, now)
    return longest * LOOK_EVERY_S
