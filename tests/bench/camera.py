"""A thousand frames of 1024 x 1024 Mono16 from a GigE Vision camera no one here wrote.

    unshare --map-root-user --net python tests/bench/camera.py [--frames N] [--hz R]

The camera is Aravis' own (arv-fake-gv-camera-0.8, of aravis-tools) in a process of its own; frames
come through the frame server and its shared memory into the event loop of this process. Prints one
JSON object: rate, frames lost and doubled by number and by content, CPU of a core for server and
client together, and how late the event loop woke, with frames and without.
"""

import argparse
import asyncio
import fcntl
import json
import os
import socket
import struct
import sys
import time
from collections.abc import Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).parents[2]))


from optics.frame_camera import CameraSettings, FrameCamera, Region
from optics.frame_process import FrameProcess
from optics.link import Patience

FAKE, ADDRESS = "arv-fake-gv-camera-0.8", "127.0.0.1"
T = TypeVar("T")

SIOCSIFFLAGS, UP, RUNNING = 0x8914, 0x1, 0x40
SIZE_PX, TICK_S, IDLE_S = 1024, 0.001, 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--hz", type=float, default=25.0)
    wanted = parser.parse_args()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags = struct.pack("16sH14s", b"lo", UP | RUNNING, b"")
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, flags)
    print(json.dumps(asyncio.run(measured(wanted.frames, wanted.hz)), indent=1))  # noqa: T201


async def measured(frames: int, hz: float) -> dict[str, Any]:
    fake = await asyncio.create_subprocess_exec(FAKE, "-i", ADDRESS)
    await asyncio.sleep(0.5)
    server = FrameProcess(f"aravis://{ADDRESS}")
    settings = CameraSettings(region=Region(0, 0, SIZE_PX, SIZE_PX))
    camera = FrameCamera(server, settings, Patience(reply_s=5.0, open_s=20.0))
    try:
        await camera.connect()
        assert server.pid is not None
        return await run(camera, server.pid, frames, hz)
    finally:
        await camera.aclose()
        fake.terminate()
        await fake.wait()


async def run(camera: FrameCamera, server: int, frames: int, hz: float) -> dict[str, Any]:
    idle_late_s: list[float] = []
    await ticking(idle_late_s, asyncio.sleep(IDLE_S))
    await camera.start(0.01, 1.0, hz)
    await camera.next_frame(10.0)  # whatever is done once
    late_s: list[float] = []
    began_s, served_s, own_s = time.monotonic(), cpu_of(server), time.process_time()
    numbers, marks = await ticking(late_s, taken(camera, frames))
    lasted_s = time.monotonic() - began_s
    served_s, own_s = cpu_of(server) - served_s, time.process_time() - own_s
    return {
        "frames": frames,
        "frames a second": round(frames / lasted_s, 2),
        "lost": sum(later - earlier - 1 for earlier, later in pairwise(numbers)),
        "doubled": sum(later == earlier for earlier, later in pairwise(marks)),
        "CPU of a core": round((served_s + own_s) / lasted_s, 3),
        "  of it the server": round(served_s / lasted_s, 3),
        **_late("loop late, ms", late_s),
        **_late("loop late without frames, ms", idle_late_s),
    }


async def taken(camera: FrameCamera, frames: int) -> tuple[list[int], list[int]]:
    """Number and first pixel of each, which the camera changes from frame to frame."""
    numbers, marks = [], []
    for _ in range(frames):
        frame = await camera.next_frame(10.0)
        numbers.append(frame.number)
        marks.append(int(frame.pixels[0, 0]))
    return numbers, marks


async def ticking(late_s: list[float], work: Coroutine[Any, Any, T]) -> T:
    """The work's result; meanwhile the list fills."""
    task = asyncio.create_task(tick(late_s))
    try:
        return await work
    finally:
        task.cancel()


def _late(name: str, late_s: list[float]) -> dict[str, float]:
    late_s.sort()
    shares = {"median": 0.5, "p99.9": 0.999}
    return {f"{name}: {k}": round(late_s[int(len(late_s) * v)] * 1e3, 3) for k, v in shares.items()}


async def tick(late_s: list[float]) -> None:
    """How much later than asked the loop wakes, a thousand times a second."""
    while True:
        asked_s = time.monotonic()
        await asyncio.sleep(TICK_S)
        late_s.append(time.monotonic() - asked_s - TICK_S)


def cpu_of(pid: int) -> float:
    """User and system time of a process, in s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
