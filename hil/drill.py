"""One scenario, one seed: the whole controller on the rig, from power-on to verdict."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.claims import SILENT, Witness
from hil.hosts import MemoryHost, SerialHost
from hil.mischief import NotHere
from hil.report import checks
from hil.rig import MemoryRig, Rig, WiredRig
from hil.scenario import Fault, Scenario
from hil.stand import Stand
from hil.troubles import PERMANENT_S, TROUBLES, ordered
from hil.truth import Claim, Judge

Progress = Callable[[float], None]


@dataclass
class Happening:
    """A trouble that was begun, and what became of it; of one that stays, one recovers in it."""

    name: str
    at_s: float
    ends_s: float
    noticed_s: float | None = None
    recovered_s: float | None = None
    lost: list[str] = field(default_factory=list)

    def heard(self, claim: Claim, calm: Claim, now_s: float) -> None:
        """Noticed by a change of what is claimed; over once that is calm again."""
        if claim.state != calm.state or claim.fault:
            self.noticed_s = now_s if self.noticed_s is None else self.noticed_s
        elif self.recovered_s is None and self.noticed_s is not None and now_s >= self.ends_s:
            self.recovered_s = now_s

    def told(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "at_s": round(self.at_s, 3),
            "noticed_s": _since(self.noticed_s, self.at_s),
            "recovered_s": _since(self.recovered_s, self.at_s),
            "lost": self.lost,
        }


class Drill:
    """Asks as a host, looks at the truth, and lets happen what is to happen."""

    def __init__(
        self, scenario: Scenario, seed: int, rig: Rig, stand: Stand, witness: Witness
    ) -> None:
        self._scenario, self._seed = scenario, seed
        self._rig, self._stand, self._witness = rig, stand, witness
        self._judge = Judge(rig.rack.world, seed, scenario.look_every_s)
        self._claim = self._calm = SILENT
        self._happenings: list[Happening] = []
        self._sites = 0
        stand.restarted = self._judge.restarted

    async def run(self, progress: Progress) -> dict[str, Any]:
        """Until it has settled and all of the scenario's time is over."""
        scenario, clock = self._scenario, self._rig.clock
        settled = await self._until(scenario.settled_within_s, settle=True, progress=progress)
        settled_s = clock()
        if settled:
            self._calm = self._claim
            self._sites = await self._witness.sites() or 0
            await self._witness.leave_a_fact()
            self._plan()
            await self._until(settled_s + scenario.for_s, settle=False, progress=progress)
        return await self._told(settled_s if settled else None)

    async def _until(self, end_s: float, *, settle: bool, progress: Progress) -> bool:
        clock, asked_s, every_s = self._rig.clock, self._rig.clock(), self._scenario.ask_every_s
        began_s = asked_s
        while clock() < end_s:
            await asyncio.sleep(min(every_s, end_s - clock()))
            claim, now_s = await self._witness.claim(), clock()
            self._judge.look(asked_s, now_s, claim if claim.state == self._claim.state else SILENT)
            self._claim, asked_s = claim, now_s
            for happening in self._happenings:
                happening.heard(claim, self._calm, now_s)
            progress((now_s - began_s) / (end_s - began_s))
            if settle and claim.shines:
                return True
        return not settle

    def _plan(self) -> None:
        loop = asyncio.get_running_loop()
        for fault in (*self._scenario.fault, *drawn(self._scenario, self._seed)):
            loop.call_later(fault.at_s, self._begin, fault)
        for word in self._scenario.say:
            loop.call_later(word.at_s, self._say, word.scpi)

    def _say(self, message: str) -> None:
        asyncio.get_running_loop().create_task(self._witness.say(message))

    def _begin(self, fault: Fault) -> None:
        order = ordered(fault.name, fault.for_s, fault.severity, fault.device, fault.axis)
        now_s = self._rig.clock()
        lasts_s = 0.0 if order.for_s >= PERMANENT_S else order.for_s
        happening = Happening(fault.name, now_s, now_s + lasts_s)
        self._happenings.append(happening)
        try:
            end = TROUBLES[fault.name].begin(self._stand, order)
        except NotHere as err:
            happening.lost.append(f"not begun: {err}")
            return
        asyncio.get_running_loop().call_later(order.for_s, end)

    async def _told(self, settled_s: float | None) -> dict[str, Any]:
        now_s = self._rig.clock()
        claims = await self._witness.all_claims()
        lost = await self._witness.lost_facts(self._sites) if settled_s is not None else []
        if self._happenings and lost:
            self._happenings[-1].lost += lost
        truth = self._judge.verdict(now_s)
        faults = [happening.told() for happening in self._happenings]
        extra = {
            "settled_s": settled_s,
            "brightness_sd_share": self._judge.brightness_sd_share(),
            "facts_lost": len(lost),
            "crashes": self._stand.crashes,
            "shines": float(self._claim.shines),
        }
        judged = checks(self._scenario, truth, faults, extra)
        return {
            "simulated_s": round(now_s, 3),
            "event_log_sha256": self._rig.log.sha256,
            "truth": truth,
            "claims": claims,
            "faults": faults,
            "checks": judged,
            "passed": all(check["passed"] for check in judged),
        }


def drawn(scenario: Scenario, seed: int) -> list[Fault]:
    """Troubles at random: a Poisson process, devices and axes evenly."""
    chance, rng, faults = scenario.chance, random.Random(f"{seed} troubles"), list[Fault]()
    names = chance.names or tuple(TROUBLES)
    at_s = rng.expovariate(chance.per_h / 3600.0) if chance.per_h else scenario.for_s
    while at_s < scenario.for_s - chance.quiet_s:
        device = rng.choice(("stage", "board", "laser", "camera", "tagger"))
        faults.append(Fault(rng.choice(names), at_s, device=device, axis=rng.choice("xyz")))
        at_s += rng.expovariate(chance.per_h / 3600.0)
    return faults


async def drilled(
    scenario: Scenario, seed: int, data: Path, progress: Progress, *, memory: bool
) -> dict[str, Any]:
    """On the jumping clock in memory, or else on pseudo-terminals and TCP."""
    async with AsyncExitStack() as stack:
        rig: Rig
        if memory:
            rig = await stack.enter_async_context(
                in_memory := MemoryRig(seed, scenario.wires, scenario.world)
            )
            host: MemoryHost | SerialHost = MemoryHost(in_memory.scpi_port)
        else:
            rig = await stack.enter_async_context(
                wired := WiredRig(seed, scenario.wires, scenario.world)
            )
            host = await SerialHost.opened(wired.scpi_serial)
            stack.push_async_callback(host.aclose)
        port = -1 if memory else 0
        stand = Stand(rig, data, lambda: rig.config(port, **scenario.controller))
        stack.push_async_callback(stand.aclose)
        await stand.start()
        return await Drill(scenario, seed, rig, stand, Witness(host, host.forget)).run(progress)


def _since(then_s: float | None, at_s: float) -> float | None:
    return None if then_s is None else round(then_s - at_s, 3)
