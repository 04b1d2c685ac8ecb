"""The camera, whichever it is: a client of the frame server (README.md has the protocol).

Frames that came incomplete are no frames: they are asked for again, or leave a gap in the numbers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from optics import frame_protocol as protocol
from optics.devices import Identity, Sensor
from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused, DeviceStuck, OutOfReach
from optics.frame_memory import FrameMemory
from optics.frame_process import FrameProcess
from optics.link import Link, Patience, Reply
from optics.pixels import BadPixels, Correction, Counts, unpacked
from optics.quantities import Frame
from optics.transports import Opener

Crunch = Callable[..., Awaitable[Any]]
"""Runs a function with its arguments off the loop."""

ATTEMPTS = 3
HELLO = protocol.written("HELLO", version=protocol.VERSION)
FAULTS = {"refused": DeviceRefused, "range": OutOfReach, "garbled": DeviceGarbled}


class Region(NamedTuple):
    """The part of the sensor that is read out."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class CameraSettings:
    """What the operator decides about the camera."""

    region: Region | None = None  # the whole sensor
    trigger: str = "software"  # or "off", where it runs freely, or "external"
    maps: Correction | None = None


class FrameCamera:
    """A camera behind a frame server."""

    def __init__(
        self,
        opener: Opener,
        settings: CameraSettings,
        patience: Patience,
        crunch: Crunch = asyncio.to_thread,
    ) -> None:
        roomy = replace(patience, reply_bytes=protocol.BLOCK_BYTES + protocol.LINE_BYTES)
        self._link = Link("camera", opener, lambda _line: True, roomy, protocol.announced)
        self._opener, self._settings = opener, settings
        self._patience, self._crunch = patience, crunch
        self._turn = asyncio.Lock()  # a slot of memory is ours until the next request
        self._sensor = Sensor(0, 0, 0)
        self._limits: protocol.Fields = {}
        self._memory: FrameMemory | None = None
        self._latest = -1

    async def connect(self) -> Identity:
        self._latest = -1
        [line] = await self._link.open(HELLO, knows=_is_greeting)
        _, told = protocol.read(line)
        if told.get("version") != str(protocol.VERSION):
            ours = f"this program version {protocol.VERSION}"
            raise DeviceRefused("camera", f"speaks version {told.get('version')}, {ours}")
        try:
            self._sensor = Sensor(int(told["width"]), int(told["height"]), int(told["bits"]))
            identity = Identity(told["maker"], told["model"], told["serial"], told["firmware"])
        except (KeyError, ValueError) as err:
            raise DeviceGarbled("camera", f"greets with {told}") from err
        self._limits = told
        await self._share_memory(told)
        region = self._settings.region or Region(
            0, 0, self._sensor.width_px, self._sensor.height_px
        )
        await self._tell("REGION", **region._asdict())
        await self._tell("TRIGGER", source=self._settings.trigger)
        return identity

    @property
    def sensor(self) -> Sensor:
        return self._sensor

    async def frame(self, exposure_s: float, gain: float = 1.0) -> Frame:
        self._within_limits(exposure_us=exposure_s * 1e6, gain=gain)
        within_s = exposure_s + self._patience.reply_s
        for _ in range(ATTEMPTS):
            asked = {"exposure_us": exposure_s * 1e6, "gain": gain, "within_us": within_s * 1e6}
            if frame := await self._take("SNAP", within_s, **asked):
                return frame
        raise DeviceStuck("camera", f"sent {ATTEMPTS} incomplete frames in a row, or none")

    async def start(self, exposure_s: float, gain: float, rate_hz: float) -> None:
        """Begin a run of frames; `next_frame` gives them in order."""
        self._within_limits(exposure_us=exposure_s * 1e6, gain=gain)
        await self._tell("RUN", exposure_us=exposure_s * 1e6, gain=gain, rate_hz=rate_hz)

    async def next_frame(self, within_s: float) -> Frame:
        """The oldest of the run that was not given yet; DeviceStuck when none comes in time."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while (left_s := until_s - loop.time()) > 0.0:
            if frame := await self._take("NEXT", left_s, within_us=left_s * 1e6):
                return frame
        raise DeviceStuck("camera", f"no frame within {within_s:g} s")

    async def stop(self) -> None:
        """End the run."""
        await self._tell("STOP")

    async def aclose(self) -> None:
        await self._link.aclose()
        self._forget_memory()
        if isinstance(self._opener, FrameProcess):
            await self._opener.aclose()

    async def _share_memory(self, told: protocol.Fields) -> None:
        """Where the server runs on this machine the pixels need not cross the wire."""
        self._forget_memory()
        if "memory" in told:
            self._memory = await self._crunch(FrameMemory.found, told)
            await self._tell("MEMORY", use=self._memory is not None)

    def _forget_memory(self) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    async def _take(self, request: str, within_s: float, **fields: object) -> Frame | None:
        """One frame; None when it came incomplete, or none in time."""
        async with self._turn:
            message = protocol.written(request, **fields)
            line, *block = await self._link.ask(message, within_s + self._patience.reply_s)
            arrived_s = asyncio.get_running_loop().time()
            word, told = _understood(line)
            if word == "NONE":
                return None
            head = _head(word, told)
            if head.number <= self._latest:
                raise DeviceGarbled("camera", f"frame {head.number} after frame {self._latest}")
            self._latest = head.number
            if not head.complete:
                return None
            pixels = await self._pixels(head, block)
        began_s = arrived_s - head.age_us * 1e-6
        return Frame(pixels, began_s, head.exposure_us * 1e-6, head.gain, head.number)

    async def _pixels(self, head: protocol.FrameHead, block: Reply) -> Counts:
        try:
            raw = block[0] if block else _shared(self._memory, head)
            pixels: Counts = await self._crunch(_decoded, raw, head, self._settings.maps)
        except BadPixels as err:
            raise DeviceGarbled("camera", str(err)) from err
        return pixels

    def _within_limits(self, **wanted: float) -> None:
        for name, value in wanted.items():
            low = float(self._limits.get(f"least_{name}", "-inf"))
            high = float(self._limits.get(f"most_{name}", "inf"))
            if not low <= value <= high:
                raise OutOfReach("camera", f"{name} {value:g} is not within {low:g} to {high:g}")

    async def _tell(self, request: str, **fields: object) -> None:
        async with self._turn:
            [line] = await self._link.ask(protocol.written(request, **fields))
        word, told = _understood(line)
        if word != "OK":
            raise DeviceGarbled("camera", f"answers {request} with {word} {told}")


def _shared(memory: FrameMemory | None, head: protocol.FrameHead) -> memoryview:
    if memory is None:
        raise BadPixels("no pixels came, and no memory is shared")
    return memory.slot(head)


def _decoded(raw: bytes | memoryview, head: protocol.FrameHead, maps: Correction | None) -> Counts:
    if isinstance(raw, bytes) and protocol.checksum(raw) != head.crc:
        raise BadPixels("the pixels were damaged on the way")
    return unpacked(raw, head.width, head.height, head.format, maps)


def _is_greeting(reply: Reply) -> bool:
    try:
        word, told = protocol.read(reply[0])
    except protocol.BadLine:
        return False
    if told.get("kind") == "absent":
        raise DeviceLost("camera", told.get("why", "there is none"))
    return word == "CAMERA"


def _understood(line: bytes) -> tuple[str, protocol.Fields]:
    """Word and fields of a reply that is no refusal."""
    try:
        word, told = protocol.read(line)
    except protocol.BadLine as err:
        raise DeviceGarbled("camera", str(err)) from err
    if word == "ERROR":
        fault = FAULTS.get(told.get("kind", ""), DeviceLost)
        raise fault("camera", told.get("why", "says no more than ERROR"))
    return word, told


def _head(word: str, told: protocol.Fields) -> protocol.FrameHead:
    try:
        if word == "FRAME":
            return protocol.head_of(told)
    except protocol.BadLine as err:
        raise DeviceGarbled("camera", str(err)) from err
    raise DeviceGarbled("camera", f"{word} instead of a frame")
