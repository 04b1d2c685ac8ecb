"""The rig's GigE Vision camera and its clients, to be run where port 3956 is free:

    unshare --map-root-user --net python tests/accept/gige_session.py FOLDER

Prints one JSON object of what was seen; `test_gige.py` judges it.
"""

import asyncio
import fcntl
import json
import re
import shutil
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from hil.emulators.camera_model import CameraModel, Made, Sensor
from hil.emulators.gige_camera import GigeCamera
from hil.nature import WorldNature
from hil.world import World
from optics.faults import DeviceFault, DeviceLost
from optics.frame_camera import CameraSettings, FrameCamera
from optics.frame_process import camera_opener
from optics.link import Patience

Frame = NDArray[np.uint16]

ADDRESS, TOOL = "127.0.0.1", "arv-camera-test-0.8"
SIOCSIFFLAGS, UP, RUNNING = 0x8914, 0x1, 0x40
WIDE_POWER_UW, EXPOSURE_S = 400e3, 0.5
BRIGHT, APART_PX, MARGIN_PX, FLAT_UM = 8, 20.0, 30.0, 0.3
SMALL = CameraModel(width=256, height=256)


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        wanted = struct.pack("16sH14s", b"lo", UP | RUNNING, b"")
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, wanted)
    seen: dict[str, Any] = {}
    for part in (emitters(Path(sys.argv[1])), troubles(), lost_packets()):
        seen |= asyncio.run(part)
    sys.stdout.write(json.dumps(seen) + "\n")


@asynccontextmanager
async def camera_at(
    sensor: Sensor, lost: float = 0.0
) -> AsyncIterator[tuple[GigeCamera, FrameCamera]]:
    """The GigE camera, and the driver through a frame server of its own."""
    gige = GigeCamera(ADDRESS, sensor, asyncio.get_running_loop().time, lost)
    patience = Patience(reply_s=3.0, open_s=20.0, longest_pause_s=0.2)
    camera = FrameCamera(camera_opener(f"aravis://{ADDRESS}", {}), CameraSettings(), patience)
    try:
        yield gige, camera
    finally:
        await camera.aclose()
        gige.power_off()


async def emitters(folder: Path) -> dict[str, Any]:
    """What a stranger's clients see, and what our frame server does."""
    loop = asyncio.get_running_loop()
    aim_um = np.array([[100.0, 100.0, 100.0]])
    world = World(WorldNature(), 1, lambda _times_s: aim_um)
    aim_um[0] = world.aim_um(np.zeros(3), loop.time())
    world.wide_field.set(0.0, 1.0)
    world.laser_uw.set(0.0, WIDE_POWER_UW)
    world.frame(world.camera, loop.time(), EXPOSURE_S)  # its tables take seconds, once
    sensor = Sensor(CameraModel(), 1, lambda *shot: world.exposing(world.camera, *shot))
    async with camera_at(sensor) as (_, camera):
        seen = {"tool": await tool()} if shutil.which(TOOL) else {}
        script, out = Path(__file__).with_name("aravis_grab.py"), folder / "grabbed.npy"
        words = (script, ADDRESS, out, str(EXPOSURE_S * 1e6))
        process = await asyncio.create_subprocess_exec(sys.executable, *words)
        await process.wait()
        truth = bright(world, loop.time())
        await camera.connect()
        frame = await camera.frame(EXPOSURE_S)
    theirs = await asyncio.to_thread(np.load, out)
    return seen | {
        "bright": len(truth),
        "theirs": found(theirs[0], truth),
        "ours": found(frame.pixels, truth),
    }


async def tool() -> dict[str, int]:
    """Aravis' own client for two seconds: its counts."""
    process = await asyncio.create_subprocess_exec(
        TOOL, "-n", ADDRESS, "--duration=2", stdout=asyncio.subprocess.PIPE
    )
    said = (await process.communicate())[0].decode()
    return {name: int(value) for name, value in re.findall(r"(n_\w+) *= (\d+)", said)}


def bright(world: World, now_s: float) -> NDArray[np.float64]:
    """Column and row of the brightest that stand alone, in focus, in the frame."""
    places, cps = world.in_sight(world.camera, now_s)
    size = world.nature.camera.width_px
    good = []
    for n in np.argsort(-cps):
        apart = np.hypot(*(places[:, :2] - places[n, :2]).T)
        alone = not ((apart < APART_PX) & (cps > 0.05 * cps[n]) & (apart > 0.0)).any()
        inside = (np.abs(places[n, :2] - size / 2) < size / 2 - MARGIN_PX).all()
        if alone and inside and abs(places[n, 2]) < FLAT_UM:
            good.append(places[n, :2])
    return np.array(good[:BRIGHT])


def found(frame: Frame, truth: NDArray[np.float64]) -> int:
    """At how many of these places the brightest of the neighbourhood lies within two pixels."""
    summed = uniform_filter(frame.astype(float), 3)
    hits = 0
    for column, row in np.rint(truth).astype(int):
        near = summed[row - 8 : row + 9, column - 8 : column + 9]
        peak = np.array(np.unravel_index(np.argmax(near), near.shape)) - 8
        hits += int(np.abs(peak).max() <= 2)
    return hits


async def troubles() -> dict[str, Any]:
    """Power and freezing, as our driver meets them."""
    sensor = Sensor(SMALL, 1, lambda *_shot: numbered(sensor))
    async with camera_at(sensor) as (gige, camera):
        await camera.connect()
        before = (await camera.frame(0.01)).pixels.min()
        gige.power_cycle()
        power = await told(camera)
        await healed(camera)
        after = (await camera.frame(0.01)).pixels.min()
        gige.frozen = True
        frozen = await told(camera)
        gige.frozen = False
        await healed(camera)
        sensor.dark = True
        last = (await camera.frame(0.01)).pixels.min()
    marks = [int(before), int(after), int(last)]
    return {"power_cycle": power, "frozen": frozen, "marks": marks}


async def told(camera: FrameCamera) -> str:
    """How the driver takes it."""
    try:
        await camera.frame(0.01)
    except DeviceFault as fault:
        return type(fault).__name__
    return "nothing"


async def healed(camera: FrameCamera) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await camera.connect()
            except DeviceLost:
                continue
            return


async def lost_packets() -> dict[str, Any]:
    """One packet in 500: many frames come incomplete, and no torn one is ever given."""
    sensor = Sensor(SMALL, 1, lambda *_shot: numbered(sensor))
    async with camera_at(sensor, lost=0.002) as (_, camera):
        await camera.connect()
        await camera.start(0.001, 1.0, rate_hz=50.0)
        frames = [await camera.next_frame(20.0) for _ in range(60)]
    numbers = [frame.number for frame in frames]
    torn = sum(int(frame.pixels.min() != frame.pixels.max()) for frame in frames)
    steps = [later - earlier for earlier, later in pairwise(numbers)]
    shown = [int(frame.pixels[0, 0]) for frame in frames]
    gaps = [later - earlier for earlier, later in pairwise(shown)]
    return {"torn": torn, "steps": steps, "true_steps": gaps}


def numbered(sensor: Sensor) -> Made:
    """A frame that is its own number in every pixel."""
    number = sensor.number
    return lambda: np.full((SMALL.height, SMALL.width), number, np.uint16)


if __name__ == "__main__":
    main()
