"""What OpenCV reads: V4L2 and UVC cameras, and recorded files."""

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from optics.frame_memory import FrameMemory
from optics.frame_server.source import CameraGone, NotPossible, Region, Taken, Told

Picture = NDArray[Any]
"""Counts of 8 or 16 bits."""

MANUAL_EXPOSURE = 1  # V4L2_EXPOSURE_MANUAL
EXPOSURE_UNIT_US = 100.0  # of V4L2_CID_EXPOSURE_ABSOLUTE
RECORDED_HZ = 25.0
ODDLY_OLD_S = 10.0
STACKS = (".tif", ".tiff", ".png", ".npy")


class Pictures:
    """What V4L2 cameras and files have in common: pictures that come one after the other."""

    def __init__(self, told: Told, slots: int) -> None:
        self.told = told
        self.memory, self.where = FrameMemory.made(slots, told.width * told.height * 2)
        self._free = list(range(slots))
        self._region = Region(0, 0, told.width, told.height)
        self._number = 0
        self._exposure_s = self._period_s = 0.0
        self._runs = False

    def set_region(self, region: Region) -> None:
        self._region = region

    def give_back(self, taken: Taken) -> None:
        self._free.append(taken.slot)

    def _put(self, picture: Picture, began_s: float) -> Taken:
        """Into a slot, cut to the region."""
        x, y, width, height = self._region
        seen = _grey(picture)[y : y + height, x : x + width]
        slot = self._free.pop(0)
        room = np.frombuffer(self.memory.view(slot), seen.dtype, seen.size)
        room.reshape(seen.shape)[:] = seen
        self._number += 1
        return Taken(slot, self._number, True, began_s, width, height, seen.nbytes)


class Recorded(Pictures):
    """A file played over and over: a stack or a picture, an array, or whatever is a film."""

    def __init__(self, path: str, slots: int) -> None:
        self._pictures = _endless(Path(path))
        self._next = next(self._pictures)
        super().__init__(_told("recorded", Path(path).name, path, self._next), slots)
        self._due_s: float | None = None

    def set_trigger(self, source: str) -> None:
        if source == "external":
            raise NotPossible("a recording has no trigger input")
        self._runs = source == "off"

    def start(self, exposure_us: float, gain: float, rate_hz: float) -> tuple[float, float]:
        self._exposure_s = exposure_us * 1e-6
        free_hz = RECORDED_HZ if self._runs else 0.0
        self._period_s = 1.0 / (rate_hz or free_hz) if rate_hz or free_hz else 0.0
        self._due_s = time.monotonic() + self._exposure_s if self._period_s else None
        return exposure_us, gain

    def trigger(self) -> None:
        self._due_s = time.monotonic() + self._exposure_s

    def grab(self, within_s: float) -> Taken | None:
        left_s = (self._due_s or float("inf")) - time.monotonic()
        time.sleep(max(0.0, min(left_s, within_s)))
        if left_s > within_s or self._due_s is None:
            return None
        began_s = self._due_s - self._exposure_s
        self._due_s = self._due_s + self._period_s if self._period_s else None
        picture, self._next = self._next, next(self._pictures)
        return self._put(picture, began_s)

    def stop(self) -> None:
        self._due_s = None

    def close(self) -> None:
        self._pictures.close()


class Video4Linux(Pictures):
    """A V4L2 or UVC camera, by its device node."""

    def __init__(self, node: str, slots: int) -> None:
        self._capture = cv2.VideoCapture(node, cv2.CAP_V4L2)
        self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 0.0)  # raw, since colours are no counts
        self._read = self._first(node)
        super().__init__(_told("V4L2", Path(node).name, node, self._read), slots)

    def set_trigger(self, source: str) -> None:
        """There is no trigger in V4L2: what is asked for is the next frame that began after."""
        if source == "external":
            raise NotPossible("V4L2 knows no trigger input")

    def start(self, exposure_us: float, gain: float, rate_hz: float) -> tuple[float, float]:
        self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL_EXPOSURE)
        self._capture.set(cv2.CAP_PROP_EXPOSURE, exposure_us / EXPOSURE_UNIT_US)
        self._capture.set(cv2.CAP_PROP_GAIN, gain)
        if rate_hz:
            self._capture.set(cv2.CAP_PROP_FPS, rate_hz)
        really_us = self._capture.get(cv2.CAP_PROP_EXPOSURE) * EXPOSURE_UNIT_US
        self._exposure_s = really_us * 1e-6
        return really_us, gain

    def trigger(self) -> None:
        """Frames come by themselves."""

    def grab(self, within_s: float) -> Taken | None:
        self._capture.set(cv2.CAP_PROP_READ_TIMEOUT_MSEC, max(1.0, within_s * 1e3))
        came, picture = self._capture.read()
        if not came:
            if not self._capture.isOpened():
                raise CameraGone("the camera is unplugged")
            return None
        return self._put(picture, self._began_s())

    def stop(self) -> None:
        """It goes on by itself; what is read later is judged by its age."""

    def close(self) -> None:
        self._capture.release()

    def _began_s(self) -> float:
        """By the driver's stamp, of CLOCK_MONOTONIC where the driver is sound."""
        stamped_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e-3
        now_s = time.monotonic()
        ended_s = stamped_s if 0.0 <= now_s - stamped_s < ODDLY_OLD_S else now_s
        return ended_s - self._exposure_s

    def _first(self, node: str) -> Picture:
        came, picture = self._capture.read()
        if not came:
            raise CameraGone(f"nothing comes from {node}")
        return _grey(picture)


def _told(maker: str, model: str, serial: str, picture: Picture) -> Told:
    shown = _grey(picture)
    bits = shown.dtype.itemsize * 8
    return Told(
        maker=maker,
        model=model,
        serial=serial,
        firmware=cv2.__version__,
        width=shown.shape[1],
        height=shown.shape[0],
        bits=bits,
        format=f"Mono{bits}",
        least_exposure_us=1.0,
        most_exposure_us=1e9,
        least_gain=1.0,
        most_gain=1000.0,
    )


def _grey(picture: Picture) -> Picture:
    """One number a pixel; of colours their luminance, as OpenCV weighs it."""
    if picture.ndim == 3 and picture.shape[2] == 1:
        return picture[:, :, 0]
    if picture.ndim == 3:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
    return picture


def _endless(path: Path) -> Generator[Picture, None, None]:
    if not path.is_file():
        raise CameraGone(f"there is no file {path}")
    while True:
        found = False
        for picture in _played(path):
            if picture.dtype not in (np.uint8, np.uint16):
                raise CameraGone(f"{path} holds {picture.dtype}, not counts of 8 or 16 bits")
            found = True
            yield picture
        if not found:
            raise CameraGone(f"{path} holds no picture that can be read")


def _played(path: Path) -> Iterator[Any]:
    if path.suffix.lower() not in STACKS:
        film = cv2.VideoCapture(str(path))
        while (read := film.read())[0]:
            yield read[1]
        film.release()
    elif path.suffix == ".npy":
        stored = np.load(path, mmap_mode="r")
        yield from stored.reshape(-1, *stored.shape[-2:])
    else:
        yield from cv2.imreadmulti(str(path), flags=cv2.IMREAD_UNCHANGED)[1]
