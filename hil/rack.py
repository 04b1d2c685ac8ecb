"""One world and the devices that look at it, joined as in a rack; no wires, no product.

Light falls only while the board's lease is lit and the laser emits. The focus is where the
stage really stands, pushed by the voltages of the board's DAC.
"""

from collections.abc import Callable
from typing import Protocol

from hil.chance import keyed_bits
from hil.emulators.io_board import IoBoard
from hil.emulators.pi_gcs import PiGcs
from hil.emulators.pi_gcs_models import E727
from hil.nature import WorldNature
from hil.world import World

CODES, MIDDLE_CODE = 65_536, 32_768
ZERO_C_K = 273.15
_WORLD, _STAGE = 1, 2


class Device(Protocol):
    """What every emulator can do besides speaking."""

    frozen: bool  # deaf and dumb

    def receive(self, data: bytes) -> bytes:
        """Take what arrived, however it was cut up; return what the device says to it."""

    def power_on(self) -> None:
        """With all it kept while it was off."""

    def power_off(self) -> None:
        """Dark, deaf, and without what such a device forgets; no timer is left."""

    def power_cycle(self) -> None:
        """Off and on again."""


class Rack:
    """Everything behind the wires."""

    def __init__(self, nature: WorldNature, seed: int, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.stage = PiGcs(E727, clock, keyed_bits(seed, _STAGE))
        self.world = World(nature, keyed_bits(seed, _WORLD), self.stage.places_um)
        for trail in self.stage.trails:
            trail.turned = self.world.changed
        self.world.foresee()
        self.board = IoBoard(clock, self._counted)
        self.board.world.temperatures_c = _Thermometers(self.world, clock)
        self.board.world.lit = self._permit
        self.devices: dict[str, Device] = {"stage": self.stage, "board": self.board}
        self._laser_uw, self._permitted = 0.0, False
        self._powered = False

    def power_on(self) -> None:
        """Mains: every device starts. A rack that was on before finds its chip elsewhere."""
        if self._powered:
            self.world.power_cycle(self.clock())
        self._powered = True
        self.board.set_interlock(closed=True)
        for device in self.devices.values():
            device.power_on()

    def power_off(self) -> None:
        for device in self.devices.values():
            device.power_off()

    def _permit(self, at_s: float, lit: bool) -> None:
        self._permitted = lit
        self._shine(at_s)

    def _emit(self, at_s: float, power_uw: float) -> None:
        self._laser_uw = power_uw
        self._shine(at_s)

    def _shine(self, at_s: float) -> None:
        self.world.laser_uw.set(at_s, self._laser_uw if self._permitted else 0.0)

    def _counted(self, since_s: float, until_s: float, window_s: float) -> tuple[int, int, int]:
        self.stage.catch_up()
        a, b = self.world.counts(since_s, until_s)
        return a, b, self.world.coincidences(since_s, until_s, round(window_s * 1e12))


class _Thermometers(list[float | None]):
    """Of the mount and of the air at the board, in degrees Celsius, whenever they are read."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__([None, None])
        self._world, self._clock = world, clock

    def __getitem__(self, which: int) -> float:  # type: ignore[override]
        air_k, mount_k = self._world.temperatures_k(self._clock())
        return (mount_k, air_k)[which] - ZERO_C_K
