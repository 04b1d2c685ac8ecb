"""A vendor's emulated camera that no one here wrote: Basler's, in Basler's own library.

Collected where pypylon is installed (`.venv/bin/pip install pypylon`); the header says which.
"""

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from optics.faults import DeviceLost
from optics.frame_camera import CameraSettings, FrameCamera, Region
from optics.frame_process import camera_opener
from optics.link import Patience

SHAPE = (240, 320)
FILES = "ImageFilename={folder}&ImageFileMode=On&TestImageSelector=Off"
PATIENCE = Patience(reply_s=4.0, open_s=60.0, longest_pause_s=0.2)


@pytest.fixture
def pictures(seed: int, tmp_path: Path) -> NDArray[np.uint16]:
    """Three of 16 bits, which the emulated sensor sees in turn."""
    frames = np.random.default_rng(seed).integers(0, 65_536, (3, *SHAPE), np.uint16)
    for n, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{n}.tif"), frame)
    return frames


@pytest.fixture
async def camera(
    pictures: NDArray[np.uint16], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FrameCamera]:
    monkeypatch.setenv("PYLON_CAMEMU", "1")
    opener = camera_opener(f"pylon://?{FILES.format(folder=tmp_path)}", {})
    region = Region(0, 0, SHAPE[1], SHAPE[0])
    camera = FrameCamera(opener, CameraSettings(region=region), PATIENCE)
    try:
        await camera.connect()
        yield camera
    finally:
        await camera.aclose()


def index_of(frame: NDArray[np.uint16], pictures: NDArray[np.uint16]) -> int:
    """Which of the pictures it is, bit by bit."""
    [found] = [n for n, picture in enumerate(pictures) if np.array_equal(frame, picture)]
    return found


async def test_triggered_frames_are_the_pictures_in_turn(
    camera: FrameCamera, pictures: NDArray[np.uint16]
) -> None:
    seen = [index_of((await camera.frame(0.002)).pixels, pictures) for _ in range(5)]
    assert all((later - earlier) % 3 == 1 for earlier, later in pairwise(seen))


async def test_a_run_loses_and_doubles_nothing(
    camera: FrameCamera, pictures: NDArray[np.uint16]
) -> None:
    await camera.start(0.001, 1.0, rate_hz=30.0)
    frames = [await camera.next_frame(20.0) for _ in range(40)]
    await camera.stop()
    seen = [index_of(frame.pixels, pictures) for frame in frames]
    assert all((later - earlier) % 3 == 1 for earlier, later in pairwise(seen))
    assert all(b.number - a.number == 1 for a, b in pairwise(frames))


async def test_a_camera_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYLON_CAMEMU", "1")
    camera = FrameCamera(camera_opener("pylon://no-such", {}), CameraSettings(), PATIENCE)
    with pytest.raises(DeviceLost):
        await camera.connect()
    await camera.aclose()
