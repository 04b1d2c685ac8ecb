"""All-pairs correlation beside what others offer, in one run; and what the whole command costs.

    python tests/bench/photon_tags.py [--mtags N] [--rivals PYTHON]

Prints JSON; CPU seconds and millions of tags a second of one thread, bins of 100 ps. PYTHON is an
interpreter of an environment of its own with pytimetag, pycorrelate, tttrlib and numpy.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from optics.clicks import Clicks  # noqa: E402
from optics.close_pairs import Pairs  # noqa: E402
from optics.correlator import Binning  # noqa: E402
from optics.live_purity import LivePurity, Look  # noqa: E402
from optics.quantities import TagRun  # noqa: E402
from tests.accept.ptu_maker import BY_NAME, file, records  # noqa: E402

Int64s = NDArray[np.int64]
BIN_PS, CHUNK = 100, 1 << 16
ROUNDS = 5
LIVE_CPS = 5e6
# A process counts its parent's memory as its own until it begins: hence a small parent.
LAUNCHER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stdout.write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
"""
RIVALS = ("pytimetag", "tttrlib", "numpy all pairs", "pycorrelate")


class Load(NamedTuple):
    """Clicks of both detectors together, and how far pairs reach."""

    cps: float
    window_ps: int


LOADS = {"sparse": Load(2e6, 100_000), "dense": Load(20e6, 500_000)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mtags", type=float, default=8.0)
    parser.add_argument("--rivals", type=Path)
    options = parser.parse_args()
    count, rng = int(options.mtags * 1e6), np.random.default_rng(1)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, load in LOADS.items():
            times, channels = tags(load.cps, count, rng)
            results[name] = {"ours": core(times, channels, load.window_ps)}
            if options.rivals:
                path = Path(folder) / f"{name}.npz"
                np.savez(path, time_ps=times, channel=channels)
                results[name] |= rivals(options.rivals, path, load.window_ps)
        results["command"] = command(Path(folder), count, rng)
    results["live"] = live(rng)
    sys.stdout.write(json.dumps(results, indent=1) + "\n")


def tags(cps: float, count: int, rng: np.random.Generator) -> tuple[Int64s, NDArray[np.uint8]]:
    """Poisson light on two detectors."""
    times = np.cumsum(rng.exponential(1e12 / cps, count)).astype(np.int64)
    return times, rng.integers(0, 2, count).astype(np.uint8)


def core(times: Int64s, channels: NDArray[np.uint8], window_ps: int) -> dict[str, float]:
    """The counting alone, of clicks as they come, in the chunks in which files are read."""
    chunks = [
        Clicks(times[at : at + CHUNK], channels[at : at + CHUNK], int(times[at : at + CHUNK][-1]))
        for at in range(0, len(times), CHUNK)
    ]
    best, pairs = float("inf"), 0
    for _ in range(ROUNDS):  # the first of which compiles
        for clicks in chunks:
            vars(clicks).pop("_arms", None)  # what was worked out before
        counter = Pairs(Binning(BIN_PS, window_ps))
        start = time.process_time()
        for clicks in chunks:
            counter.add(clicks)
        pairs = int(counter.finish().sum())
        best = min(best, time.process_time() - start)
    return {"mtags_per_s": round(len(times) / best / 1e6, 1), "pairs": pairs}


def rivals(python: Path, path: Path, window_ps: int) -> dict[str, Any]:
    """Each in a process of its own; one that fails is told, not hidden."""
    script = Path(__file__).with_name("tag_rivals.py")
    found: dict[str, Any] = {}
    for name in RIVALS:
        words = [str(python), str(script), name, str(path), str(BIN_PS), str(window_ps)]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        found[name] = json.loads(done.stdout) if done.returncode == 0 else done.stderr[-200:]
    return found


def command(folder: Path, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """CPU seconds to start, and what each further tag costs in time and memory."""
    found: dict[str, Any] = {}
    start_s, _ = run(folder / "absent")
    found["start_up_cpu_s"] = round(start_s, 2)
    times, channels = tags(LOADS["sparse"].cps, 4 * count, rng)
    words = records(BY_NAME["MultiHarp T2"], times, channels.astype(np.int64))
    for kind in ("npz", "ptu"):
        costs = []
        for part in (count, 4 * count):
            path = folder / f"{part}.{kind}"
            if kind == "npz":
                np.savez(path, time_ps=times[:part], channel=channels[:part])
            else:
                path.write_bytes(file(BY_NAME["MultiHarp T2"], words[:part], 1e-12))
            costs.append(min(run(path) for _ in range(ROUNDS)))
        (short_s, small), (long_s, large) = costs
        found[kind] = {
            "cpu_s": [round(short_s, 2), round(long_s, 2)],
            "marginal_mtags_per_s": round(3 * count / (long_s - short_s) / 1e6, 1),
            "marginal_bytes_per_tag": round((large - small) / (3 * count), 3),
            "peak_mb": round(large / 1e6, 1),
        }
    return found


def run(path: Path) -> tuple[float, float]:
    """CPU seconds and peak bytes of the whole command."""
    words = [sys.executable, "-m", "controller", "g2", str(path), "--out", str(path) + ".json"]
    words += ["--channels", "0,1", "--mode", "cw", "--delay-ps", "0"]
    launched = [sys.executable, "-I", "-c", LAUNCHER, *words]
    done = subprocess.run(launched, check=True, cwd=ROOT, capture_output=True, text=True)
    cpu_s, peak_kb = done.stdout.split()[-2:]
    return float(cpu_s), float(peak_kb) * 1024


def live(rng: np.random.Generator) -> dict[str, float]:
    """Share of a core, for runs of a tenth of a second and one estimate a second."""
    estimate = LivePurity(Look(), over_s=10.0)
    times, channels = tags(LIVE_CPS, int(LIVE_CPS / 10), rng)
    piece = TagRun(times, channels, 0.1, 0)
    for k in range(10):
        estimate.add(piece, k / 10)
    estimate.purity()
    start = time.process_time()
    for k in range(10, 20):
        estimate.add(piece, k / 10)
    counted = time.process_time() - start
    estimate.purity()
    return {
        "cps": LIVE_CPS,
        "counting_share_of_core": round(counted, 3),
        "with_an_estimate_a_second": round(time.process_time() - start, 3),
    }


if __name__ == "__main__":
    main()
