"""The shapes the rest of the product may rely on; drivers fit them, nobody names a driver."""

from typing import NamedTuple, Protocol

from optics.quantities import CountGate, Frame, StageBox, StagePoint, TagRun


class Identity(NamedTuple):
    """Who a device says it is."""

    maker: str
    model: str
    serial: str
    firmware: str


class Stage(Protocol):
    """Moves the chip under the objective."""

    async def connect(self) -> Identity:
        """Open the wire, make sure who answers, take control; DeviceLost when nobody does."""

    async def reference(self) -> bool:
        """Make positions mean the same as last time; True when the stage had to move for it."""

    @property
    def travel(self) -> StageBox:
        """Where the stage may stand: what was configured and what it says of itself."""

    async def move_to(self, target: StagePoint) -> None:
        """Return once the stage stands there; OutOfReach and nothing sent beyond the travel."""

    async def position(self) -> StagePoint:
        """Where its sensors see it now."""

    async def halt(self) -> None:
        """Stop now and hold; may be called while a move is under way."""

    async def aclose(self) -> None:
        """Give the wire back."""


class LaserStatus(NamedTuple):
    """What the laser says of itself."""

    emitting: bool
    set_uw: float
    power_uw: float  # by its own monitor
    ready: bool  # warm, key turned, interlock closed, no fault: it would emit if told to
    trouble: str  # in its own words, or empty
    left_by_interlock: bool = False  # all that troubles it is that its interlock was open: clear it


class Laser(Protocol):
    """Excites the emitters. That it may emit at all is the board's lease, not this."""

    async def connect(self) -> Identity:
        """As of the stage; the laser does not emit afterwards."""

    @property
    def range_uw(self) -> tuple[float, float]:
        """Least and most it can be set to."""

    async def set_power(self, power_uw: float) -> None:
        """OutOfReach and nothing sent beyond the range."""

    async def switch(self, *, on: bool) -> None:
        """Ask it to emit, or to cease; DeviceRefused with the reason when it will not.

        Light comes when the laser is warm: `status` tells.
        """

    async def clear(self) -> None:
        """Forget a fault whose cause is gone; DeviceRefused with the reason when it stands."""

    async def status(self) -> LaserStatus:
        """What it says now."""

    async def aclose(self) -> None:
        """Give the wire back."""


class Sensor(NamedTuple):
    """A camera's shape."""

    width_px: int
    height_px: int
    bit_depth: int


class Camera(Protocol):
    """Sees the wide field."""

    async def connect(self) -> Identity:
        """As of the stage."""

    @property
    def sensor(self) -> Sensor:
        """Its shape; known once it is connected."""

    async def frame(self, exposure_s: float, gain: float = 1.0) -> Frame:
        """One picture whose exposure began after this was called."""

    async def aclose(self) -> None:
        """Give the wire back."""


class Detector(Protocol):
    """Time tags of every click on both channels."""

    async def connect(self) -> Identity:
        """As of the stage."""

    async def rates_cps(self) -> tuple[float, float]:
        """Of both channels, over the device's own last second or so."""

    async def tags(self, for_s: float) -> TagRun:
        """Every click of so long a time from now."""

    async def aclose(self) -> None:
        """Give the wire back."""


class LeaseStatus(NamedTuple):
    """Whether there may be light."""

    lit: bool
    left_s: float
    ended_by: str  # reason of the last end, or empty
    ended_s_ago: float


class Board(Protocol):
    """Our own I/O board: permission for light, counts, slow inputs and outputs."""

    async def connect(self) -> Identity:
        """As of the stage; DeviceRefused, with what to flash, when it speaks another version."""

    async def light(self) -> None:
        """Begin a lease: own up to the last end, then take the first permission."""

    async def renew(self) -> None:
        """Keep the light for one more term; DeviceRefused with the reason when it has ended."""

    async def darken(self) -> None:
        """Give the lease back."""

    async def lease(self) -> LeaseStatus:
        """How the permission stands."""

    async def interlock_closed(self) -> bool:
        """Whether the door is shut, as the board believes it."""

    async def gates(self) -> list[CountGate]:
        """Those that ended since last asked, oldest first."""

    async def set_gate(self, gate_s: float) -> None:
        """How long one gate counts."""

    async def offset(self, x_um: float, y_um: float, z_um: float) -> None:
        """Displace the stage by the piezo's analogue inputs; OutOfReach beyond their range."""

    async def polarise(self, angle_rad: float) -> None:
        """Turn the pump's linear polarisation."""

    async def widen(self, *, wide: bool) -> None:
        """Light the whole field instead of the focus, or the focus again."""

    async def temperatures_k(self) -> tuple[float, float]:
        """Of the laser mount and of the board; NaN for a sensor that is lost."""

    async def aclose(self) -> None:
        """Give the wire back."""
