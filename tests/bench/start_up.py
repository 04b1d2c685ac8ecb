"""From `./gansource run` to the first answer, and `--help`, beside a bare interpreter.

    python tests/bench/start_up.py [--runs N]

Prints medians as JSON. CPU seconds are those of the whole process, the script `./gansource`
included; the floor is `python -c pass` of the same environment in the same run.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
GANSOURCE = str(ROOT / "gansource")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    measures: dict[str, Callable[[], tuple[float, float]]] = {
        "floor": lambda: _finished([sys.executable, "-c", "pass"]),
        "help": lambda: _finished([GANSOURCE, "--help"]),
        "run_to_idn": _first_answer,
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in measures}
    for _ in range(runs):  # in turns, so that a slow minute falls on all of them
        for name, measure in measures.items():
            taken[name].append(measure())
    report = {
        name: {
            "wall_s": round(statistics.median(wall for wall, _ in pairs), 3),
            "cpu_s": round(statistics.median(cpu for _, cpu in pairs), 3),
        }
        for name, pairs in taken.items()
    }
    sys.stdout.write(json.dumps({"runs": runs, **report}, indent=1) + "\n")


def _finished(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command that ends by itself."""
    began_s = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, command
    return time.perf_counter() - began_s, usage.ru_utime + usage.ru_stime


def _first_answer() -> tuple[float, float]:
    """Wall and CPU seconds from the call to the answer to *IDN?."""
    with tempfile.TemporaryDirectory() as data:
        words = [GANSOURCE, "run", "--port=0", "--json", f"--data={data}"]
        began_s = time.perf_counter()
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as child:
            assert child.stdout
            host, _, port = json.loads(child.stdout.readline())["scpi_tcp"].rpartition(":")
            with socket.create_connection((host, int(port))) as wire:
                wire.sendall(b"*IDN?\n")
                assert b"gansource" in wire.recv(100)
            taken = time.perf_counter() - began_s, _cpu_s(child.pid)
            child.send_signal(signal.SIGTERM)
        return taken


def _cpu_s(pid: int) -> float:
    """User and system time of a process and of the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
