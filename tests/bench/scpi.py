"""SCPI beside a bare asyncio protocol that answers a fixed line, in turns in one run.

    python tests/bench/scpi.py [--rounds N] [--rival HOST:PORT]

Prints JSON: median microseconds of one exchange and their ratio to the floor, over TCP and over a
pseudo-terminal; pipelined queries per second; exchanges of 64 hosts at 100 a second each; and one
host's exchanges while 50 others flood and never read. The controller's rack has a stage that is
away, since an emulated one would share its event loop. A rival is another SCPI server that runs.
"""

import argparse
import asyncio
import contextlib
import json
import os
import pty
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
IDN, COMPOUND = b"*IDN?\n", b"*ESE?;*SRE?;*STB?;:SYST:ERR?\n"
ONE = b"*ESE?\n"
EXCHANGES, PIPELINED = 400, 40_000
HOSTS, PER_S, FOR_S, FLOODS = 64, 100, 5.0, 50
LINE = b"gansource,SPS-1 (emulated rig),rig,0.1.0\n"


class Floor(asyncio.Protocol):
    """What an exchange costs when nothing at all is understood."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(LINE * data.count(b"\n"))


async def floor(terminal: str) -> None:
    """A child process: on a free port, whose number it says, and on a terminal."""
    import serial_asyncio

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Floor, "127.0.0.1", 0)
    await serial_asyncio.create_serial_connection(loop, Floor, terminal, baudrate=115200)
    sys.stdout.write(f"127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextlib.contextmanager
def child(*words: object) -> Iterator[str]:
    """Its first line; it is ended afterwards."""
    with subprocess.Popen(
        list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline()
        finally:
            process.send_signal(signal.SIGTERM)


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, str]]:
    """Our end of a pseudo-terminal, and the name of the other."""
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


class Wire:
    """A blocking connection to a server, over a socket or a terminal."""

    def __init__(self, address: str = "", descriptor: int = -1) -> None:
        if address:
            host, _, port = address.rpartition(":")
            self._socket = socket.create_connection((host, int(port)))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            descriptor = self._socket.fileno()
        self.descriptor = descriptor

    def ask(self, message: bytes) -> float:
        """Seconds of one exchange."""
        began_s = time.perf_counter()
        os.write(self.descriptor, message)
        while not os.read(self.descriptor, 65536).endswith(b"\n"):
            pass
        return time.perf_counter() - began_s

    def pipelined_per_s(self) -> float:
        """Queries answered in a second when they are sent without waiting."""
        sending = threading.Thread(target=self._send_all)
        began_s, lines = time.perf_counter(), 0
        sending.start()
        while lines < PIPELINED:
            lines += os.read(self.descriptor, 1 << 18).count(b"\n")
        sending.join()
        return PIPELINED / (time.perf_counter() - began_s)

    def _send_all(self) -> None:
        self._socket.sendall(ONE * PIPELINED)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def in_turns(rounds: int, wires: dict[str, Wire], message: bytes) -> dict[str, Any]:
    """Median of each, in microseconds, and its ratio to the floor's."""
    taken: dict[str, list[float]] = {name: [] for name in wires}
    for _ in range(rounds):
        for name, wire in wires.items():
            taken[name] += [wire.ask(message) for _ in range(EXCHANGES)]
    report: dict[str, Any] = {
        name: {
            "median_us": round(statistics.median(values) * 1e6, 1),
            "p99.9_us": round(percentile(values, 0.999) * 1e6, 1),
        }
        for name, values in taken.items()
    }
    least_us = report["floor"]["median_us"]
    report["times_the_floor"] = round(report["ours"]["median_us"] / least_us, 2)
    return report


def pipelined(rounds: int, wires: dict[str, Wire]) -> dict[str, int]:
    taken: dict[str, list[float]] = {name: [] for name in wires}
    for _ in range(rounds):
        for name, wire in wires.items():
            taken[name].append(wire.pipelined_per_s())
    return {name: round(statistics.median(values)) for name, values in taken.items()}


async def many_hosts(address: str) -> dict[str, float]:
    """Each asks on its own beat; what is late is late for it alone."""
    host, _, port = address.rpartition(":")
    taken: list[float] = []

    async def talk(number: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        due_s = time.perf_counter() + number / HOSTS / PER_S
        for _ in range(int(FOR_S * PER_S)):
            await asyncio.sleep(due_s - time.perf_counter())
            began_s = time.perf_counter()
            writer.write(ONE)
            await reader.readuntil(b"\n")
            taken.append(time.perf_counter() - began_s)
            due_s += 1 / PER_S
        writer.close()

    await asyncio.gather(*(talk(number) for number in range(HOSTS)))
    return {
        "hosts": HOSTS,
        "per_s_each": PER_S,
        "median_ms": round(statistics.median(taken) * 1e3, 3),
        "p99.9_ms": round(percentile(taken, 0.999) * 1e3, 3),
        "worst_ms": round(max(taken) * 1e3, 3),
    }


def flooded(address: str, polite: Wire) -> dict[str, float]:
    """One host's exchanges while others send without end and read nothing."""
    floods = [Wire(address) for _ in range(FLOODS)]
    for wire in floods:
        os.set_blocking(wire.descriptor, False)
    quiet = [polite.ask(ONE) for _ in range(EXCHANGES)]
    taken: list[float] = []
    while len(taken) < EXCHANGES:
        for wire in floods:
            with contextlib.suppress(BlockingIOError):
                os.write(wire.descriptor, b"SYST:HELP:HEAD?;:STAG:POS?\n" * 400)
        taken += [polite.ask(ONE) for _ in range(10)]
    return {
        "floods": FLOODS,
        "quiet_median_ms": round(statistics.median(quiet) * 1e3, 3),
        "median_ms": round(statistics.median(taken) * 1e3, 3),
        "worst_ms": round(max(taken) * 1e3, 3),
    }


def measure(rounds: int, rival: str) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory())
        lines = {name: stack.enter_context(terminal()) for name in ("floor", "ours")}
        bare = stack.enter_context(child(sys.executable, __file__, "--floor", lines["floor"][1]))
        rack = Path(data, "rack.toml")
        rack.write_text(serial_rack(lines["ours"][1]))
        run = (sys.executable, "-m", "controller", "run", "--json", "--port=0")
        found = stack.enter_context(child(*run, f"--data={data}", "--config", rack))
        ours = json.loads(found)["scpi_tcp"]
        servers = {"floor": bare.strip(), "ours": ours} | ({"rival": rival} if rival else {})
        wires = {name: Wire(address) for name, address in servers.items()}
        serial = {name: Wire(descriptor=ours) for name, (ours, _) in lines.items()}
        for wire in (*wires.values(), *serial.values()):
            settled(wire)
        return {
            "idn": in_turns(rounds, wires, IDN),
            "compound of 4": in_turns(rounds, wires, COMPOUND),
            "idn on a pty": in_turns(rounds, serial, IDN),
            "pipelined_per_s": pipelined(rounds, wires),
            "many hosts": {name: asyncio.run(many_hosts(at)) for name, at in servers.items()},
            "flooded": {name: flooded(at, wires[name]) for name, at in servers.items()},
        }


def settled(wire: Wire) -> None:
    """The server has opened its end and answers."""
    time.sleep(1.0)
    for _ in range(50):
        wire.ask(IDN)


def serial_rack(path: str) -> str:
    """A rack whose stage is away, with its host on this line."""
    return f'[stage]\naddress = "tcp://127.0.0.1:1"\n[scpi]\nserial = "serial://{path}"\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--rival", default="", metavar="HOST:PORT")
    parser.add_argument("--floor", metavar="TERMINAL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        asyncio.run(floor(options.floor))
        return
    sys.stdout.write(json.dumps(measure(options.rounds, options.rival), indent=1) + "\n")


if __name__ == "__main__":
    main()
