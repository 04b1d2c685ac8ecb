"""Light of many kinds, measured as the command does it, and held against what it was."""

import math
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.photon_reading import Question, measure
from controller.photon_report import Outcome
from optics.corrections import Lights
from optics.photon_statistics import Known
from tests.accept.light_maker import Detectors, Generator, Light, Times, recording
from tests.accept.ptu_maker import BY_NAME, file, records

THICK = Detectors(jitter_ps=150, dead_ns=30, afterpulsing=0.01, dark_cps=100, delay_ps=12_345)
THIN = Detectors(
    jitter_ps=50, dead_ns=77, afterpulsing=0.03, afterpulse_ns=100, dark_cps=50, delay_ps=-40_321
)
SLOW = Detectors(jitter_ps=350, dead_ns=45, afterpulsing=0.005, dark_cps=250, tail=0.2, tail_ps=500)
STEP_PS = 16


@dataclass(frozen=True)
class Kind:
    """One kind of light, and for how long it is recorded."""

    light: Light
    detectors: Detectors
    duration_s: float
    delay_told: bool = False
    t3: bool = False
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.light.name)


CONTINUOUS = [
    Kind(Light("one", background=0.1), THICK, 3.0),
    Kind(Light("two", emitters=2, background=0.05), THICK, 3.0),
    Kind(Light("laser", emitters=0), THICK, 3.0, delay_told=True),
    Kind(Light("shelving", shelved=0.01, background=0.05), THICK, 3.0),
    Kind(Light("deep shelving", shelved=0.05, shelf_ns=1000), SLOW, 3.0),
    Kind(Light("fast", lifetime_ns=1.0, pump_hz=1e8, background=0.05), THIN, 4.0),
    Kind(Light("late clicks", lifetime_ns=2.0, background=0.1), SLOW, 3.0),
    Kind(Light("blinking", on_s=0.01, off_s=0.01, background=0.05), THICK, 3.0),
    Kind(Light("faint", rate_cps=40e3, background=0.1), THICK, 3.0, delay_told=True),
    Kind(Light("bright", rate_cps=2e6, pump_hz=2e8, background=0.1), THIN, 0.5),
]
PULSED = [
    Kind(Light("20 MHz 5 ns", 1, 200e3, 5.0, pulses_hz=20e6, background=0.05), THICK, 3.0),
    Kind(Light("40 MHz 3 ns", 1, 200e3, 3.0, pulses_hz=40e6, background=0.1), THICK, 3.0, t3=True),
    Kind(Light("80 MHz 3 ns", 1, 200e3, 3.0, pulses_hz=80e6, background=0.05), SLOW, 3.0),
    Kind(Light("80 MHz 5 ns", 1, 300e3, 5.0, pulses_hz=80e6), THICK, 3.0),
    Kind(Light("76 MHz 1 ns", 1, 200e3, 1.0, pulses_hz=76e6, background=0.1), THIN, 3.0),
    Kind(Light("two in pulses", 2, 200e3, 2.0, pulses_hz=40e6, background=0.05), THICK, 3.0),
    Kind(Light("laser pulses", 0, 200e3, 0.5, pulses_hz=40e6), THICK, 3.0, delay_told=True),
    Kind(Light("shelving in pulses", 1, 200e3, 4.0, pulses_hz=40e6, shelved=0.02), THICK, 3.0),
    Kind(Light("faint pulses", 1, 30e3, 3.0, pulses_hz=40e6), THICK, 2.0, delay_told=True),
    Kind(
        Light("blinking in pulses", 1, 200e3, 3.0, pulses_hz=40e6, on_s=0.01, off_s=0.02),
        THICK,
        3.0,
    ),
]
KINDS = CONTINUOUS + PULSED


class Trial(NamedTuple):
    """What was found and what is so."""

    outcome: Outcome
    true: float  # g2(0) of the light without background
    true_raw: float  # as detectors show it


def trial(kind: Kind, rng: Generator) -> Trial:
    """One recording, everything known of it told to the command."""
    light, detectors = kind.light, kind.detectors
    tags = recording(light, detectors, kind.duration_s, rng)
    clicks_cps = len(tags.time_ps) / tags.duration_s
    background = tags.background * (1 - 2 * detectors.dark_cps / clicks_cps)
    known = Known(
        jitter_ps=detectors.spread_ps,
        lights=Lights((detectors.dark_cps, detectors.dark_cps), background),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tags"
        if kind.t3:
            path.write_bytes(_t3(tags.time_ps, tags.channel, light.pulses_hz))
        else:
            np.savez(path.with_suffix(".npz"), time_ps=tags.time_ps, channel=tags.channel)
            path = path.with_suffix(".npz")
        told = detectors.delay_ps if kind.delay_told else None
        mode = "pulsed" if light.pulses_hz else "cw"
        outcome = measure(Question(path, None, None, 100, None, mode, told, known))
    true = (0.0, 0.5)[light.emitters - 1] if light.emitters else 1.0
    return Trial(outcome, true, _raw(light, detectors, true, clicks_cps, rng))


def _t3(times: Times, channels: NDArray[np.uint8], pulses_hz: float) -> bytes:
    kind, period_ps = BY_NAME["MultiHarp T3"], round(1e12 / pulses_hz)
    times = np.maximum(times + 10 * period_ps, 0)
    syncs, rest = np.divmod(times, period_ps)
    words = records(kind, syncs, channels.astype(np.int64), rest // STEP_PS)
    return file(kind, words, period_ps * 1e-12, STEP_PS * 1e-12)


def _raw(light: Light, d: Detectors, true: float, clicks_cps: float, rng: Generator) -> float:
    """The textbook's: spread, bunching, background and dark clicks, then afterpulses."""
    on_share = light.on_s / (light.on_s + light.off_s) if light.on_s else 1.0
    bunched = 1.0
    filled = 0.0
    if light.pulses_hz == 0 and light.emitters:
        hump, dip_ps = _three_levels(light)
        bunched += hump
        apart = d.spread(200_000, rng) - d.spread(200_000, rng)
        filled = 1 - float(np.exp(-np.abs(apart) / dip_ps).mean())
    each = bunched / on_share
    emitted = 1.0
    if light.emitters:
        emitted = each * filled / light.emitters + (1 - 1 / light.emitters)
    lit = (1 - light.background) * (1 - 2 * d.dark_cps / clicks_cps)
    seen = 1 + lit**2 * (emitted - 1)
    beside = 1 + lit**2 * (each / max(light.emitters, 1) - 1 / max(light.emitters, 1))
    return (seen + (2 * d.afterpulsing + d.afterpulsing**2) * beside) / (1 + d.afterpulsing) ** 2


def _three_levels(light: Light) -> tuple[float, float]:
    """The height of the hump and the dip's decay time, exactly.

    The rates are the poles of the renewal density f / (1 - f), f being the Laplace transform of the
    time between two decays; the height follows from its slope at zero.
    """
    pump, decay, back = light.pump_hz * 1e-9, 1 / light.lifetime_ns, 1 / light.shelf_ns
    total = pump + decay + back
    product = back * (pump + decay) + light.shelved * pump * decay
    apart = math.sqrt(total**2 - 4 * product)
    fast = (total + apart) / 2
    slope = (1 - light.shelved) * (pump + decay + light.shelved * pump * decay / back)
    return (slope - fast) / apart, 1e3 / fast


class Honesty(NamedTuple):
    """How often the claims held."""

    trials: int
    within_1: float
    within_2: float
    below_bound: float
    raw_below_bound: float
    bias: float  # mean of (found - true) / error


def honesty(trials: Iterable[Trial]) -> Honesty:
    """Over some."""
    rows = np.array([_row(one) for one in trials])
    z, below, raw_below = rows.T
    size = np.abs(z)
    means = (float(held.mean()) for held in (size < 1, size < 2, below, raw_below, z))
    return Honesty(len(z), *means)


def _row(trial: Trial) -> tuple[float, bool, bool]:
    found, raw = trial.outcome.statistics.g2_zero, trial.outcome.statistics.measured.raw
    z = (found.value - trial.true) / found.error
    return z, found.upper_95 >= trial.true, raw.upper_95 >= trial.true_raw
