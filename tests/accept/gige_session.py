"""The rig's GigE Vision camera in trouble, to be run where port 3956 is free:

    unshare --map-root-user --net python tests/accept/gige_session.py

Prints one JSON object of what was seen; `test_gige.py` judges it.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from hil.emulators.camera_model import CameraModel, Made, Sensor
from hil.emulators.gige_camera import GigeCamera
from optics.faults import DeviceFault, DeviceLost
from optics.frame_camera import CameraSettings, FrameCamera
from optics.frame_process import camera_opener
from optics.link import Patience
from tests.accept.loopback import loopback_up

ADDRESS = "127.0.0.1"
SMALL = CameraModel(width=256, height=256)


def main() -> None:
    loopback_up()
    seen: dict[str, Any] = {}
    for part in (troubles(), lost_packets()):
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
