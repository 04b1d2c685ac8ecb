"""How much faster than real time the whole controller runs on the rig, in each of its states.

    python tests/bench/states.py [SCENARIO] [--seed N] [--for-s S] [--profile STATE]

Prints one JSON object: simulated seconds, CPU seconds of the process, and their ratio, by the state
that a host was told at the end of each half second. One core, sealed, the jumping clock.
"""

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default="first-light")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--for-s", type=float, default=60.0)
    parser.add_argument("--profile", default="")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # hashes are salted before any code runs
        environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = str(ROOT)
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    watch = Watch(options.profile)
    passed = _drilled(options, watch)
    sys.stdout.write(json.dumps({"passed": passed, **watch.told()}, indent=1) + "\n")
    if options.profile:
        for order in ("tottime", "cumtime"):
            pstats.Stats(watch.profile).sort_stats(order).print_stats(60)


@dataclass
class Watch:
    """Adds up time and CPU from one claim of the controller to the next."""

    profiled: str
    profile: cProfile.Profile = field(default_factory=lambda: cProfile.Profile(time.process_time))
    spent: dict[str, list[float]] = field(default_factory=dict)
    _at: tuple[float, float] = (0.0, 0.0)

    def note(self, state: str) -> None:
        """It says that it is in this state now."""
        if self.profiled:
            self.profile.disable()
        now = asyncio.get_running_loop().time(), time.process_time()
        sums = self.spent.setdefault(state, [0.0, 0.0])
        for index in (0, 1):
            sums[index] += now[index] - self._at[index]
        self._at = now
        if state == self.profiled:
            self.profile.enable()

    def told(self) -> dict[str, dict[str, float]]:
        return {
            state: {
                "simulated_s": round(simulated_s, 1),
                "cpu_s": round(cpu_s, 2),
                "times_real_time": round(simulated_s / max(cpu_s, 1e-3), 1),
            }
            for state, (simulated_s, cpu_s) in self.spent.items()
        }


def _drilled(options: argparse.Namespace, watch: Watch) -> bool:
    from hil import drill, scenario
    from hil.claims import Witness
    from hil.clock import JumpingLoop
    from hil.determinism import sealed

    class Watched(Witness):
        async def claim(self) -> Any:
            claim = await super().claim()
            watch.note(claim.state)
            return claim

    wanted = replace(scenario.load(options.scenario), for_s=options.for_s)
    loop = JumpingLoop()
    with tempfile.TemporaryDirectory() as data, asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop()
        with sealed(loop), mock.patch.object(drill, "Witness", Watched):
            run = drill.drilled(wanted, options.seed, Path(data), lambda _share: None, memory=True)
            return bool(runner.run(run)["passed"])


if __name__ == "__main__":
    main()
