"""How many time tags a second come through driver, wire and emulator; how quick a laser's status.

    python tests/bench/tags.py [--cps N] [--seconds S]

Prints one JSON object, one core, in the jumping clock. Time is the process's own. The clicks are
made beforehand, so that no world is timed; `words` is the merging of the channels alone.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from hil.clock import JumpingLoop
from hil.emulators.cobolt import FINE, Cobolt
from optics.cobolt_laser import CoboltLaser
from optics.link import Patience
from optics.tag_words import merged
from tests.plugged import plugged_in
from tests.tagger_bench import Bench

STATUSES = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cps", type=float, default=3e6, help="of both channels together")
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        results = runner.run(_tags(options.cps / 2, options.seconds)) | runner.run(_statuses())
    sys.stdout.write(json.dumps(results, indent=1) + "\n")


async def _tags(cps: float, for_s: float) -> dict[str, object]:
    bench = Bench(cps)
    made = bench.clicks.tags(0.0, for_s + 60.0)
    bench.unit._tags = lambda since_s, until_s: _between(made, since_s, until_s)  # noqa: SLF001
    async with bench.on_its_wires(seed=1):
        await bench.tagger.tags(0.1)
        began_s = time.process_time()
        run = await bench.tagger.tags(for_s)
        took_s = time.process_time() - began_s
    words = [[run.time_ps[run.channel == at].astype("<u8").tobytes()] for at in (0, 1)]
    began_s = time.process_time()
    merged(words, round(for_s * 1e12))
    return {
        "tags": len(run.time_ps),
        "lost": run.lost,
        "tags_per_cpu_s": round(len(run.time_ps) / took_s),
        "words_tags_per_cpu_s": round(len(run.time_ps) / (time.process_time() - began_s)),
    }


def _between(
    made: tuple[np.ndarray, np.ndarray], since_s: float, until_s: float
) -> tuple[np.ndarray, np.ndarray]:
    first, end = np.searchsorted(made[0], (round(since_s * 1e12), round(until_s * 1e12)))
    return made[0][first:end], made[1][first:end]


async def _statuses() -> dict[str, object]:
    unit = Cobolt(FINE, asyncio.get_running_loop().time, 1, lambda _at_s, _uw: None)
    async with plugged_in("laser", unit, 1) as (_wire, opener):
        laser = CoboltLaser(opener, Patience())
        await asyncio.sleep(100)
        await laser.connect()
        began_s = time.process_time()
        for _ in range(STATUSES):
            await laser.status()
        took_s = time.process_time() - began_s
        await laser.aclose()
    return {"laser_status_us": round(took_s / STATUSES * 1e6)}


if __name__ == "__main__":
    main()
