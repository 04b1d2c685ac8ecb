"""gansource hil: every scenario with every seed, each in a process of its own, and the report."""

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from controller.commands.terminal import (
    BAD_INPUT,
    DONE,
    REFUSED,
    USAGE,
    complain,
    say,
)
from controller.records import ConfigMistakes
from hil import scenario

Run = tuple[str, int]
SHARE = "share "


def hil(options: argparse.Namespace) -> int:
    """Status 0 when all passed, 3 when something did not."""
    try:
        seeds = list(_seeds(options.seed))
        if options.speed != "max":
            float(options.speed)
    except ValueError as err:
        return complain(err, USAGE)
    try:
        for name in options.scenarios:
            scenario.load(name)
    except ConfigMistakes as err:
        return complain(err, BAD_INPUT)
    runs = [(name, seed) for name in options.scenarios for seed in seeds]
    found = asyncio.run(_all(runs, options.speed, options.jobs or os.cpu_count() or 1))
    report = json.dumps(found, indent=1) + "\n"
    if options.out is not None:
        whole(options.out, report)
    say(report if options.json else "\n".join(map(_in_words, found)))
    return DONE if all(run["passed"] for run in found) else REFUSED


def whole(path: Path, text: str) -> None:
    """Nobody ever sees a part of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.replace(path)


def _seeds(span: str) -> Iterator[int]:
    found = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", span)
    if not found or int(found[1]) > int(found[2] or found[1]):
        raise ValueError(f"--seed {span}: write a number, or the first and the last as 1..20")
    yield from range(int(found[1]), int(found[2] or found[1]) + 1)


async def _all(runs: list[Run], speed: str, jobs: int) -> list[dict[str, Any]]:
    """In the order given, however they end."""
    turn, shares = asyncio.Semaphore(jobs), dict.fromkeys(runs, 0.0)

    def told(run: Run, share: float) -> None:
        shares[run] = share
        if sys.stderr.isatty():
            done = sum(share >= 1.0 for share in shares.values())
            percent = 100 * sum(shares.values()) / len(shares)
            sys.stderr.write(f"\r{done} of {len(runs)} runs done, {percent:.0f} % of all \r")
            sys.stderr.flush()

    async def one(run: Run) -> dict[str, Any]:
        async with turn:
            return await _one(run, speed, lambda share: told(run, share))

    return await asyncio.gather(*map(one, runs))


async def _one(run: Run, speed: str, progress: Callable[[float], None]) -> dict[str, Any]:
    """In a process of its own: hashes unsalted, one thread, nothing shared."""
    name, seed = run
    words = ["-m", "hil", "drill", name, str(seed), speed]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, *words),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    if child.stdout is None or child.stderr is None:
        raise RuntimeError("a child without pipes")
    errors, last = asyncio.create_task(child.stderr.read()), b""
    async for line in child.stdout:
        if line.startswith(SHARE.encode()):
            progress(float(line.split()[1]))
        else:
            last = line
    await child.wait()
    progress(1.0)
    if child.returncode == 0:
        told: dict[str, Any] = json.loads(last)
        return told
    return _failed(name, seed, speed, (await errors).decode(errors="replace"))


def _failed(name: str, seed: int, speed: str, why: str) -> dict[str, Any]:
    """A run that did not come to its end has not passed, and says how it ended."""
    complain(f"{name}, seed {seed}: {why.strip()[-2000:]}", REFUSED)
    last = why.strip().splitlines()[-1:] or ["died"]
    check = {"name": f"ended by {last[0][:200]}", "value": None, "limit": 0, "passed": False}
    return {
        "scenario": name,
        "seed": seed,
        "speed": speed,
        "simulated_s": None,
        "wall_s": None,
        "event_log_sha256": None,
        "truth": {},
        "claims": {},
        "faults": [],
        "checks": [check],
        "passed": False,
    }


def _in_words(run: dict[str, Any]) -> str:
    verdict = "passed" if run["passed"] else "FAILED"
    first = f"{run['scenario']} seed {run['seed']}: {verdict}"
    if run["wall_s"]:
        pace = run["simulated_s"] / run["wall_s"]
        first += f", {run['simulated_s']:g} s in {run['wall_s']:g} s ({pace:.0f} x)"
    failed = [check for check in run["checks"] if not check["passed"]]
    lines = [f"  {check['name']} {check['limit']}: {check['value']}" for check in failed]
    return "\n".join([first, *lines])
