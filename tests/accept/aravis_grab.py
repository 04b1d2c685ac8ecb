"""A stranger's GigE Vision client: grabs frames through libaravis and knows nothing of ours.

python tests/accept/aravis_grab.py ADDRESS OUT.npy [EXPOSURE_US [FRAMES]]
"""

import ctypes
import sys
from ctypes import byref, c_double, c_int, c_size_t, c_uint64, c_void_p

import numpy as np
from numpy.typing import NDArray

WAIT_US = 5_000_000


def main() -> None:
    address, out, exposure_us, number = (*sys.argv[1:], *("100000", "1")[len(sys.argv) - 3 :])
    arv = ctypes.CDLL("libaravis-0.8.so.0")
    for name in (
        "camera_new",
        "camera_create_stream",
        "stream_timeout_pop_buffer",
        "buffer_get_data",
    ):
        getattr(arv, f"arv_{name}").restype = c_void_p
    arv.arv_buffer_new_allocate.restype = c_void_p
    camera = c_void_p(arv.arv_camera_new(address.encode(), None))
    arv.arv_camera_set_pixel_format_from_string(camera, b"Mono16", None)
    arv.arv_camera_set_exposure_time(camera, c_double(float(exposure_us)), None)
    width, height = c_int(), c_int()
    arv.arv_camera_get_sensor_size(camera, byref(width), byref(height), None)
    arv.arv_camera_set_region(camera, 0, 0, width, height, None)
    stream = c_void_p(arv.arv_camera_create_stream(camera, None, None, None))
    for _ in range(4):
        size = c_size_t(width.value * height.value * 2)
        arv.arv_stream_push_buffer(stream, c_void_p(arv.arv_buffer_new_allocate(size)))
    arv.arv_camera_start_acquisition(camera, None)
    frames: list[NDArray[np.uint16]] = []
    while len(frames) < int(number):
        buffer = c_void_p(arv.arv_stream_timeout_pop_buffer(stream, c_uint64(WAIT_US)))
        if arv.arv_buffer_get_status(buffer) == 0:
            got = c_size_t()
            place = arv.arv_buffer_get_data(buffer, byref(got))
            raw = ctypes.string_at(place, got.value)
            frames.append(np.frombuffer(raw, "<u2").reshape(height.value, width.value))
        arv.arv_stream_push_buffer(stream, buffer)
    arv.arv_camera_stop_acquisition(camera, None)
    arv.g_object_unref(stream)
    arv.g_object_unref(camera)  # gives control back, which would else be ours for 3 s
    np.save(out, np.array(frames))


if __name__ == "__main__":
    main()
