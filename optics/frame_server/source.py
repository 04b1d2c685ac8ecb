"""The shape a camera library takes behind the frame server: it may block, in its own process."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from optics.frame_memory import FrameMemory


class CameraGone(Exception):
    """The camera does not answer any more; only connecting anew can help."""


class NotPossible(Exception):
    """The camera cannot do what was asked."""


@dataclass(frozen=True)
class Told:
    """What a camera says of itself; gains are factors over its least."""

    maker: str
    model: str
    serial: str
    firmware: str
    width: int
    height: int
    bits: int
    format: str
    least_exposure_us: float
    most_exposure_us: float
    least_gain: float
    most_gain: float


class Region(NamedTuple):
    """The part of the sensor that is read out."""

    x: int
    y: int
    width: int
    height: int


class Taken(NamedTuple):
    """One frame, in its slot."""

    slot: int
    number: int  # of the camera's counting; a gap is a frame that was lost
    complete: bool
    began_s: float  # of the exposure, by CLOCK_MONOTONIC
    width: int
    height: int
    bytes: int


class Source(Protocol):
    """A camera library, or what stands for one."""

    @property
    def told(self) -> Told:
        """Who it is and what it can."""

    @property
    def memory(self) -> FrameMemory:
        """Whose slots the frames lie in."""

    @property
    def where(self) -> Mapping[str, object]:
        """What clients must be told to find it."""

    def set_region(self, region: Region) -> None:
        """NotPossible when the sensor cannot be read out so."""

    def set_trigger(self, source: str) -> None:
        """`software`, `off` or `external`; NotPossible when it has no such thing."""

    def start(self, exposure_us: float, gain: float, rate_hz: float) -> tuple[float, float]:
        """Begin to take frames, at a rate or, when that is 0, as triggered; what was really set."""

    def trigger(self) -> None:
        """Begin an exposure, where the trigger is `software`."""

    def grab(self, within_s: float) -> Taken | None:
        """The oldest frame not given yet; None when none comes in time."""

    def give_back(self, taken: Taken) -> None:
        """Its slot may be written again."""

    def stop(self) -> None:
        """No more frames; all slots are free."""

    def close(self) -> None:
        """Give the camera back."""


def decibel(factor: float) -> float:
    """GenICam's SFNC has gains in dB."""
    return 20.0 * math.log10(factor)
