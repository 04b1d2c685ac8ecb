"""Basler's cameras through Basler's own library (`pip install pypylon`, under Basler's licence).

Written from the pylon C++ API reference, InstantCamera and GrabResultData; feature names are those
of GenICam's SFNC. `PYLON_CAMEMU=1` in the environment gives a camera emulated by that library.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pypylon import genicam, pylon

from optics.frame_memory import FrameMemory
from optics.frame_server.source import CameraGone, NotPossible, Region, Taken, Told, decibel
from optics.pixels import FORMATS, frame_bytes

BY_PREFERENCE = ("Mono16", "Mono12", "Mono12p", "Mono12Packed", "Mono10", "Mono8")


class Pylon:
    """One camera, by its serial number or the first there is."""

    def __init__(self, serial: str, features: Mapping[str, str], slots: int) -> None:
        """`features` are set once, by their GenICam names, in their order."""
        factory, wanted = pylon.TlFactory.GetInstance(), pylon.DeviceInfo()
        if serial:
            wanted.SetSerialNumber(serial)
        try:
            self._camera = pylon.InstantCamera(factory.CreateFirstDevice(wanted))
            self._camera.Open()
        except genicam.GenericException as err:
            raise CameraGone(err.GetDescription()) from err
        for name, value in features.items():
            self._set_words(name, value)
        self._least_gain = float(self._feature("Gain").Min)
        self.told = self._described()
        slot_bytes = frame_bytes(self.told.width, self.told.height, self.told.format)
        self.memory, self.where = FrameMemory.made(slots, slot_bytes)
        self._camera.MaxNumBuffer.Value = slots
        self._free = list(range(slots))
        self._trigger, self._exposure_s = "software", 0.0
        self._before = self._number = 0  # of earlier grabs, and in all

    def set_region(self, region: Region) -> None:
        for name in ("OffsetX", "OffsetY"):  # first, so that no size is refused for its place
            self._set(name, 0)
        self._set("Width", region.width)
        self._set("Height", region.height)
        self._set("OffsetX", region.x)
        self._set("OffsetY", region.y)

    def set_trigger(self, source: str) -> None:
        self._trigger = source

    def start(self, exposure_us: float, gain: float, rate_hz: float) -> tuple[float, float]:
        self._arm(rate_hz)
        self._set("ExposureTime", exposure_us)
        self._set("Gain", self._least_gain + decibel(gain))
        self._exposure_s = float(self._feature("ExposureTime").Value) * 1e-6
        self._before = self._number
        self._camera.StartGrabbing(pylon.GrabStrategy_OneByOne)
        really_db = float(self._feature("Gain").Value) - self._least_gain
        return self._exposure_s * 1e6, 10.0 ** (really_db / 20.0)

    def trigger(self) -> None:
        self._feature("TriggerSoftware").Execute()

    def grab(self, within_s: float) -> Taken | None:
        try:
            result = self._camera.RetrieveResult(
                round(within_s * 1e3), pylon.TimeoutHandling_Return
            )
        except genicam.GenericException as err:
            raise CameraGone(err.GetDescription()) from err
        with result:
            if result.IsValid():
                return self._taken(result)
        if self._camera.IsCameraDeviceRemoved():
            raise CameraGone("the camera is unplugged")
        return None

    def give_back(self, taken: Taken) -> None:
        self._free.append(taken.slot)

    def stop(self) -> None:
        self._camera.StopGrabbing()

    def close(self) -> None:
        with suppress(genicam.GenericException):  # it may be gone
            self._camera.Close()

    def _described(self) -> Told:
        offered = self._feature("PixelFormat").Symbolics
        chosen = next((name for name in BY_PREFERENCE if name in offered), None)
        if chosen is None:
            raise NotPossible(f"gives none of {', '.join(BY_PREFERENCE)}, but {sorted(offered)}")
        self._set("PixelFormat", chosen)
        info, exposure = self._camera.GetDeviceInfo(), self._feature("ExposureTime")
        return Told(
            maker=info.GetVendorName(),
            model=info.GetModelName(),
            serial=info.GetSerialNumber(),
            firmware=str(self._feature("DeviceFirmwareVersion").Value),
            width=int(self._feature("WidthMax").Value),
            height=int(self._feature("HeightMax").Value),
            bits=FORMATS[chosen].bits,
            format=chosen,
            least_exposure_us=float(exposure.Min),
            most_exposure_us=float(exposure.Max),
            least_gain=1.0,
            most_gain=10.0 ** ((float(self._feature("Gain").Max) - self._least_gain) / 20.0),
        )

    def _arm(self, rate_hz: float) -> None:
        """A run is the camera's own; single frames wait for whatever triggers them."""
        triggered = self._trigger == "external" or (self._trigger == "software" and not rate_hz)
        self._set("TriggerSelector", "FrameStart")
        self._set("TriggerMode", "On" if triggered else "Off")
        if triggered:
            self._set("TriggerSource", "Software" if self._trigger == "software" else "Line1")
        self._set("AcquisitionFrameRateEnable", bool(rate_hz))
        if rate_hz:
            self._set("AcquisitionFrameRate", rate_hz)

    def _taken(self, result: Any) -> Taken:
        """Into a slot: the one copy that the library's own buffers cost."""
        self._number = self._before + int(result.ImageNumber)
        width, height, slot = int(result.Width), int(result.Height), self._free.pop(0)
        size = frame_bytes(width, height, self.told.format)
        complete = bool(result.GrabSucceeded()) and result.PayloadSize >= size
        if complete:
            self.memory.view(slot)[:size] = result.GetMemoryView()[:size]
        began_s = time.monotonic() - self._exposure_s
        return Taken(slot, self._number, complete, began_s, width, height, size)

    def _feature(self, name: str) -> Any:
        try:
            return getattr(self._camera, name)
        except (AttributeError, genicam.GenericException) as err:
            raise NotPossible(f"the camera has no {name}") from err

    def _set(self, name: str, value: object) -> None:
        try:
            self._feature(name).Value = value
        except genicam.GenericException as err:
            raise NotPossible(f"{name} cannot be {value}: {err.GetDescription()}") from err

    def _set_words(self, name: str, words: str) -> None:
        """As an address has it; `1` executes a command."""
        feature = self._feature(name)
        try:
            feature.FromString(words)
        except genicam.GenericException as err:
            raise NotPossible(f"{name} cannot be {words}: {err.GetDescription()}") from err
