"""What a camera is and suffers, and how its pixels lie in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.chance import keyed_uniform

Frame = NDArray[np.uint16]
Made = Callable[[], Frame]
"""Works one frame out."""
Expose = Callable[[float, float, float], Made]
"""Start in s, exposure in s and gain, told once the exposure has ended."""

DARK_EXPOSURE_S = 1e-6


class CameraModel(NamedTuple):
    """What kind of camera; the defaults suit the world's own."""

    maker: str = "gansource"
    model: str = "FS-512"
    serial: str = "0001"
    firmware: str = "1.0"
    width: int = 512
    height: int = 512
    bits: int = 12
    format: str = "Mono12"  # or Mono8, Mono12p, Mono16
    readout_s: float = 0.01
    startup_s: float = 2.0
    exposure_us: tuple[float, float] = (10.0, 60e6)
    gain: tuple[float, float] = (1.0, 16.0)

    def told(self) -> dict[str, object]:
        """As the greeting has it."""
        plain = ("maker", "model", "serial", "firmware", "width", "height", "bits", "format")
        return {
            **{key: getattr(self, key) for key in plain},
            "least_exposure_us": self.exposure_us[0],
            "most_exposure_us": self.exposure_us[1],
            "least_gain": self.gain[0],
            "most_gain": self.gain[1],
        }


class Shot(NamedTuple):
    """One exposure."""

    number: int
    began_s: float
    exposure_s: float
    gain: float


@dataclass
class Sensor:
    """The camera itself, with its troubles; the server before it stays well."""

    model: CameraModel
    seed: int
    expose: Expose
    dark: bool = False
    overexposed: float = 1.0  # so many times too bright
    dropping: float = 0.0  # share of the frames that never come
    tearing: float = 0.0  # share of the frames that come incomplete
    number: int = 0  # of frames since the power came

    def shot(self, now_s: float, exposure_s: float, gain: float) -> Shot:
        """An exposure begins."""
        self.number += 1
        return Shot(self.number, now_s, exposure_s, gain)

    def comes(self, shot: Shot) -> bool:
        return keyed_uniform(self.seed, shot.number, 1) >= self.dropping

    def is_complete(self, shot: Shot) -> bool:
        return keyed_uniform(self.seed, shot.number, 2) >= self.tearing

    def developed(self, shot: Shot) -> Made:
        """What works the frame of an exposure out."""
        exposure_s = DARK_EXPOSURE_S if self.dark else shot.exposure_s
        return self.expose(shot.began_s, exposure_s, shot.gain * self.overexposed)


def pixels(made: Made, region: tuple[int, int, int, int], pixel: str) -> bytes:
    """The region of a frame, as bytes of that pixel format."""
    x, y, width, height = region
    seen = made()[y : y + height, x : x + width]
    if pixel == "Mono8":
        return seen.astype(np.uint8).tobytes()
    return _packed(seen.ravel()) if pixel == "Mono12p" else seen.astype("<u2").tobytes()


def _packed(counts: Frame) -> bytes:
    """One stream of bits, twelve for each pixel, lowest first."""
    even = np.append(counts, [0] * (len(counts) % 2)).astype(np.uint16)
    low, high = even[::2], even[1::2]
    parts = (low & 0xFF, low >> 8 | (high & 0xF) << 4, high >> 4)
    return np.stack(parts, axis=1).astype(np.uint8).tobytes()
