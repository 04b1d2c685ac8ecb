"""GigE Vision and USB3 Vision cameras through libaravis 0.8, by ctypes.

Signatures: Aravis reference manual, ArvCamera, ArvStream, ArvBuffer (0.8.26 and 0.8.34 agree).
The library's own thread receives packets straight into the slots that the client maps.
"""

import ctypes
import time
from collections.abc import Mapping
from contextlib import suppress
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_size_t, c_uint, c_uint64, c_void_p
from typing import Any

from optics.frame_memory import FrameMemory
from optics.frame_server.source import CameraGone, NotPossible, Region, Taken, Told, decibel
from optics.pixels import FORMATS, frame_bytes

LIBRARY = "libaravis-0.8.so.0"
SUCCESS = 0  # ArvBufferStatus
CONTINUOUS = 0  # ArvAcquisitionMode
GONE = (2, 4, 5, 6, 10)  # ArvDeviceError: not connected, transfer, timeout, not found, controller
WRAPS_AFTER = 65_535  # GigE Vision's block number: 1 to 65535, then 1 again
RETENTION_US = 100_000  # how long missing packets are waited for
BY_PREFERENCE = ("Mono16", "Mono12", "Mono12p", "Mono12Packed", "Mono14", "Mono10", "Mono8")

_POINTERS = {
    "arv_camera_new": c_void_p,
    "arv_camera_create_stream": c_void_p,
    "arv_camera_get_device": c_void_p,
    "arv_stream_timeout_pop_buffer": c_void_p,
    "arv_buffer_new_full": c_void_p,
    "arv_buffer_get_user_data": c_void_p,
    "arv_buffer_get_system_timestamp": c_uint64,
    "arv_buffer_get_frame_id": c_uint64,
    "arv_camera_get_exposure_time": c_double,
    "arv_camera_get_gain": c_double,
    "arv_camera_get_vendor_name": c_char_p,
    "arv_camera_get_model_name": c_char_p,
    "arv_camera_get_device_serial_number": c_char_p,
    "arv_camera_get_string": c_char_p,
    "arv_camera_dup_available_pixel_formats_as_strings": POINTER(c_char_p),
}


class _GError(ctypes.Structure):
    _fields_ = (("domain", ctypes.c_uint32), ("code", c_int), ("message", c_char_p))


class Aravis:
    """One camera, by its address, its serial number, or any name that the library takes."""

    def __init__(self, name: str, features: Mapping[str, str], slots: int) -> None:
        """`features` are set once, by their GenICam names, in their order."""
        self._library = _loaded()
        self._device_errors = int(self._plain("arv_device_error_quark"))
        self._lost, self._exposure_us = False, 0.0
        self._camera = c_void_p(self._call("arv_camera_new", (name or None) and name.encode()))
        self._is_gige = bool(self._plain("arv_camera_is_gv_device", self._camera))
        self._device = c_void_p(self._plain("arv_camera_get_device", self._camera))
        if self._is_gige:
            if not self._plain("arv_gv_device_is_controller", self._device):
                raise CameraGone("somebody else controls the camera")
            with suppress(NotPossible):  # some cameras have a fixed size
                self._ask("gv_auto_packet_size")
        words = " ".join(f"{feature}={value}" for feature, value in features.items())
        self._call("arv_device_set_features_from_string", self._device, words.encode())
        self._stream = c_void_p()
        self._least_gain = 0.0
        self.told = self._described()
        self._watch_control()
        slot_bytes = frame_bytes(self.told.width, self.told.height, self.told.format)
        self.memory, self.where = FrameMemory.made(slots, slot_bytes)
        self._trigger = "software"
        self._region = Region(0, 0, self.told.width, self.told.height)
        self._buffers: dict[int, c_void_p] = {}
        self._block: int | None = None  # the camera's number of the latest frame
        self._number = 0

    def set_region(self, region: Region) -> None:
        self._ask("set_region", *map(c_int, region))
        came = [c_int() for _ in region]
        self._ask("get_region", *map(byref, came))
        if tuple(value.value for value in came) != region:
            self._ask("set_region", *map(c_int, self._region))
            steps = "its regions come in steps"
            raise NotPossible(f"no {region} on this camera, but {[v.value for v in came]}: {steps}")
        self._region = region

    def set_trigger(self, source: str) -> None:
        self._trigger = source

    def start(self, exposure_us: float, gain: float, rate_hz: float) -> tuple[float, float]:
        self._ask("set_acquisition_mode", c_int(CONTINUOUS))
        self._arm(rate_hz)
        with suppress(NotPossible):  # has no automatic exposure
            self._ask("set_exposure_time_auto", c_int(0))
        self._ask("set_exposure_time", c_double(exposure_us))
        with suppress(NotPossible):  # has none to set; its limits say so
            self._ask("set_gain", c_double(self._least_gain + decibel(gain)))
        self._open_stream()
        self._block = None
        self._ask("start_acquisition")
        self._exposure_us = float(self._ask("get_exposure_time"))
        return self._exposure_us, self._really_amplified(gain)

    def trigger(self) -> None:
        self._ask("software_trigger")

    def grab(self, within_s: float) -> Taken | None:
        if self._lost:
            raise CameraGone("the camera has not answered its heartbeat")
        wait_us = c_uint64(round(within_s * 1e6))
        while buffer := self._plain("arv_stream_timeout_pop_buffer", self._stream, wait_us):
            if taken := self._taken(c_void_p(buffer)):
                return taken
        return None

    def give_back(self, taken: Taken) -> None:
        if buffer := self._buffers.pop(taken.slot, None):
            self._plain("arv_stream_push_buffer", self._stream, buffer)

    def stop(self) -> None:
        with suppress(NotPossible):
            self._ask("stop_acquisition")
        self._close_stream()

    def close(self) -> None:
        self._close_stream()
        self._plain("g_object_unref", self._camera)

    def _described(self) -> Told:
        width, height = c_int(), c_int()
        self._ask("get_sensor_size", byref(width), byref(height))
        least_us, most_us = self._bounds("get_exposure_time_bounds", (1.0, 1e9))
        self._least_gain, most_gain = self._bounds("get_gain_bounds", (0.0, 0.0))
        pixel_format = self._choose_format()
        return Told(
            maker=_text(self._ask("get_vendor_name")),
            model=_text(self._ask("get_model_name")),
            serial=_text(self._ask("get_device_serial_number")),
            firmware=self._firmware(),
            width=width.value,
            height=height.value,
            bits=FORMATS[pixel_format].bits,
            format=pixel_format,
            least_exposure_us=least_us,
            most_exposure_us=most_us,
            least_gain=1.0,
            most_gain=10.0 ** ((most_gain - self._least_gain) / 20.0),
        )

    def _firmware(self) -> str:
        for name in (b"DeviceFirmwareVersion", b"DeviceVersion"):
            with suppress(NotPossible):
                return _text(self._ask("get_string", name))
        return "unknown"

    def _choose_format(self) -> str:
        number = c_uint()
        found = self._ask("dup_available_pixel_formats_as_strings", byref(number))
        offered = {_text(found[n]) for n in range(number.value)}
        self._plain("g_free", found)
        for name in BY_PREFERENCE:
            if name in offered:
                self._ask("set_pixel_format_from_string", name.encode())
                return name
        raise NotPossible(f"gives none of {', '.join(BY_PREFERENCE)}, but {sorted(offered)}")

    def _bounds(self, getter: str, otherwise: tuple[float, float]) -> tuple[float, float]:
        low, high = c_double(), c_double()
        try:
            self._ask(getter, byref(low), byref(high))
        except NotPossible:
            return otherwise
        return low.value, high.value

    def _arm(self, rate_hz: float) -> None:
        """A run is the camera's own; single frames wait for whatever triggers them."""
        if self._trigger == "external":
            self._ask("set_trigger", b"Line0")
        elif self._trigger == "software" and not rate_hz:
            self._ask("set_trigger", b"Software")
        else:
            self._ask("clear_triggers")
            if rate_hz:
                self._ask("set_frame_rate", c_double(rate_hz))

    def _really_amplified(self, asked: float) -> float:
        """Many cameras have gains in steps."""
        try:
            gain_db = float(self._ask("get_gain")) - self._least_gain
        except NotPossible:
            return asked
        return float(10.0 ** (gain_db / 20.0))

    def _open_stream(self) -> None:
        self._stream = c_void_p(self._ask("create_stream", None, None))
        if self._is_gige:
            retention = (b"frame-retention", c_uint(RETENTION_US), None)
            self._plain("g_object_set", self._stream, *retention)
        for slot in range(self.memory.slots):
            place = ctypes.addressof(ctypes.c_char.from_buffer(self.memory.view(slot)))
            size = c_size_t(self.memory.slot_bytes)
            number = c_void_p(slot + 1)  # 0 would be a null pointer
            buffer = self._plain("arv_buffer_new_full", size, c_void_p(place), number, None)
            self._plain("arv_stream_push_buffer", self._stream, c_void_p(buffer))

    def _close_stream(self) -> None:
        """The stream owns what was pushed; what was popped is ours."""
        for buffer in self._buffers.values():
            self._plain("g_object_unref", buffer)
        self._buffers.clear()
        stream, self._stream = self._stream, c_void_p()
        if stream.value:
            self._plain("g_object_unref", stream)

    def _taken(self, buffer: c_void_p) -> Taken | None:
        """None for what comes after a later frame, or lost the packet with its number."""
        further = self._further(int(self._plain("arv_buffer_get_frame_id", buffer)))
        if further <= 0:
            self._plain("arv_stream_push_buffer", self._stream, buffer)
            return None
        self._number += further
        slot = int(self._plain("arv_buffer_get_user_data", buffer)) - 1
        self._buffers[slot] = buffer
        width, height = self._region.width, self._region.height
        return Taken(
            slot=slot,
            number=self._number,
            complete=self._plain("arv_buffer_get_status", buffer) == SUCCESS,
            began_s=self._began_s(int(self._plain("arv_buffer_get_system_timestamp", buffer))),
            width=width,
            height=height,
            bytes=frame_bytes(width, height, self.told.format),
        )

    def _further(self, block: int) -> int:
        """How many frames after the latest; each start counts anew, and GigE Vision goes round."""
        if self._is_gige and not block:
            return 0
        latest, self._block = self._block, block
        if latest is None:
            return 1
        further = block - latest
        if self._is_gige:
            further = (further + WRAPS_AFTER // 2) % WRAPS_AFTER - WRAPS_AFTER // 2
        if further <= 0:
            self._block = latest
        return further

    def _began_s(self, first_packet_ns: int) -> float:
        """By the host's clock, since the camera's is its own: packets follow the exposure."""
        since_s = time.time() - first_packet_ns * 1e-9 if first_packet_ns else 0.0
        return time.monotonic() - max(since_s, 0.0) - self._exposure_us * 1e-6

    def _watch_control(self) -> None:
        """Aravis notices by its heartbeat when a camera is gone, and tells it once."""

        def lost(_device: c_void_p, _data: c_void_p) -> None:
            self._lost = True

        self._on_lost = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)(lost)  # kept, since C holds it
        signal = (b"control-lost", self._on_lost, None, None, c_int(0))
        self._plain("g_signal_connect_data", self._device, *signal)

    def _ask(self, name: str, *args: Any) -> Any:
        return self._call(f"arv_camera_{name}", self._camera, *args)

    def _call(self, name: str, *args: Any) -> Any:
        """A function whose last argument is where it leaves its error."""
        error = POINTER(_GError)()
        answer = self._plain(name, *args, byref(error))
        if bool(error):
            domain, code = error.contents.domain, error.contents.code
            message = _text(error.contents.message)
            self._plain("g_error_free", error)
            is_gone = (domain, code) in ((self._device_errors, lost) for lost in GONE)
            raise (CameraGone if is_gone else NotPossible)(message)
        if name == "arv_camera_new" and not answer:
            raise CameraGone("there is no such camera")
        return answer

    def _plain(self, name: str, *args: Any) -> Any:
        return getattr(self._library, name)(*args)


def _loaded() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as err:
        raise CameraGone(f"{LIBRARY} is not installed: apt-get install libaravis-0.8-0") from err
    for name, kind in _POINTERS.items():
        getattr(library, name).restype = kind
    return library


def _text(raw: bytes | None) -> str:
    return (raw or b"unknown").decode(errors="replace")
