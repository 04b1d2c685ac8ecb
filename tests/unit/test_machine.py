"""Cores and threads, and whether the libraries keep to them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from controller.machine import cores, no_cores

ROOT = Path(__file__).parents[2]
LOOK = """
import os
from controller.machine import take
take({cores!r}, {threads})
import cv2
print(sorted(os.sched_getaffinity(0)), cv2.getNumThreads())
"""


@pytest.mark.parametrize(
    ("text", "found"), [("", set()), ("0", {0}), ("0,2-4", {0, 2, 3, 4}), (" 1 , 1-1", {1})]
)
def test_a_list_of_cores_is_read_as_the_kernels(text: str, found: set[int]) -> None:
    assert cores(text) == found


@pytest.mark.parametrize("text", ["x", "1-", "-1", "3-2", "1;2", ",", "1,"])
def test_what_is_no_list_is_told(text: str) -> None:
    assert "0,2-3" in no_cores(text)


def test_cores_that_are_not_here_are_told() -> None:
    assert no_cores("0") == ""
    assert "[5000]" in no_cores("0,5000")


def looked(wanted: str, threads: int) -> str:
    script = LOOK.format(cores=wanted, threads=threads)
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_it_keeps_to_them() -> None:
    core = min(os.sched_getaffinity(0))
    assert looked(str(core), 3) == f"[{core}] 3"


def test_nothing_said_is_nothing_taken() -> None:
    assert looked("", 0).startswith(str(sorted(os.sched_getaffinity(0))))
