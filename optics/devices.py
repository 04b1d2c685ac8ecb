"""The shapes the rest of the product may rely on; drivers fit them, nobody names a driver."""

from typing import NamedTuple, Protocol

from optics.quantities import StageBox, StagePoint


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
