"""Random troubles on the rig alone, in seconds that jump, while all its drivers talk to it.

    python tests/rig/fault_scripts.py 4711 [LAST]

plays the script of that seed, or of all from that one to LAST, and says what went wrong. Whatever
happens, no emulator may fail, stay silent once all is over, or leave anything behind.
"""

import asyncio
import gc
import random
import sys
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from hil.clock import JumpingLoop
from hil.mischief import NotHere
from hil.nature import (
    CameraNature,
    ChipNature,
    LaserNature,
    OpticsNature,
    StageNature,
    WorldNature,
)
from hil.rig import MemoryRig
from hil.troubles import TROUBLES, ordered
from hil.wires import Manners, Wire
from tests.rig.talkers import Talkers

SMALL = WorldNature(
    chip=ChipNature(width_um=20.0, sites_per_um2=0.05, dislocations=1),
    optics=OpticsNature(),
    laser=LaserNature(warm_up_s=0.3),
    stage=StageNature(startup_s=1.0),
    camera=CameraNature(width_px=32, height_px=32, startup_s=0.5),
)
DEVICES = ("stage", "board", "laser", "camera", "tagger")
LASTS_S, LONGEST_S, MOST_TROUBLES = 1.5, 1.0, 6
BACK_WITHIN_S, DARK_WITHIN_S = 60.0, 0.6


class Trouble(NamedTuple):
    """One of a script."""

    at_s: float
    name: str
    for_s: float
    severity: float
    device: str
    axis: str


class Outcome(NamedTuple):
    """What became of a script: its events, and all that should not have been."""

    sha256: str
    events: int
    complaints: list[str]


def script(seed: int) -> list[Trouble]:
    """Of one seed: a few troubles of any kind and strength, which may fall together."""
    rng = random.Random(f"{seed} script")
    return sorted(_drawn(rng) for _ in range(rng.randint(1, MOST_TROUBLES)))


def _drawn(rng: random.Random) -> Trouble:
    name = rng.choice(list(TROUBLES))
    severity = TROUBLES[name].severity * 10.0 ** rng.uniform(-0.5, 0.3)
    if TROUBLES[name].severity_is.startswith(("share", "chance")):
        severity = min(severity, 1.0)
    for_s = 10.0 ** rng.uniform(-3.0, 0.0) * LONGEST_S
    at_s, device, axis = rng.uniform(0.0, LASTS_S), rng.choice(DEVICES), rng.choice("xyz")
    return Trouble(round(at_s, 4), name, round(for_s, 4), severity, device, axis)


def played(seed: int) -> Outcome:
    """On a loop of its own, looked over for what is left of it."""
    loop = JumpingLoop()
    complaints: list[str] = []
    loop.set_exception_handler(lambda _loop, told: complaints.append(_words(told)))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        rig, outcome = runner.run(_played(seed, complaints))
        complaints += [f"a task is left: {task!r}" for task in asyncio.all_tasks(loop)]
        complaints += [f"a timer is left: {timer!r}" for timer in _timers(loop)]
    remains = [weakref.ref(thing) for thing in (rig, rig.rack, rig.rack.world, *rig.wires.values())]
    del rig
    gc.collect()
    complaints += [f"never let go: {left!r}" for left in (ref() for ref in remains) if left]
    return outcome


async def _played(seed: int, complaints: list[str]) -> tuple[MemoryRig, Outcome]:
    async with MemoryRig(seed, Manners(), SMALL) as rig:
        ground = Ground(rig, seed)
        for trouble in script(seed):
            asyncio.get_running_loop().call_later(trouble.at_s, ground.begin, trouble)
        await asyncio.sleep(LASTS_S + LONGEST_S + 0.1)
        complaints += await ground.talkers.last_words(BACK_WITHIN_S)
        await ground.talkers.aclose()
        complaints += ground.talkers.defects
        await asyncio.sleep(DARK_WITHIN_S)
        if power_uw := rig.rack.world.laser_power_uw(rig.clock()):
            complaints.append(f"{power_uw:.0f} uW shine for nobody")
    complaints += [f"{name} is still open" for name, wire in rig.wires.items() if _open(wire)]
    return rig, Outcome(rig.log.sha256, rig.log.events, complaints)


class Ground:
    """What troubles happen to; the drivers stand for the controller, and die with it."""

    def __init__(self, rig: MemoryRig, seed: int) -> None:
        self.rack, self.clock = rig.rack, rig.clock
        self.wires: Mapping[str, Wire] = rig.wires
        self.talkers = Talkers(rig, seed)
        self._deaths = 0
        self.talkers.start()

    def begin(self, trouble: Trouble) -> None:
        order = ordered(trouble.name, *trouble[2:])
        with suppress(NotHere):
            end = TROUBLES[trouble.name].begin(self, order)
            asyncio.get_running_loop().call_later(trouble.for_s, end)

    def kill(self) -> None:
        """Their wires go dead with them."""
        self._deaths += 1
        for wire in self.wires.values():
            wire.cut()
        self.talkers.die()
        for wire in self.wires.values():
            wire.mend()

    def revive(self) -> None:
        self._deaths -= 1
        if not self._deaths:
            self.talkers.start()

    def fill_disk(self, *, full: bool) -> None:
        raise NotHere(f"no disk ({full})")

    def shift_clock(self, by_s: float) -> None:
        raise NotHere(f"no wall clock ({by_s:g} s)")


def _open(wire: Any) -> bool:
    return bool(wire.port.connected)


def _timers(loop: JumpingLoop) -> list[asyncio.TimerHandle]:
    return [timer for _, _, timer in loop._timers if not timer.cancelled()]  # noqa: SLF001


def _words(told: Mapping[str, Any]) -> str:
    error = told.get("exception")
    return f"{told['message']}: {type(error).__name__}: {error}"


def failures(first: int, last: int) -> list[str]:
    """Of all scripts of these seeds, each with what replays it."""
    gc.collect()
    gc.freeze()
    outcomes = ((seed, played(seed)) for seed in range(first, last + 1))
    found = [
        f"python tests/rig/fault_scripts.py {seed}: {'; '.join(outcome.complaints)}"
        for seed, outcome in outcomes
        if outcome.complaints
    ]
    gc.unfreeze()
    return found


def main() -> int:
    first = int(sys.argv[1])
    if len(sys.argv) > 2:
        found = failures(first, int(sys.argv[2]))
        sys.stdout.write("".join(f"{line}\n" for line in found))
        return len(found) > 0
    for trouble in script(first):
        sys.stdout.write(f"{trouble}\n")
    outcome = played(first)
    sys.stdout.write(f"{outcome}\n")
    return len(outcome.complaints) > 0


if __name__ == "__main__":
    sys.exit(main())
