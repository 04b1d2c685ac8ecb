"""One world and the devices that look at it, joined as in a rack; no wires, no product.

Light falls only while the board's lease is lit and the laser emits. The focus is where the
stage really stands, pushed by the voltages of the board's DAC, whose last channel turns the pump's
polarisation.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from hil.chance import keyed_bits
from hil.emulators.camera import CameraEmulator
from hil.emulators.camera_model import CameraModel, Made, Sensor
from hil.emulators.cobolt import FINE, MLD_HEAD, Cobolt
from hil.emulators.gige_camera import GigeCamera
from hil.emulators.id900 import TimeController
from hil.emulators.io_board import IoBoard
from hil.emulators.pi_gcs import PiGcs
from hil.emulators.pi_gcs_models import E727
from hil.nature import CameraNature, WorldNature
from hil.wires import Emulator
from hil.world import World

AXES = ("1", "2", "3")
CODES, MIDDLE_CODE = 65_536, 32_768
ZERO_C_K = 273.15
_WORLD, _STAGE, _LASER, _CAMERA = range(1, 5)


class Device(Protocol):
    """What every emulator can do besides speaking."""

    frozen: bool  # deaf and dumb

    def power_on(self) -> None:
        """With all it kept while it was off."""

    def power_off(self) -> None:
        """Dark, deaf, and without what such a device forgets; no timer is left."""

    def power_cycle(self) -> None:
        """Off and on again."""


class Rack:
    """Everything behind the wires."""

    def __init__(
        self, nature: WorldNature, seed: int, clock: Callable[[], float], gige: str = ""
    ) -> None:
        """`gige` is the address of a GigE Vision camera in the place of one with a wire."""
        self.clock = clock
        stage_model = replace(E727, startup_s=nature.stage.startup_s)
        self.stage = PiGcs(stage_model, clock, keyed_bits(seed, _STAGE))
        self.world = World(nature, keyed_bits(seed, _WORLD), self.stage.places_um)
        for trail in self.stage.trails:
            trail.turned = self.world.moved
        self.world.foresee()
        self.board = IoBoard(clock, self._counted)
        self._join_board()
        head = replace(MLD_HEAD, most_uw=nature.laser.most_uw, warm_up_s=nature.laser.warm_up_s)
        laser_model = replace(FINE, head=head)
        self.laser = Cobolt(laser_model, clock, keyed_bits(seed, _LASER), self._emit)
        self.camera = self._camera(_camera_model(nature.camera), keyed_bits(seed, _CAMERA), gige)
        self.tagger = TimeController(clock, self._clicks, self.world.tags)
        self.devices: dict[str, Device] = {
            "stage": self.stage,
            "board": self.board,
            "laser": self.laser,
            "camera": self.camera,
            "tagger": self.tagger,
        }
        self.ends: dict[str, Emulator] = {
            "stage": self.stage,
            "board": self.board,
            "laser": self.laser,
            "tagger": self.tagger.commands,
            "tagger-link": self.tagger.link,
            "tagger-1": self.tagger.streams[0],
            "tagger-2": self.tagger.streams[1],
        }
        if isinstance(self.camera, CameraEmulator):
            self.ends["camera"] = self.camera
        self._laser_uw, self._permitted = 0.0, False
        self._powered = False

    def _camera(self, model: CameraModel, seed: int, gige: str) -> CameraEmulator | GigeCamera:
        if gige:
            return GigeCamera(gige, Sensor(model, seed, self._expose), self.clock)
        return CameraEmulator(model, self.clock, seed, self._expose)

    def _join_board(self) -> None:
        pins = self.board.world
        pins.temperatures_c = _Thermometers(self.world, self.clock)
        pins.lit, pins.driven, pins.flipped = self._permit, self._drive, self._flip
        self._wake_dac()

    def _wake_dac(self) -> None:
        """At half of its span, by its RSTSEL pin; the offsets of the piezo are then none."""
        pins = self.board.world
        for channel in range(len(pins.codes)):
            pins.drive(channel, MIDDLE_CODE)

    def power_on(self) -> None:
        """Mains: every device starts. A rack that was on before finds its chip elsewhere."""
        if self._powered:
            self.world.power_cycle(self.clock())
            self._wake_dac()
        self._powered = True
        self.close_door()
        for device in self.devices.values():
            device.power_on()

    def power_off(self) -> None:
        for device in self.devices.values():
            device.power_off()

    def open_door(self) -> None:
        """One contact for the board, another for the laser's own interlock."""
        self.board.set_interlock(closed=False)
        self.laser.head.switch_interlock(closed=False)

    def close_door(self) -> None:
        self.board.set_interlock(closed=True)
        self.laser.head.switch_interlock(closed=True)

    def _permit(self, at_s: float, lit: bool) -> None:
        self._permitted = lit
        self._shine(at_s)

    def _drive(self, at_s: float, channel: int, code: int) -> None:
        """The DAC: three offsets of the piezo, and the rotator of the pump's polarisation."""
        nature = self.world.nature
        if channel < len(AXES):
            scale = 1.0 + nature.stage.analogue_scale_error[channel]
            offset_um = (code - MIDDLE_CODE) / CODES * nature.stage.analogue_um[channel] * scale
            self.stage.push(AXES[channel], offset_um)
        else:
            self.world.polarisation.set(at_s, code / CODES * nature.optics.rotator_rad, 1.0)

    def _flip(self, at_s: float, wide: bool) -> None:
        there_s = at_s + self.world.nature.optics.lens_travel_s
        self.world.wide_field.set(there_s, float(wide))

    def _expose(self, start_s: float, exposure_s: float, gain: float) -> Made:
        return self.world.exposing(self.world.camera, start_s, exposure_s, gain)

    def _emit(self, at_s: float, power_uw: float) -> None:
        self._laser_uw = power_uw
        self._shine(at_s)

    def _shine(self, at_s: float) -> None:
        self.world.laser_uw.set(at_s, self._laser_uw if self._permitted else 0.0)

    def _clicks(self, since_s: float, until_s: float) -> tuple[int, int]:
        self.stage.catch_up()
        return self.world.counts(since_s, until_s)

    def _counted(self, since_s: float, until_s: float, window_s: float) -> tuple[int, int, int]:
        self.stage.catch_up()
        return self.world.gate(since_s, until_s, round(window_s * 1e12))


def _camera_model(nature: CameraNature) -> CameraModel:
    return CameraModel(
        width=nature.width_px,
        height=nature.height_px,
        bits=nature.bit_depth,
        startup_s=nature.startup_s,
    )


class _Thermometers(list[float | None]):
    """Of the mount and of the air at the board, in degrees Celsius, whenever they are read."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__([None, None])
        self._world, self._clock = world, clock

    def __getitem__(self, which: int) -> float:  # type: ignore[override]
        air_k, mount_k = self._world.temperatures_k(self._clock())
        return (mount_k, air_k)[which] - ZERO_C_K
