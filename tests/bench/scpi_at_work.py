"""SCPI while the controller surveys with camera frames, beside a bare asyncio protocol.

    python tests/bench/scpi_at_work.py [--for-s N] [--per-s N]

Starts `gansource run`, whose rig is a process of its own, and asks from its survey's first frame
on. Prints JSON: median, 99.9 % and worst of an exchange in milliseconds, of the controller and of
the protocol that understands nothing, asked in turns.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.scpi import Wire, child, percentile, terminal  # noqa: E402

QUESTIONS = (b"*IDN?\n", b"SOUR:STAT?;:MAP:PROG?;:FETC:BRIG?;:SYST:ERR?\n")
STATE = b"SOUR:STAT?\n"
BEGINS_WITHIN_S = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--for-s", type=float, default=60.0)
    parser.add_argument("--per-s", type=float, default=100.0)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory())
        words = (str(ROOT / "gansource"), "run", "--json", "--port", 0, "--data", data)
        found = json.loads(stack.enter_context(child(*words)))
        _, line = stack.enter_context(terminal())
        bare = (sys.executable, Path(__file__).with_name("scpi.py"), "--floor", line)
        least = stack.enter_context(child(*bare))
        ours, floor = Wire(found["scpi_tcp"]), Wire(least.strip())
        surveying(ours)
        taken = asked(ours, floor, options.for_s, options.per_s)
        sys.stdout.write(json.dumps(report(taken, said(ours)), indent=1) + "\n")


def said(wire: Wire) -> dict[str, Any]:
    """Where the controller stands at the end."""
    return {"state": text(wire, STATE), "survey": text(wire, b"MAP:PROG?\n")}


def text(wire: Wire, query: bytes) -> str:
    os.write(wire.descriptor, query)
    answer = b""
    while not answer.endswith(b"\n"):
        answer += os.read(wire.descriptor, 65536)
    return answer.decode().strip()


def surveying(wire: Wire) -> None:
    """Once the survey has seen its first frames."""
    end_s = time.perf_counter() + BEGINS_WITHIN_S
    while text(wire, b"MAP:PROG?\n").startswith("9.91E+37"):
        if time.perf_counter() > end_s:
            sys.exit(f"no survey within {BEGINS_WITHIN_S:g} s: {text(wire, STATE)}")
        time.sleep(0.2)


def asked(ours: Wire, floor: Wire, for_s: float, per_s: float) -> dict[str, list[float]]:
    """At an even pace, each question of both in turns."""
    taken: dict[str, list[float]] = {"ours": [], "floor": []}
    began_s, number = time.perf_counter(), 0
    while time.perf_counter() < began_s + for_s:
        question = QUESTIONS[number % len(QUESTIONS)]
        taken["ours"].append(ours.ask(question))
        taken["floor"].append(floor.ask(question))
        number += 1
        time.sleep(max(began_s + number / per_s - time.perf_counter(), 0.0))
    return taken


def report(taken: dict[str, list[float]], where: dict[str, Any]) -> dict[str, Any]:
    shown = {
        name: {
            "asked": len(values),
            "median_ms": round(statistics.median(values) * 1e3, 3),
            "p99.9_ms": round(percentile(values, 0.999) * 1e3, 3),
            "worst_ms": round(max(values) * 1e3, 3),
        }
        for name, values in taken.items()
    }
    return {**shown, "at_the_end": where}


if __name__ == "__main__":
    main()
