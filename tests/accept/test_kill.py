"""The process is killed at any moment: what it had acknowledged is there at the next start."""

import asyncio
import json
import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from controller.ledger import Ledger
from controller.store import DATABASE, Store, StoreBusy

ROOT = Path(__file__).parents[2]
KILLS, LONGEST_S = 25, 0.02

Child = subprocess.Popen[str]


@contextmanager
def started(*words: str | Path, **environ: str) -> Iterator[Child]:
    """A Python of its own in the clone; killed, if it is still there at the end."""
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def writer(folder: Path) -> Any:
    return started("-m", "tests.accept.label_writer", folder)


def numbers(child: Child, pattern: str) -> list[int]:
    """The numbers in the child's next line of that form."""
    assert child.stdout
    for line in child.stdout:
        if found := re.fullmatch(pattern, line.rstrip()):
            return [int(number) for number in found.groups()]
    pytest.fail(f"it ended with {child.wait()} before it said {pattern!r}")


def killed(child: Child, after_s: float) -> str:
    """Let it live that long; then the rest of what it had said."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(after_s)
    child.kill()
    assert child.stdout
    return child.stdout.read()


def runs(folder: Path) -> list[tuple[Any, ...]]:
    with closing(Ledger(folder / DATABASE)) as ledger:
        assert ledger.read("PRAGMA integrity_check") == [("ok",)]
        return ledger.read("SELECT id, how FROM run ORDER BY id")


def test_killed_at_any_moment_it_keeps_what_it_acknowledged(
    tmp_path: Path, rng: random.Random
) -> None:
    acknowledged = 0
    for start in range(1, KILLS + 1):
        with writer(tmp_path) as child:
            run, label = numbers(child, r"run (\d+) label (\d+)")
            assert run == start
            assert label in (acknowledged, acknowledged + 1), "the last one said, or one not said"
            said = killed(child, after_s=rng.uniform(0, LONGEST_S))
        acknowledged = max([label, *map(int, re.findall(r"acknowledged (\d+)\n", said))])
    assert acknowledged > KILLS, "it got to write"
    assert runs(tmp_path) == [(run, None) for run in range(1, KILLS + 1)]


def test_killed_before_it_has_said_a_word(tmp_path: Path, rng: random.Random) -> None:
    """The folder, the lock, the schema and the first run are made in this time."""
    for _ in range(5):
        with writer(tmp_path) as child:
            killed(child, after_s=rng.uniform(0.05, 0.15))
    with writer(tmp_path) as child:
        [run, _] = numbers(child, r"run (\d+) label (\d+)")
    assert runs(tmp_path) == [(number, None) for number in range(1, run + 1)]


def test_another_process_has_it(tmp_path: Path) -> None:
    with writer(tmp_path) as child:
        numbers(child, r"acknowledged (\d+)")
        with pytest.raises(StoreBusy, match=rf"process id {child.pid} .*--data"):
            asyncio.run(Store.open(tmp_path))
        killed(child, after_s=0)
    asyncio.run(opened_and_closed(tmp_path))


async def opened_and_closed(folder: Path) -> None:
    await (await Store.open(folder)).aclose()


def test_a_disk_that_fills_up_and_is_emptied(tmp_path: Path) -> None:
    with writer(tmp_path) as child:
        [before] = numbers(child, r"acknowledged (\d+)")
        full = (tmp_path / f"{DATABASE}-wal").stat().st_size + 10_000
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
        [refused] = numbers(child, r"refused (\d+)")
        assert refused > before
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        [after] = numbers(child, r"acknowledged (\d+)")
        assert after > refused
    with writer(tmp_path) as child:
        [label] = numbers(child, r"run 2 label (\d+)")
        assert label >= after


class Controller:
    """The whole product, on its rig, and a host on its TCP line."""

    def __init__(self, child: Child) -> None:
        assert child.stdout
        found = json.loads(child.stdout.readline())
        self.child, self.run = child, found["run_id"]
        name, _, port = found["scpi_tcp"].rpartition(":")
        self._line = socket.create_connection((name, int(port)), timeout=60)

    def ask(self, message: str) -> str:
        self._line.sendall(message.encode() + b"\n")
        with self._line.makefile() as answers:
            return answers.readline().rstrip()

    def end(self, by: signal.Signals) -> int:
        self.child.send_signal(by)
        status = self.child.wait(60)
        self._line.close()
        return status


@contextmanager
def product(folder: Path) -> Iterator[Controller]:
    """What a killed rig leaves of its pseudo-terminals' names goes where the test's files go."""
    words = ("-m", "hil", "run", "--data", folder / "data", "--port", "0", "--json")
    with started(*words, TMPDIR=str(folder)) as child:
        yield Controller(child)


def test_the_product_is_killed_and_keeps_its_label(tmp_path: Path) -> None:
    label = ""
    for run in (1, 2, 3):
        with product(tmp_path) as controller:
            assert controller.run == run
            assert controller.ask("SYST:LAB?") == f'"{label}"'
            label = f"after kill {run}"
            assert controller.ask(f'SYST:LAB "{label}";LAB?') == f'"{label}"'
            assert controller.end(by=signal.SIGKILL) == -signal.SIGKILL
    with product(tmp_path) as controller:
        assert controller.ask("SYST:LAB?;ERR?") == f'"{label}";0,"No error"'
        assert controller.end(by=signal.SIGTERM) == 0
    assert runs(tmp_path / "data") == [(1, None), (2, None), (3, None), (4, "clean")]
