"""One run in a process of its own: sealed on the jumping clock, or on real wires at some pace."""

import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hil import scenario
from hil.clock import JumpingLoop, ScaledLoop
from hil.determinism import sealed
from hil.drill import drilled
from hil.front import SHARE


def main(name: str, seed: int, speed: str) -> int:
    """Lines of progress, then the report on one line."""
    wanted, told = scenario.load(name), -1

    def progress(share: float) -> None:
        nonlocal told
        if int(100 * share) > told:
            told = int(100 * share)
            sys.stdout.write(f"{SHARE}{share:.2f}\n")
            sys.stdout.flush()

    folder = Path(tempfile.mkdtemp(prefix="gansource-drill-"))
    began_s = time.perf_counter()
    try:
        found = _ran(wanted, seed, speed, folder, progress)
    finally:
        shutil.rmtree(folder)
    wall_s = round(time.perf_counter() - began_s, 3)
    head = {"scenario": name, "seed": seed, "speed": speed if speed == "max" else float(speed)}
    report = {**head, "simulated_s": found.pop("simulated_s"), "wall_s": wall_s, **found}
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


def _ran(
    wanted: scenario.Scenario,
    seed: int,
    speed: str,
    folder: Path,
    progress: Callable[[float], None],
) -> dict[str, Any]:
    memory = speed == "max"
    loop = JumpingLoop() if memory else ScaledLoop(float(speed))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop()
        seal = sealed(loop) if isinstance(loop, JumpingLoop) else contextlib.nullcontext()
        with seal:
            return runner.run(drilled(wanted, seed, folder, progress, memory=memory))
