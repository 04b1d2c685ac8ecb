"""A real GigE Vision camera on the network: libaravis' own fake camera, with frames of ours.

Aravis reference manual (0.8), ArvGvFakeCamera and ArvFakeCamera; registers as in arvfakecamera.h.
GigE Vision has one port for control, 3956, so an address holds one camera: a second rig needs a
network namespace of its own, or an address more.

The library's thread asks for each frame when its exposure is due to begin; the world is looked at
on the loop, since it belongs to it, and the frame is worked out in the library's thread.
"""

import asyncio
import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import Future
from ctypes import c_char_p, c_int, c_size_t, c_uint32, c_void_p
from typing import Any

import numpy as np

from hil.emulators.camera_model import Frame, Made, Sensor

LIBRARY = "libaravis-0.8.so.0"
SENSOR_WIDTH, SENSOR_HEIGHT = 0x11C, 0x118
WIDTH, HEIGHT, PIXEL_FORMAT = 0x100, 0x104, 0x128
MONO8, MONO16 = 0x0108_0001, 0x0110_0007
LOOP_WITHIN_S = 5.0
"""After which a rig that has stopped no longer holds the library's thread up."""

_FILL = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_uint32, c_uint32, c_uint32)


class GigeCamera:
    """A camera that GigE Vision clients find; its troubles are `frozen` and those of `sensor`."""

    def __init__(
        self, address: str, sensor: Sensor, clock: Callable[[], float], torn: float = 0.0
    ) -> None:
        """OSError when the address is none of this machine's, or has a camera already."""
        self.sensor, self._address, self._clock, self._torn = sensor, address, clock, torn
        self._loop = asyncio.get_running_loop()
        self._library = _loaded()
        self._thawed, self._over = threading.Event(), threading.Event()
        self._thawed.set()
        self._fill = _FILL(self._filled)  # kept, since C holds it
        self._camera = c_void_p()
        self.power_on()

    @property
    def frozen(self) -> bool:
        """Deaf and dumb: the library's one thread stands still, control included."""
        return not self._thawed.is_set()

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        (self._thawed.clear if frozen else self._thawed.set)()

    def power_on(self) -> None:
        """Found by clients at once; nothing new where it is on."""
        if self._camera.value:
            return
        self._over.clear()
        self._thawed.set()
        address, serial = self._address.encode(), self.sensor.model.serial.encode()
        camera = self._library.arv_gv_fake_camera_new(address, serial)
        self._camera = c_void_p(camera)
        if not self._library.arv_gv_fake_camera_is_running(self._camera):
            self.power_off()
            raise OSError(f"no camera can stand at {self._address}: taken, or not ours")
        ratio = (b"gvsp-lost-ratio", ctypes.c_double(self._torn), None)
        self._library.g_object_set(self._camera, *ratio)
        inside = c_void_p(self._library.arv_gv_fake_camera_get_fake_camera(self._camera))
        model = self.sensor.model
        for register, value in (
            (SENSOR_WIDTH, model.width),
            (SENSOR_HEIGHT, model.height),
            (WIDTH, model.width),
            (HEIGHT, model.height),
            (PIXEL_FORMAT, MONO16),
        ):
            self._library.arv_fake_camera_write_register(inside, register, value)
        self._library.arv_fake_camera_set_fill_pattern(inside, self._fill, None)

    def power_off(self) -> None:
        """Waits for the library's thread, which may be in the middle of an exposure."""
        self._over.set()
        self._thawed.set()
        camera, self._camera = self._camera, c_void_p()
        if camera.value:
            self._library.g_object_unref(camera)

    def power_cycle(self) -> None:
        self.power_off()
        self.power_on()

    def _filled(
        self, buffer: int, _data: int, exposure_us: int, gain_db: int, pixel_format: int
    ) -> None:
        """In the library's thread: expose, and write the region of the frame where it is wanted."""
        self._thawed.wait()
        frame = self._exposed(exposure_us * 1e-6, 10.0 ** (gain_db / 20.0))
        if frame is None:
            return
        library, at = self._library, c_void_p(buffer)
        x, y = library.arv_buffer_get_image_x(at), library.arv_buffer_get_image_y(at)
        width, height = (
            library.arv_buffer_get_image_width(at),
            library.arv_buffer_get_image_height(at),
        )
        seen = np.zeros((height, width), np.uint16)
        part = frame[y : y + height, x : x + width]
        seen[: part.shape[0], : part.shape[1]] = part
        if pixel_format == MONO8:
            seen = (seen >> max(self.sensor.model.bits - 8, 0)).astype(np.uint8)
        size = c_size_t()  # told as 0 here, since nothing has been written yet
        place = library.arv_buffer_get_data(at, ctypes.byref(size))
        ctypes.memmove(place, seen.ctypes.data, seen.nbytes)

    def _exposed(self, exposure_s: float, gain: float) -> Frame | None:
        """None when the power goes first."""
        shot = self.sensor.shot(self._clock(), exposure_s, gain)
        if self._over.wait(exposure_s):
            return None
        made: Future[Made] = Future()

        def look() -> None:
            made.set_result(self.sensor.developed(shot))

        self._loop.call_soon_threadsafe(look)
        return made.result(LOOP_WITHIN_S)()


def _loaded() -> Any:
    library = ctypes.CDLL(LIBRARY)
    library.arv_gv_fake_camera_new.argtypes = [c_char_p, c_char_p]
    library.arv_gv_fake_camera_new.restype = c_void_p
    library.arv_gv_fake_camera_is_running.restype = c_int
    library.arv_gv_fake_camera_get_fake_camera.restype = c_void_p
    library.arv_buffer_get_data.restype = c_void_p
    return library
