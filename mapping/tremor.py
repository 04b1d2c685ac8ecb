"""Whether light that is counted in short gates is steady, flickers, or shakes at one frequency."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SLOW = 4  # of the lowest frequencies: steps and slow changes, no vibration
LEAST_GATES = 16


class Tremor(NamedTuple):
    """Of a run of gates."""

    scatter: float  # variance over mean, less the 1 of steady light
    beat: float  # the share of the scatter that lies about one frequency


def tremor(clicks: Sequence[int]) -> Tremor:
    """Of gates of equal length, one after the other; nothing where they are too few."""
    counts = np.array(clicks, float)
    mean = float(counts.mean()) if len(counts) >= LEAST_GATES else 0.0
    if mean <= 0.0:
        return Tremor(0.0, 0.0)
    scatter = float(counts.var(ddof=1)) / mean - 1
    power = np.abs(np.fft.rfft(counts - mean)) ** 2 / (len(counts) * mean) - 1  # white light: 0
    fast = np.maximum(power[SLOW:], 0.0)
    all_ = max(float(np.maximum(power[1:], 0.0).sum()), 1.0)
    best = int(np.argmax(fast))
    line = float(fast[max(best - 1, 0) : best + 2].sum())
    return Tremor(scatter, line / all_ if scatter > 0 else 0.0)
