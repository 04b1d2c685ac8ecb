"""Noise without a tick: sums of sine waves with keyed phases.

Such noise has a value at any instant and a known spectrum, and behind a first-order lag it
still has a closed form.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.keyed import Floats

WAVES_PER_DECADE = 10


@dataclass(frozen=True)
class Waves:
    """A sum of sine waves for each of some quantities."""

    hz: Floats  # (waves,)
    amplitude: NDArray[np.complex128]  # (waves, quantities): of exp(i t), the imaginary part counts

    def at(self, times_s: Floats) -> Floats:
        """A row for each time, a column for each quantity."""
        angle = np.outer(times_s, 2.0 * math.pi * self.hz)
        return np.asarray(np.sin(angle) @ self.amplitude.real + np.cos(angle) @ self.amplitude.imag)

    def lagging(self, lag_s: float) -> "Waves":
        """Behind a first-order lag."""
        return Waves(self.hz, self.amplitude / (1.0 + 2j * math.pi * self.hz[:, None] * lag_s))


def noise(
    band_hz: tuple[float, float], slope: float, strength: Floats, rng: np.random.Generator
) -> Waves:
    """Power density strength * f^slope, one-sided, inside the band; one quantity per strength.

    A wave stands for each of many narrow bands, somewhere inside it, and holds its power.
    """
    low, high = np.log10(band_hz)
    edges = np.logspace(low, high, int((high - low) * WAVES_PER_DECADE) + 1)
    hz = edges[:-1] * (edges[1:] / edges[:-1]) ** rng.uniform(0.0, 1.0, len(edges) - 1)
    power = hz[:, None] ** slope * np.diff(edges)[:, None] * strength[None, :]
    phase = rng.uniform(0.0, 2.0 * math.pi, power.shape)
    return Waves(hz, np.sqrt(2.0 * power) * np.exp(1j * phase))


def noise_of_rms(band_hz: tuple[float, float], rms: float, rng: np.random.Generator) -> Waves:
    """Equal power in each octave, and that much in all."""
    return noise(band_hz, -1.0, np.array([rms * rms / math.log(band_hz[1] / band_hz[0])]), rng)


def random_walk(band_hz: tuple[float, float], um2_per_s: Floats, rng: np.random.Generator) -> Waves:
    """Mean square displacement `um2_per_s` times the time between, inside the band."""
    return noise(band_hz, -2.0, um2_per_s / (2.0 * math.pi**2), rng)
