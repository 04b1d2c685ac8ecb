"""How much faster than real time the rig is, without a controller, and where the time goes.

    python tests/bench/control_steps.py [--seconds S] [--seed N] [--profile NAME]

Real drivers, their wires in memory, the emulators with the board's own firmware, and one emitter
of the world in the focus under a lit laser. A control step moves the stage by some nanometres,
waits until it stands, and reads the gates that have ended since; the product's keeper renews the
lease, and once a second the laser is asked for its state and power, which is six exchanges. Gates
are as long as a step, so every photon is counted. With frames the lens is flipped for each, too.
Prints one JSON object; the floor is the bare loop with as many timers and half as many futures.
CPU seconds of the process, one core.
"""

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import random
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hil.rig import MemoryRig
    from optics.quantities import StagePoint

ROOT = Path(__file__).parents[2]
POWER_UW, LEASE_S, WANDER_UM = 1300.0, 0.5, 0.01
LAPS = 10  # of each run; the best says what the machine can, the median what it does meanwhile


@dataclass(frozen=True)
class Pace:
    """So many steps a second, for so much of the time asked for, perhaps with frames."""

    steps_per_s: int
    share: float
    frames: bool = False


PACES = {
    "10 steps a second": Pace(10, 1.0),
    "1 step a second": Pace(1, 5.0),
    "10 steps a second, a frame each second": Pace(10, 0.25, frames=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", choices=PACES)
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # hashes are salted before any code runs
        environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = str(ROOT)
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    if options.profile:
        _profiled(options.seed, PACES[options.profile], options.seconds)
        return
    told = {
        name: _measured(options.seed, pace, options.seconds * pace.share)
        for name, pace in PACES.items()
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


def _profiled(seed: int, pace: Pace, seconds: float) -> None:
    profile = cProfile.Profile(time.process_time)
    _run(lambda: _steps(seed, pace, seconds, profile))
    for order in ("tottime", "cumtime"):
        pstats.Stats(profile).sort_stats(order).print_stats(90)


def _measured(seed: int, pace: Pace, seconds: float) -> dict[str, object]:
    seen = _run(lambda: _steps(seed, pace, seconds, None))
    floors_s = [_run(lambda: _timed(_floor(seen.events // LAPS))) for _ in range(LAPS)]
    steps = seconds * pace.steps_per_s
    best_s, median_s = (LAPS * cpu_s for cpu_s in (min(seen.laps_s), median(seen.laps_s)))
    return {
        "simulated_s": seconds,
        "times_real_time": {"best": round(seconds / best_s), "median": round(seconds / median_s)},
        "ms_of_cpu_a_step": {
            "best": round(best_s / steps * 1e3, 3),
            "median": round(median_s / steps * 1e3, 3),
        },
        "clicks_a_step": round(seen.clicks / steps),
        "events_a_step": round(seen.events / steps, 1),
        "floor_times_real_time": {
            "best": round(seconds / LAPS / min(floors_s)),
            "median": round(seconds / LAPS / median(floors_s)),
        },
        "event_log_sha256": seen.digest,
    }


def _run(act: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    import hil.rig  # noqa: F401 - NumPy draws a seed of its own when it is imported
    from hil.clock import JumpingLoop
    from hil.determinism import sealed

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, JumpingLoop)
        with sealed(loop):
            return runner.run(act())


class Seen(NamedTuple):
    """What a run of steps was."""

    laps_s: list[float]
    clicks: int
    events: int
    digest: str


async def _steps(seed: int, pace: Pace, seconds: float, profile: cProfile.Profile | None) -> Seen:
    from hil.rig import MemoryRig
    from hil.wires import Manners

    async with MemoryRig(seed, Manners()) as rig:
        await asyncio.sleep(15.0)  # until every device has started
        walk = Walk(rig, seed, pace)
        await walk.begin()
        events = rig.log.events
        if profile:
            profile.enable()
        laps_s = [await _timed(walk.go(seconds / LAPS)) for _ in range(LAPS)]
        if profile:
            profile.disable()
        events = rig.log.events - events
        await walk.end()
    return Seen(laps_s, walk.clicks, events, rig.log.sha256)


class Walk:
    """Drivers joined to a rig, and the steps they make."""

    def __init__(self, rig: "MemoryRig", seed: int, pace: Pace) -> None:
        from controller.lease_keeper import LeaseKeeper
        from optics.cobolt_laser import CoboltLaser
        from optics.frame_camera import CameraSettings, FrameCamera
        from optics.io_board import IoBoard, IoBoardSettings
        from optics.link import Patience
        from optics.pi_stage import PiStage, PiStageSettings
        from optics.quantities import StageBox, StagePoint

        travel = StageBox(StagePoint(0, 0, 0), StagePoint(200, 200, 200))
        piezo = PiStageSettings(axes=("1", "2", "3"), travel=travel)
        settings = IoBoardSettings((1.5e-4,) * 3, 20_000.0, lease_s=LEASE_S)
        wires, patience = rig.in_memory, Patience()
        self.stage = PiStage(wires["stage"], piezo, patience)
        self.board = IoBoard(wires["board"], settings, patience)
        self.laser = CoboltLaser(wires["laser"], patience)
        self.camera = FrameCamera(wires["camera"], CameraSettings(), patience)
        self.keeper = LeaseKeeper(self.board, LEASE_S)
        self.clicks = 0
        self._rig, self._pace, self._rng = rig, pace, random.Random(seed)
        self._at = StagePoint(0, 0, 0)

    async def begin(self) -> None:
        """Lit, warm, and on the best emitter near the middle."""
        for device in (self.stage, self.board, self.laser, self.camera):
            await device.connect()
        await self.board.set_gate(1.0 / self._pace.steps_per_s)
        await self.board.offset(0.0, 0.0, 0.0)
        await self.laser.set_power(POWER_UW)
        await self.laser.switch(on=True)
        await asyncio.sleep(10.0)
        await self.stage.move_to(type(self._at)(100, 100, 100))
        self._at = _brightest(self._rig)
        await self.stage.move_to(self._at)
        await self.keeper.light()
        await asyncio.sleep(2.0)
        await self.board.gates()

    async def go(self, seconds: float) -> None:
        """So long, at the pace."""
        loop = asyncio.get_running_loop()
        began_s, pace = loop.time(), self._pace.steps_per_s
        frame: asyncio.Task[None] | None = None
        for step in range(round(seconds * pace)):
            if step % pace == 0:
                status = await self.laser.status()
                assert status.emitting
                assert self.keeper.lit
                if frame:
                    frame.result()
                frame = asyncio.create_task(self._frame()) if self._pace.frames else None
            await self._step()
            await asyncio.sleep(began_s + (step + 1) / pace - loop.time())

    async def _step(self) -> None:
        aside = (um + self._rng.gauss(0.0, WANDER_UM) for um in self._at)
        await self.stage.move_to(type(self._at)(*aside))
        for gate in await self.board.gates():
            self.clicks += sum(gate.clicks)

    async def _frame(self) -> None:
        await self.board.widen(wide=True)
        await self.camera.frame(0.1)
        await self.board.widen(wide=False)

    async def end(self) -> None:
        """Dark, and every wire given back."""
        await self.keeper.darken()
        for device in (self.stage, self.board, self.laser, self.camera):
            await device.aclose()


def _brightest(rig: "MemoryRig") -> "StagePoint":
    """Where the stage must stand for the best lonely steady emitter near the middle."""
    import numpy as np

    from optics.quantities import StagePoint

    world, now_s = rig.rack.world, rig.clock()
    emitters = world.scene(now_s).chip.emitters
    near = np.hypot(*(emitters.place_um - world.focus_um(now_s))[:, :2].T) < 60.0
    steady = near & emitters.is_single & ~emitters.jumps & ~emitters.blinks
    low_nm, high_nm = world.nature.optics.filter_nm
    passes = (emitters.wavelength_nm > low_nm + 5.0) & (emitters.wavelength_nm < high_nm - 5.0)
    best = np.argmax(emitters.saturated_cps * steady * passes)
    return StagePoint(*world.aim_um(emitters.place_um[best], now_s).tolist())


async def _timed(act: Coroutine[Any, Any, None]) -> float:
    """Seconds of CPU."""
    began_s = time.process_time()
    await act
    return time.process_time() - began_s


async def _floor(events: int) -> None:
    """The bare loop: a timer for every piece that arrived, a future for every two of them."""
    loop = asyncio.get_running_loop()
    for _ in range(events // 2):
        answer: asyncio.Future[bytes] = loop.create_future()
        loop.call_later(5e-4, loop.call_later, 5e-4, answer.set_result, b"x")
        await answer


if __name__ == "__main__":
    main()
