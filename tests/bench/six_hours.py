"""Six simulated hours of one stage move per second, sealed: how long, and the same each time?

    python tests/bench/six_hours.py [--seed N] [--hours H] [--through driver|controller]

Prints one JSON object. `driver`: the stage driver, its wire, the emulator. `controller`: a host
asks over SCPI, and the whole controller stands between it and the stage.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=6.0)
    parser.add_argument("--through", choices=("driver", "controller"), default="controller")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # hashes are salted before any code runs
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    sys.stdout.write(json.dumps(_measure(options)) + "\n")


def _measure(options: argparse.Namespace) -> dict[str, object]:
    import hil.rig  # noqa: F401 - NumPy draws a seed of its own when it is imported
    from hil.clock import JumpingLoop
    from hil.determinism import sealed

    moves = int(options.hours * 3600)
    began_s = time.perf_counter()
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, JumpingLoop)
        with sealed(loop):
            walk = _by_driver if options.through == "driver" else _by_controller
            events, digest = runner.run(walk(options.seed, moves))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "through": options.through,
        "seed": options.seed,
        "moves": moves,
        "wall_s": round(time.perf_counter() - began_s, 2),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "events": events,
        "event_log_sha256": digest,
    }


async def _by_driver(seed: int, moves: int) -> tuple[int, str]:
    from hil.rig import MemoryRig
    from hil.wires import Manners
    from optics.link import Patience
    from optics.pi_stage import PiStage, PiStageSettings
    from optics.quantities import StageBox, StagePoint

    travel = StageBox(StagePoint(0, 0, 0), StagePoint(200, 200, 200))
    rng, loop = random.Random(seed), asyncio.get_running_loop()
    async with MemoryRig(seed, Manners()) as rig:
        settings = PiStageSettings(axes=("1", "2", "3"), travel=travel)
        stage = PiStage(rig.in_memory["stage"], settings, Patience())
        await stage.connect()
        for second in range(1, moves + 1):
            await stage.move_to(StagePoint(*(rng.uniform(0, 200) for _ in range(3))))
            rig.log.note("truth", repr(rig.rack.stage.true_position_um()).encode())
            await asyncio.sleep(second - loop.time())
        await stage.aclose()
    return rig.log.events, rig.log.sha256


async def _by_controller(seed: int, moves: int) -> tuple[int, str]:
    from tests.rig.bench import powered

    rng, loop = random.Random(seed), asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        async with powered(Path(folder), seed) as bench:
            await bench.serve()
            for second in range(1, moves + 1):
                await bench.move(*(rng.uniform(0, 200) for _ in range(3)))
                assert await bench.errors() == '0,"No error"'
                bench.rig.log.note("truth", repr(bench.rig.rack.stage.true_position_um()).encode())
                await asyncio.sleep(second - loop.time())
    return bench.rig.log.events, bench.rig.log.sha256


if __name__ == "__main__":
    main()
