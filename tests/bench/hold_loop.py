"""What holding costs: CPU of the controller while it emits on the rig, and of the law alone.

    python tests/bench/hold_loop.py [--seconds N]

`gansource run` keeps its rig in a process of its own, so the controller's is measured: 100 gates a
second taken and judged, all devices asked how they are, ten snapshots a second told. Prints JSON;
shares are of one core.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

from mapping.drift_filter import Known
from mapping.hold import Gate, Hold, Start
from mapping.peak import Response
from optics.quantities import StagePoint

ROOT = Path(__file__).parents[2]
GATES_HZ, CPS, LAW_GATES = 100, 3e5, 20_000
PATIENCE_S = 1200.0
TICKS_HZ = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    for_s = parser.parse_args().seconds
    report = {"law_share": round(_law_share(), 4), **_controller(for_s)}
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


def _law_share() -> float:
    """Of a core, at so many gates a second."""
    at = StagePoint(100.0, 100.0, 100.0)
    hold = Hold(Start(at, (0.006, 0.006, 0.02), CPS, 0.01 * CPS, Known(Response(), 6e3, 0.5)))
    clicks, began_s = round(CPS / GATES_HZ), time.process_time()
    for number in range(LAW_GATES):
        hold.add(Gate(hold.target, clicks, 1 / GATES_HZ, number / GATES_HZ))
    return (time.process_time() - began_s) / (LAW_GATES / GATES_HZ)


def _controller(for_s: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [str(ROOT / "gansource"), "run", "--json", "--port", "0", "--data", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            try:
                found = json.loads(running.stdout.readline())
                return _measured(running.pid, found["scpi_tcp"], for_s)
            finally:
                running.send_signal(signal.SIGTERM)


def _measured(pid: int, address: str, for_s: float) -> dict[str, float]:
    name, _, port = address.rpartition(":")
    with socket.create_connection((name, int(port))) as line, line.makefile("rw") as host:
        until_s = time.monotonic() + PATIENCE_S
        while _asked(host, "SOUR:STAT?") != "EMITTING":
            assert time.monotonic() < until_s, "no light"
            time.sleep(1.0)
        since, began_s = _cpu_s(pid), time.monotonic()
        time.sleep(for_s)
        share = (_cpu_s(pid) - since) / (time.monotonic() - began_s)
        assert _asked(host, "SOUR:STAT?") == "EMITTING"
        rate_cps, *_ = _asked(host, "FETC:BRIG?").split(",")
    return {"controller_share": round(share, 4), "over_s": for_s, "rate_cps": float(rate_cps)}


def _asked(host: TextIO, question: str) -> str:
    host.write(question + "\n")
    host.flush()
    return host.readline().strip()


def _cpu_s(pid: int) -> float:
    """Of the process alone, its children apart: fields 14 and 15 of proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_HZ


if __name__ == "__main__":
    main()
