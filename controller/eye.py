"""The wide field: pictures, where their spots lie under the stage, and the sharpest height."""

import math
from typing import NamedTuple, Protocol

from controller import sensor
from controller.compute import Compute
from controller.config import CameraConfig
from controller.light import Light
from controller.probe import Probe
from controller.recordings import Recordings
from controller.wishes import Unable
from mapping.focus import focusing, sharpness
from mapping.localise import Look
from mapping.scan import Ended, advanced
from mapping.sight import seen
from optics.devices import Camera
from optics.quantities import Frame, PixelPoint, StageBox, StagePoint
from optics.sensor import Calibration

PUMPS_RAD = (0.0, math.pi / 2)
"""Two directions at right angles: together they light every dipole alike."""


class Pair(NamedTuple):
    """The same field under both directions of the pump, as often under each."""

    frames: tuple[Frame, ...]
    stage: StagePoint


class Workplace(Protocol):
    """What the eye needs of where it works."""

    light: Light

    @property
    def compute(self) -> Compute:
        """Works out."""

    @property
    def recordings(self) -> Recordings:
        """Keeps."""

    @property
    def probe(self) -> Probe:
        """Moves the focus."""


class Eye:
    """Sees while it is lit; whoever calls lights."""

    def __init__(self, camera: Camera, config: CameraConfig, at: Workplace, wide_uw: float) -> None:
        self._camera, self._config, self._wide_uw = camera, config, wide_uw
        self._compute, self._recordings = at.compute, at.recordings
        self._light, self._probe = at.light, at.probe
        self._sensor: Calibration | None = None

    async def learn_sensor(self) -> None:
        """In the dark: know each pixel, from last time or from fresh dark frames."""
        shape, kept = self._camera.sensor, sensor.kept
        self._sensor = await self._compute(kept, self._recordings, self._config, shape)
        if self._sensor is None:
            darks = [await self._exposed() for _ in range(self._config.darks)]
            pixels = [frame.pixels for frame in darks]
            learn = sensor.learn
            self._sensor = await self._compute(learn, self._recordings, self._config, pixels)

    @property
    def middle(self) -> PixelPoint:
        """Of the sensor."""
        shape = self._camera.sensor
        return PixelPoint((shape.width_px - 1) / 2, (shape.height_px - 1) / 2)

    @property
    def field_um(self) -> tuple[float, float]:
        """Width and height of what one frame sees, roughly."""
        shape, pixel_um = self._camera.sensor, self._config.pixel_um
        return shape.width_px * pixel_um, shape.height_px * pixel_um

    async def open_up(self) -> None:
        """Light the whole field."""
        await self._light.set(power_uw=self._wide_uw, wide=True)

    async def picture(self, at: StagePoint) -> Frame:
        """One frame from there."""
        [frame] = await self._pictures(at, PUMPS_RAD[0], 1)
        return frame

    async def _pictures(self, at: StagePoint, pump_rad: float, shots: int) -> list[Frame]:
        await self._probe.go(at)
        await self._light.set(pump_rad=pump_rad)
        return [(await self._exposed())._replace(stage=at) for _ in range(shots)]

    async def pair_here(self, at: StagePoint) -> Pair:
        """The same as `pair`, where the focus stands already, by offsets or not: nothing moves."""
        frames = []
        for pump_rad in PUMPS_RAD:
            await self._light.set(pump_rad=pump_rad)
            frames.append((await self._exposed())._replace(stage=at))
        return Pair((frames[0], frames[1]), at)

    async def _exposed(self) -> Frame:
        return await self._camera.frame(self._config.exposure_s, self._config.gain)

    async def pair(self, at: StagePoint, shots: int = 1) -> Pair:
        """Both directions of the pump; more shots show fainter spots."""
        frames = [await self._pictures(at, pump_rad, shots) for pump_rad in PUMPS_RAD]
        return Pair(tuple(frame for same in frames for frame in same), at)

    async def look(self, pair: Pair) -> Look:
        """The spots in both together."""
        if self._sensor is None:
            raise TypeError("the sensor was not learnt")
        return await self._compute(seen, [frame.pixels for frame in pair.frames], self._sensor)

    async def focus(self, near: StagePoint, reach_um: float, travel: StageBox) -> StagePoint:
        """The sharpest height, from `near` outwards; Unable when nothing gets sharp."""
        plan = focusing(near.z_um, reach_um, (travel.low.z_um, travel.high.z_um))
        step = await self._compute(advanced, plan, None)
        while not isinstance(step, Ended):
            frame = await self.picture(near._replace(z_um=step))
            sharp = await self._compute(sharpness, frame.pixels, sensor.psf_px(self._config))
            step = await self._compute(advanced, plan, sharp)
        if step.value is None:
            where = f"within {reach_um:.0f} um of height {near.z_um:.1f} um"
            raise Unable(f"nothing in the wide field gets sharp {where}")
        return near._replace(z_um=step.value)
