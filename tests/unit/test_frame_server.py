"""The frame server as a process of its own: recordings, shared memory, crashes."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from optics.faults import DeviceLost, DeviceRefused
from optics.frame_camera import CameraSettings, FrameCamera, Region
from optics.frame_memory import FrameMemory
from optics.frame_process import FrameProcess, camera_opener, is_camera_address
from optics.frame_protocol import written
from optics.link import Patience
from optics.transports import BadAddress

PATIENCE = Patience(reply_s=5.0, open_s=20.0, longest_pause_s=0.1)
"""Starting a process on a busy machine may take long; what is tested here is no delay."""


@pytest.fixture
def stack(seed: int, tmp_path: Path) -> NDArray[np.uint16]:
    """Five frames of 16 bits, as an array and as a TIFF."""
    frames = np.random.default_rng(seed).integers(0, 65_536, (5, 30, 41), np.uint16)
    np.save(tmp_path / "stack.npy", frames)
    assert cv2.imwritemulti(str(tmp_path / "stack.tif"), list(frames))
    return frames


@asynccontextmanager
async def camera_of(
    source: str, settings: CameraSettings | None = None
) -> AsyncIterator[tuple[FrameCamera, FrameProcess]]:
    opener = camera_opener(source, {})
    assert isinstance(opener, FrameProcess)
    camera = FrameCamera(opener, settings or CameraSettings(), PATIENCE)
    try:
        yield camera, opener
    finally:
        await camera.aclose()


@pytest.mark.parametrize("name", ["stack.npy", "stack.tif"])
async def test_a_recording_comes_bit_by_bit_and_over_again(
    stack: NDArray[np.uint16], tmp_path: Path, name: str
) -> None:
    async with camera_of(f"file://{tmp_path}/{name}") as (camera, _):
        identity = await camera.connect()
        assert identity.model == name
        assert camera.sensor == (41, 30, 16)
        single = [await camera.frame(0.001) for _ in range(2)]
        await camera.start(0.001, 1.0, rate_hz=200.0)
        frames = single + [await camera.next_frame(5.0) for _ in range(10)]
    assert [frame.number for frame in frames] == list(range(1, 13))
    for n, frame in enumerate(frames):
        assert np.array_equal(frame.pixels, stack[n % 5])


async def test_a_region_is_cut_out(stack: NDArray[np.uint16], tmp_path: Path) -> None:
    settings = CameraSettings(region=Region(x=3, y=4, width=7, height=2))
    async with camera_of(f"file://{tmp_path}/stack.npy", settings) as (camera, _):
        await camera.connect()
        assert np.array_equal((await camera.frame(0.001)).pixels, stack[0, 4:6, 3:10])


async def test_a_film_of_colours_becomes_luminance(tmp_path: Path) -> None:
    film = str(tmp_path / "film.avi")
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    writer = await asyncio.to_thread(cv2.VideoWriter, film, codec, 25.0, (64, 48))
    for level in (40, 120, 200):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    async with camera_of(f"file://{film}") as (camera, _):
        await camera.connect()
        levels = [(await camera.frame(0.001)).pixels.mean() for _ in range(3)]
    assert levels == pytest.approx([40, 120, 200], abs=3)  # JPEG keeps no more


async def test_a_crash_is_a_lost_device_and_connecting_starts_another(
    stack: NDArray[np.uint16], tmp_path: Path
) -> None:
    async with camera_of(f"file://{tmp_path}/stack.npy") as (camera, process):
        await camera.connect()
        first = process.pid
        assert first is not None
        asking = asyncio.create_task(camera.frame(3.0))
        await asyncio.sleep(0.05)
        os.kill(first, signal.SIGSEGV)
        with pytest.raises(DeviceLost, match="wire is gone"):
            await asking
        await camera.connect()
        assert process.pid != first
        assert np.array_equal((await camera.frame(0.001)).pixels, stack[0])


async def test_what_cannot_be_opened_is_told_in_words(tmp_path: Path) -> None:
    floats = tmp_path / "floats.npy"
    await asyncio.to_thread(np.save, floats, np.zeros((2, 4, 4)))
    for source, why in (
        (f"file://{tmp_path}/nothing.tif", "there is no file"),
        (f"file://{floats}", "not counts of 8 or 16 bits"),
    ):
        async with camera_of(source) as (camera, _):
            with pytest.raises(DeviceLost, match=why):
                await camera.connect()


async def test_a_trigger_that_a_source_does_not_have_is_refused(
    stack: NDArray[np.uint16], tmp_path: Path
) -> None:
    settings = CameraSettings(trigger="external")
    async with camera_of(f"file://{tmp_path}/stack.npy", settings) as (camera, _):
        with pytest.raises(DeviceRefused, match="no trigger input"):
            await camera.connect()


async def test_the_server_ends_when_its_client_is_gone(
    stack: NDArray[np.uint16], tmp_path: Path
) -> None:
    """Nobody tells it: the socket closes, in the middle of a long exposure."""
    ours, theirs = socket.socketpair()
    with theirs:
        words = ("-m", "optics.frame_server", f"file://{tmp_path}/stack.npy", "--descriptor")
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, str(theirs.fileno()), pass_fds=(theirs.fileno(),)
        )
    reader, writer = await asyncio.open_connection(sock=ours)
    writer.write(written("HELLO", version=1))
    await reader.readuntil(b"\n")
    writer.write(written("SNAP", exposure_us=60e6, gain=1.0, within_us=90e6))
    await writer.drain()
    writer.close()
    async with asyncio.timeout(20):
        assert await process.wait() == 0


def test_memory_is_found_by_its_path_and_told_apart_by_its_token() -> None:
    made, where = FrameMemory.made(slots=2, slot_bytes=5000)
    made.view(1)[:3] = b"abc"
    told = {key: str(value) for key, value in where.items()}
    found = FrameMemory.found(told)
    assert found is not None
    assert bytes(found.view(1)[:3]) == b"abc"
    assert found.slot_bytes % 4096 == 0
    found.close()
    for change in ({"token": "0" * 32}, {"token": ""}, {"memory": "/etc/passwd"}, {"slots": "x"}):
        assert FrameMemory.found(told | change) is None
    made.close()
    os.close(int(told["memory"].rpartition("/")[2]))


def test_addresses_of_cameras() -> None:
    for address in ("aravis://", "aravis://192.168.7.2", "v4l2:///dev/video0", "tcp://h:1"):
        assert is_camera_address(address)
    assert not is_camera_address("usb://1")
    with pytest.raises(BadAddress):
        camera_opener("usb://1", {})
