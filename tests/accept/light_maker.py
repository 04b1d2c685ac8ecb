"""Time tags of light whose g2(0) is known; shares nothing with the code that measures it.

An emitter is a renewal process, drawn exactly: between two detected photons lie a geometric number
of excitations, each with its waits for the pump, for the decay and, now and then, in a dark state.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Generator = np.random.Generator


@dataclass(frozen=True)
class Light:
    """What shines; rates are of detected photons, both detectors together."""

    name: str
    emitters: int = 1  # 0 is a laser
    rate_cps: float = 400e3
    lifetime_ns: float = 3.0
    pump_hz: float = 5e7  # under continuous light
    pulses_hz: float = 0.0  # 0 is continuous
    excited: float = 0.9  # chance in a pulse
    shelved: float = 0.0  # chance in a decay
    shelf_ns: float = 300.0
    on_s: float = 0.0  # mean stays of a slow blinker; 0 is none
    off_s: float = 0.0
    background: float = 0.0  # share of all photons


@dataclass(frozen=True)
class Detectors:
    """Both alike."""

    dark_cps: float = 0.0
    dead_ns: float = 0.0
    afterpulsing: float = 0.0
    afterpulse_ns: float = 60.0
    jitter_ps: float = 0.0
    tail: float = 0.0  # share of clicks that come late as well
    tail_ps: float = 400.0
    delay_ps: int = 0
    first_share: float = 0.5

    @property
    def spread_ps(self) -> float:
        """Standard deviation of one detector's clicks."""
        late = self.tail * (2 - self.tail) * self.tail_ps**2
        return float(np.hypot(self.jitter_ps, np.sqrt(late)))

    def spread(self, count: int, rng: Generator) -> Floats:
        """How much later than its photon each of so many clicks comes, in ps."""
        late = np.where(rng.random(count) < self.tail, rng.exponential(self.tail_ps, count), 0)
        delays: Floats = rng.normal(0, self.jitter_ps, count) + late
        return delays


@dataclass(frozen=True)
class Recording:
    """Sorted tags of channels 0 and 1."""

    time_ps: Times
    channel: NDArray[np.uint8]
    duration_s: float
    background: float  # share of all photons in it, as it happened to be

    def arm(self, channel: int) -> Times:
        times: Times = self.time_ps[self.channel == channel]
        return times


def recording(light: Light, detectors: Detectors, duration_s: float, rng: Generator) -> Recording:
    """So many seconds of it, zero being any instant of a process that runs for long already."""
    sources = _sources(light, duration_s, rng)
    photons = np.sort(np.concatenate(sources))
    background = len(sources[0]) / max(len(photons), 1)
    first = rng.random(len(photons)) < detectors.first_share
    arms = [_clicks(part, detectors, duration_s, rng) for part in (photons[first], photons[~first])]
    arms[1] += detectors.delay_ps
    times = np.concatenate(arms)
    channels = np.repeat(np.array([0, 1], np.uint8), [len(arm) for arm in arms])
    order = np.argsort(times, kind="stable")
    return Recording(times[order], channels[order], duration_s, background)


def _sources(light: Light, duration_s: float, rng: Generator) -> list[Floats]:
    """Arrival times in ns; those of background light first."""
    lit = light.rate_cps * (1 - light.background)
    sources = [_steady(light.rate_cps * light.background, duration_s, rng)]
    if light.emitters == 0:
        laser = _steady(lit, duration_s, rng)
        if light.pulses_hz:
            period_ns = 1e9 / light.pulses_hz
            pulses = np.floor(laser / period_ns) * period_ns
            laser = pulses + rng.exponential(light.lifetime_ns, len(laser))
        sources.append(laser)
    for _ in range(light.emitters):
        one = replace(light, rate_cps=lit / light.emitters)
        sources.append(_emitter(one, duration_s, rng))
    return sources


def _steady(rate_cps: float, duration_s: float, rng: Generator) -> Floats:
    return np.sort(rng.random(rng.poisson(rate_cps * duration_s)) * duration_s * 1e9)


def _emitter(light: Light, duration_s: float, rng: Generator) -> Floats:
    """One emitter's detected photons; it has blinked and been pumped long before zero."""
    on_share = light.on_s / (light.on_s + light.off_s) if light.on_s else 1.0
    lead_ns = 1e5
    shining_ns = duration_s * 1e9 + lead_ns
    # Blinking takes time out of the emitter's own clock; more of it than will be needed.
    own_ns = shining_ns * (1.0 if on_share == 1.0 else min(1.0, 3 * on_share + 0.2))
    draw = _pulsed if light.pulses_hz else _continuous
    times = draw(light, light.rate_cps / on_share, own_ns, rng)
    if on_share < 1:
        times = _interrupted(times, light, rng)
    return times[(times > lead_ns) & (times < shining_ns)] - lead_ns


def _emissions(seen: float, expected: float, rng: Generator) -> NDArray[np.int64]:
    """How many decays to each that is detected."""
    return rng.geometric(seen, int(expected + 6 * np.sqrt(expected) + 20))


def _continuous(light: Light, rate_cps: float, own_ns: float, rng: Generator) -> Floats:
    pump_ns = 1e9 / light.pump_hz
    cycle_ns = pump_ns + light.lifetime_ns + light.shelved * light.shelf_ns
    decays = _emissions(rate_cps * cycle_ns * 1e-9, rate_cps * own_ns * 1e-9, rng)
    waits = rng.standard_gamma(decays) * pump_ns + rng.standard_gamma(decays) * light.lifetime_ns
    if light.shelved:
        stays = rng.binomial(decays, light.shelved)
        waits += np.where(stays > 0, rng.standard_gamma(np.maximum(stays, 1)), 0) * light.shelf_ns
    return np.cumsum(waits)


def _pulsed(light: Light, rate_cps: float, own_ns: float, rng: Generator) -> Floats:
    """In whole pulses: each decay blocks those that come before it is over."""
    period_ns = 1e9 / light.pulses_hz
    blocked = 1 / np.expm1(period_ns / light.lifetime_ns)
    cycle = blocked + 1 / light.excited + light.shelved * light.shelf_ns / period_ns
    seen = rate_cps / light.pulses_hz * cycle
    decays = _emissions(seen, rate_cps * own_ns * 1e-9, rng)
    last_ns = rng.exponential(light.lifetime_ns, len(decays))  # of the one that is detected
    # Of decays unseen only whole periods count, and those of an exponential are geometric.
    fast = -np.expm1(-period_ns / light.lifetime_ns)
    pulses = decays + rng.negative_binomial(decays, light.excited)
    unseen = decays - 1
    pulses += np.where(unseen > 0, rng.negative_binomial(np.maximum(unseen, 1), fast), 0)
    if light.shelved:
        stays = rng.binomial(decays, light.shelved)
        whole = rng.exponential(light.shelf_ns, int(stays.sum())) // period_ns + 1
        pulses += np.bincount(np.repeat(np.arange(len(stays)), stays), whole, len(stays)).astype(
            np.int64
        )
    passed = np.floor(last_ns / period_ns).astype(np.int64)
    at = np.cumsum(pulses) + np.cumsum(passed) - passed
    return at * period_ns + last_ns


def _interrupted(times: Floats, light: Light, rng: Generator) -> Floats:
    """Stays in the dark, put between stays in the light, in whole periods."""
    count = int(times[-1] / (light.on_s * 1e9) * 1.5 + 50)
    ends = np.cumsum(rng.exponential(light.on_s * 1e9, count))
    dark = rng.exponential(light.off_s * 1e9, count)
    if light.pulses_hz:
        period_ns = 1e9 / light.pulses_hz
        dark = np.rint(dark / period_ns) * period_ns
    shift = np.concatenate([[0.0], np.cumsum(dark)])
    moved: Floats = times + shift[np.searchsorted(ends, times)]
    return moved


def _clicks(photons: Floats, d: Detectors, duration_s: float, rng: Generator) -> Times:
    """What one detector makes of its photons, in ps."""
    clicks = np.sort(np.concatenate([photons, _steady(d.dark_cps, duration_s, rng)]))
    clicks = _rested(clicks, d.dead_ns)
    if d.afterpulsing:
        again = clicks[rng.random(len(clicks)) < d.afterpulsing]
        again = again + d.dead_ns + rng.exponential(d.afterpulse_ns, len(again))
        clicks = _rested(np.sort(np.concatenate([clicks, again])), d.dead_ns)
    return np.sort(np.rint(clicks * 1e3 + d.spread(len(clicks), rng)).astype(np.int64))


def _rested(clicks: Floats, dead_ns: float) -> Floats:
    """Without those that fell into the dead time of one that counted."""
    while dead_ns:
        close = np.diff(clicks, prepend=-np.inf) < dead_ns
        lost = close & ~np.concatenate([[False], close[:-1]])
        if not lost.any():
            break
        clicks = clicks[~lost]
    return clicks
