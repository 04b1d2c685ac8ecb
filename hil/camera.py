"""A camera's sensor: from light to numbers, with all that a real one adds."""

import math

import numpy as np
from numpy.typing import NDArray

from hil.keyed import Floats, expanded, generator, inverted
from hil.light import Spots
from hil.nature import CameraNature, OpticsNature

ROWS_AT_ONCE = 64
"""Few enough for the processor's cache; also how many a rolling shutter exposes at once."""
FEW_E = 10.0
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

    def bands(self) -> list[range]:
        """Rows that are exposed at the same time."""
        nature = self.nature
        height = ROWS_AT_ONCE if nature.rolling_line_s else nature.height_px
        starts = range(0, nature.height_px, height)
        return [range(start, min(start + height, nature.height_px)) for start in starts]

    def frame(
        self, light_e_per_s: Floats, start_s: float, exposure_s: float, gain: float = 1.0
    ) -> NDArray[np.uint16]:
        """What is read out; the same exposure asked twice is the same frame."""
        rng = generator(self._seed, _FRAME, round(start_s * 1e9), round(exposure_s * 1e9))
        frame = np.empty(light_e_per_s.shape, np.uint16)
        for first in range(0, len(frame), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            mean_e = (light_e_per_s[rows] + self.dark_e_per_s[rows]) * exposure_s
            frame[rows] = self._read_out(_shot(mean_e, rng), rows, gain, rng)
        for row, column, deposit_e in self._cosmics(exposure_s, rng):
            struck = frame[row, column] + deposit_e * self.gain_adu_per_e[row, column] * gain
            frame[row, column] = min(struck, self._highest(gain))
        return frame

    def _read_out(
        self, electrons: Floats, rows: slice, gain: float, rng: np.random.Generator
    ) -> Floats:
        np.minimum(electrons, self.nature.full_well_e, out=electrons)
        noise = rng.standard_normal(electrons.shape)
        noise *= self.read_noise_e[rows]
        electrons += noise
        electrons *= self.gain_adu_per_e[rows]
        electrons *= gain
        electrons += self.offset_adu[rows]
        np.rint(electrons, out=electrons)
        return np.clip(electrons, 0.0, (1 << self.nature.bit_depth) - 1, out=electrons)

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


def _shot(mean_e: Floats, rng: np.random.Generator) -> Floats:
    """Whole electrons: Poisson."""
    many = mean_e >= FEW_E
    if many.all():
        return expanded(mean_e, rng.standard_normal(mean_e.shape))
    few_e = inverted(np.where(many, 0.0, mean_e), rng.random(mean_e.shape))
    electrons = few_e.astype(np.float64)
    electrons[many] = expanded(mean_e[many], rng.standard_normal(int(many.sum())))
    return electrons
