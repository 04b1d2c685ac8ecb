"""A camera's sensor: from light to numbers, with all that a real one adds."""

import math

import numpy as np
from numpy.typing import NDArray

from hil.keyed import Singles, generator
from hil.light import Spots
from hil.nature import CameraNature, OpticsNature
from hil.sensor_noise import normal, shot

ROWS_AT_ONCE = 64
"""How many rows a rolling shutter exposes at once."""
PIXELS_AT_ONCE = 1 << 15
"""Few enough for the processor's cache."""
COSMIC_E = (500.0, 6000.0)  # in one pixel of a track
COSMIC_PX = 12  # longest track
_MAPS, _FRAME = 1, 2


class Camera:
    """One sensor with its own maps."""

    def __init__(self, nature: CameraNature, optics: OpticsNature, seed: int) -> None:
        self.nature, self._seed = nature, seed
        self.spots = Spots(optics, nature.pixel_um)
        shape, rng = (nature.height_px, nature.width_px), generator(seed, _MAPS)
        self.offset_adu = nature.offset_adu + nature.offset_sd_adu * rng.standard_normal(shape)
        spread = nature.read_noise_spread * rng.standard_normal(shape)
        self.read_noise_e = nature.read_noise_e * np.exp(spread)
        self.gain_adu_per_e = nature.gain_adu_per_e * (
            1.0 + nature.gain_sd * rng.standard_normal(shape)
        )
        self.dark_e_per_s = np.full(shape, nature.dark_e_per_s)
        hot = rng.random(shape) < nature.hot_share
        self.dark_e_per_s[hot] = nature.hot_e_per_s * rng.standard_exponential(int(hot.sum()))
        self._offset_adu = self.offset_adu.astype(np.float32)
        self._read_noise_e = self.read_noise_e.astype(np.float32)
        self._gain_adu_per_e = self.gain_adu_per_e.astype(np.float32)
        self._dark_e_per_s = self.dark_e_per_s.astype(np.float32)

    def bands(self) -> list[range]:
        """Rows that are exposed at the same time."""
        nature = self.nature
        height = ROWS_AT_ONCE if nature.rolling_line_s else nature.height_px
        starts = range(0, nature.height_px, height)
        return [range(start, min(start + height, nature.height_px)) for start in starts]

    def frame(
        self, light_e_per_s: Singles, start_s: float, exposure_s: float, gain: float = 1.0
    ) -> NDArray[np.uint16]:
        """What is read out; the same exposure asked twice is the same frame."""
        rng = generator(self._seed, _FRAME, round(start_s * 1e9), round(exposure_s * 1e9))
        frame = np.empty(light_e_per_s.shape, np.uint16)
        height = max(1, PIXELS_AT_ONCE // self.nature.width_px)
        for first in range(0, len(frame), height):
            rows = slice(first, first + height)
            mean_e = light_e_per_s[rows] + self._dark_e_per_s[rows]
            mean_e *= np.float32(exposure_s)
            frame[rows] = self._read_out(shot(mean_e, rng), rows, gain, rng)
        for row, column, deposit_e in self._cosmics(exposure_s, rng):
            struck = frame[row, column] + deposit_e * self.gain_adu_per_e[row, column] * gain
            frame[row, column] = min(struck, self._highest(gain))
        return frame

    def _read_out(
        self, electrons: Singles, rows: slice, gain: float, rng: np.random.Generator
    ) -> Singles:
        np.minimum(electrons, np.float32(self.nature.full_well_e), out=electrons)
        noise = normal(electrons.shape, rng)
        noise *= self._read_noise_e[rows]
        electrons += noise
        electrons *= self._gain_adu_per_e[rows]
        electrons *= np.float32(gain)
        electrons += self._offset_adu[rows]
        np.rint(electrons, out=electrons)
        highest = np.float32((1 << self.nature.bit_depth) - 1)
        return np.clip(electrons, np.float32(0.0), highest, out=electrons)

    def _highest(self, gain: float) -> float:
        nature = self.nature
        full_adu = nature.full_well_e * nature.gain_adu_per_e * gain + nature.offset_adu
        return min(full_adu, (1 << nature.bit_depth) - 1)

    def _cosmics(self, exposure_s: float, rng: np.random.Generator) -> list[tuple[int, int, float]]:
        """Row, column and charge along straight tracks."""
        height, width = self.offset_adu.shape
        hits = []
        for _ in range(rng.poisson(self.nature.cosmic_per_s * exposure_s)):
            row, column, turn = rng.uniform((0, 0, 0), (height, width, math.pi))
            for step in range(rng.integers(1, COSMIC_PX + 1)):
                at = int(row + step * math.sin(turn)), int(column + step * math.cos(turn))
                if at[0] < height and 0 <= at[1] < width:
                    hits.append((*at, rng.uniform(*COSMIC_E)))
        return hits
