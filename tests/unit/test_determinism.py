"""A sealed run: what could make it differ next time is refused, and the clock is the loop's."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

OFFENCES = (
    "threading.Thread(target=int).start()",
    "concurrent.futures.ThreadPoolExecutor(1).submit(int)",
    "_thread.start_new_thread(int, ())",
    "socket.socket()",
    "socket.socketpair()",
    "subprocess.run(['true'])",
    "os.system('true')",
    "os.fork() or os._exit(0)",
    "time.sleep(0)",
    "random.random()",
    "random.shuffle([1, 2])",
    "random.seed(1)",
    "random.SystemRandom().random()",
    "secrets.token_hex()",
    "os.urandom(1)",
    "os.getrandom(1)",
    "uuid.uuid4()",
    "numpy.random.default_rng()",
)
CLOCKS = {
    "time.time()": 1_767_225_600 + 90.0,
    "time.time_ns()": (1_767_225_600 + 90) * 10**9,
    "time.monotonic()": 90.0,
    "time.monotonic_ns()": 90 * 10**9,
    "time.perf_counter()": 90.0,
    "time.perf_counter_ns()": 90 * 10**9,
    "logging.makeLogRecord({}).created": 1_767_225_600 + 90.0,
}
SEEDED = "random.Random(7).random()"
CHILD = """
import _thread, asyncio, concurrent.futures, json, logging, os, random, secrets, socket
import subprocess, sys, threading, time, uuid
import numpy.random
from hil.clock import JumpingLoop
from hil.determinism import NotDeterministic, sealed

def outcome(expression):
    try:
        return eval(expression)
    except NotDeterministic as refusal:
        return f"refused: {refusal}"

def attempt():
    with sealed(loop):
        return "sealed"

FREE = "os.system('true') or time.sleep(0) or random.random()"
loop = JumpingLoop()
loop.run_until_complete(asyncio.sleep(90))
found = {"unsealed before": outcome(FREE)}
with sealed(loop):
    found |= {expression: outcome(expression) for expression in json.loads(sys.argv[1])}
found |= {"unsealed after": outcome(FREE), "wall": time.time()}
finish = threading.Event()
threading.Thread(target=finish.wait).start()
found["with a thread"] = outcome("attempt()")
finish.set()
print(json.dumps(found, default=repr))
"""


def child(hash_seed: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps([*OFFENCES, *CLOCKS, SEEDED])],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    answer = child("0")
    assert answer.returncode == 0, answer.stderr
    return dict(json.loads(answer.stdout))


@pytest.mark.parametrize("offence", OFFENCES)
def test_a_sealed_run_refuses(offence: str, found: dict[str, object]) -> None:
    assert str(found[offence]).startswith("refused: "), found[offence]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_sealed_run_tells_the_loops_time(clock: str, found: dict[str, object]) -> None:
    assert found[clock] == CLOCKS[clock]


def test_seeded_randomness_is_welcome_in_a_sealed_run(found: dict[str, object]) -> None:
    assert found[SEEDED] == random.Random(7).random()


def test_outside_of_the_seal_nothing_is_refused(found: dict[str, object]) -> None:
    assert isinstance(found["unsealed before"], float)
    assert isinstance(found["unsealed after"], float)
    assert isinstance(found["wall"], float)
    assert found["wall"] > 1_767_225_600 + 91.0


def test_a_run_cannot_be_sealed_while_a_thread_is_running(found: dict[str, object]) -> None:
    assert str(found["with a thread"]).startswith("refused: threads are running")


def test_a_run_cannot_be_sealed_with_randomised_hashes() -> None:
    assert "start with PYTHONHASHSEED=0" in child("random").stderr
