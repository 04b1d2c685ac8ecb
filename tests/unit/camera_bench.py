"""An emulated camera and the driver that is plugged into it, on whichever clock runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from hil.clock import JumpingLoop
from hil.emulators.camera import CameraEmulator
from hil.emulators.camera_model import CameraModel
from hil.eventlog import EventLog
from hil.ports import MemoryPort, TcpPort
from hil.wires import Manners, Wire
from optics.frame_camera import CameraSettings, FrameCamera
from optics.link import Patience
from optics.transports import memory_opener, opener_for

SMALL = CameraModel(width=64, height=48, startup_s=0.2, readout_s=0.002)


class Stagelight:
    """What the emulated sensor sees: a ramp that grows with exposure and gain."""

    def __init__(self, model: CameraModel) -> None:
        self.began_s: list[float] = []
        self._full = (1 << model.bits) - 1
        self.ramp = np.arange(model.width * model.height).reshape(model.height, model.width) % 1000

    def expose(
        self, start_s: float, exposure_s: float, gain: float
    ) -> Callable[[], NDArray[np.uint16]]:
        self.began_s.append(start_s)
        return lambda: self.picture(exposure_s, gain)

    def picture(self, exposure_s: float, gain: float) -> NDArray[np.uint16]:
        light = 100.0 + self.ramp * exposure_s * gain * 100.0
        counts: NDArray[np.uint16] = np.minimum(light, self._full).astype(np.uint16)
        return counts


class Bench:
    """Light, emulator, wire and driver."""

    def __init__(self, model: CameraModel, settings: CameraSettings, seed: int) -> None:
        loop = asyncio.get_running_loop()
        jumping = isinstance(loop, JumpingLoop)
        self.light = Stagelight(model)
        self.emulator = CameraEmulator(model, loop.time, seed, self.light.expose)
        self.port = MemoryPort("camera") if jumping else TcpPort()
        self.wire = Wire("camera", self.port, self.emulator, seed, Manners(), EventLog(loop.time))
        self._settings = settings

    async def plug_in(self) -> FrameCamera:
        await self.port.open()
        if isinstance(self.port, MemoryPort):
            opener = memory_opener(self.port.connect)
        else:
            opener = opener_for(self.port.address, {})
        patience = Patience(reply_s=0.5, open_s=1.0, longest_pause_s=0.2)
        self.camera = FrameCamera(opener, self._settings, patience)
        return self.camera


@asynccontextmanager
async def camera_bench(
    seed: int, model: CameraModel = SMALL, settings: CameraSettings | None = None
) -> AsyncIterator[Bench]:
    """Plugged in and connected."""
    bench = Bench(model, settings or CameraSettings(), seed)
    camera = await bench.plug_in()
    try:
        await camera.connect()
        yield bench
    finally:
        await camera.aclose()
        bench.emulator.power_off()  # or it goes on exposing while the loop is taken down
        bench.wire.close()
