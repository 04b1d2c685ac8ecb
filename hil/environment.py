"""What the surroundings do to the focus: temperatures and the drift they drive, vibration."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hil.keyed import Floats, generator
from hil.nature import EnvironmentNature
from hil.waves import Waves, noise_of_rms, random_walk

DAY_S = 86_400.0
MINUTE_S = 60  # worked out at once
WANDER_HZ = (1e-5, 2e-3)
WALK_HZ = (1e-6, 0.1)
_WANDER, _WALK, _LASER, _VIBRATION = 1, 2, 3, 4


@dataclass(frozen=True)
class _Step:
    """The room is warmer from a whole second on, and what is in it follows."""

    at_s: int
    by_k: float
    lags_s: tuple[float, float]

    def air_k(self, times_s: Floats) -> Floats:
        since_s = np.maximum(times_s - self.at_s, 0.0)
        return np.asarray(self.by_k * -np.expm1(-since_s / self.lags_s[0]))

    def mount_k(self, times_s: Floats) -> Floats:
        """Behind both lags, which must differ."""
        since_s, (one_s, two_s) = np.maximum(times_s - self.at_s, 0.0), self.lags_s
        slow, fast = two_s * np.exp(-since_s / two_s), one_s * np.exp(-since_s / one_s)
        return np.asarray(self.by_k * (1.0 - (slow - fast) / (two_s - one_s)))


@dataclass(frozen=True)
class _Shake:
    """Vibration for a while; it swells and dies away as a half sine."""

    at_s: float
    for_s: float
    hz: float
    amplitude_um: tuple[float, float, float]

    def at(self, times_s: Floats) -> Floats:
        since = np.clip(times_s - self.at_s, 0.0, self.for_s)
        swell = np.sin(math.pi * since / self.for_s) * np.sin(2.0 * math.pi * self.hz * since)
        return np.asarray(swell[:, None] * np.array(self.amplitude_um))


class Environment:
    """Slow things are worked out on whole seconds and are straight between."""

    def __init__(self, nature: EnvironmentNature, laser_wander_rms: float, seed: int) -> None:
        self._nature = nature
        self._day = _day(nature)
        self._wander = noise_of_rms(WANDER_HZ, nature.wander_rms_k, generator(seed, _WANDER))
        self._late_day = self._day.lagging(nature.mount_lag_s)
        self._late_wander = self._wander.lagging(nature.mount_lag_s)
        self._laser = noise_of_rms(WANDER_HZ, laser_wander_rms, generator(seed, _LASER))
        diffusion = np.array(nature.walk_nm2_per_s) * 1e-6
        self._walk = random_walk(WALK_HZ, diffusion, generator(seed, _WALK))
        self._vibration = _vibration(nature, generator(seed, _VIBRATION))
        self._steps: list[_Step] = []
        self._shakes: list[_Shake] = []
        self._cold_starts_s: list[int] = []
        self._minute = lru_cache(maxsize=64)(self._slow_over)

    def step(self, at_s: float, by_k: float) -> None:
        """The room becomes so much warmer, for good."""
        lags_s = (self._nature.step_lag_s, self._nature.mount_lag_s)
        self._steps.append(_Step(math.ceil(at_s), by_k, lags_s))
        self._minute.cache_clear()

    def power_up(self, at_s: float) -> None:
        """The rack was cold and begins to warm its mount; at the world's start it was warm."""
        self._cold_starts_s.append(math.ceil(at_s))
        self._minute.cache_clear()

    def shake(
        self, at_s: float, for_s: float, hz: float, amplitude_um: tuple[float, float, float]
    ) -> None:
        """Somebody drills, or a pump runs."""
        self._shakes.append(_Shake(at_s, for_s, hz, amplitude_um))

    def temperatures_k(self, now_s: float) -> tuple[float, float]:
        """Of the enclosure's air and of the mount that carries the chip."""
        second = math.floor(now_s)
        before, after = self._seconds(second, second + 1)[:, 4:].tolist()
        air_k, mount_k = (
            a + (now_s - second) * (b - a) for a, b in zip(before, after, strict=True)
        )
        return air_k, mount_k

    def strays(self, times_s: Floats) -> tuple[Floats, Floats]:
        """How far the focus is from where the stage puts it, (n, 3), and the laser's slow error.

        The error is a share of its power; the times rise.
        """
        slow = self._slow(times_s)
        moved_um = slow[:, :3] + self._vibration.at(times_s)
        for shake in self._shakes:
            if shake.at_s < times_s[-1] and times_s[0] < shake.at_s + shake.for_s:
                moved_um += shake.at(times_s)
        return moved_um, slow[:, 3]

    def _slow(self, times_s: Floats) -> Floats:
        second = np.floor(times_s)
        first, share = int(second[0]), (times_s - second)[:, None]
        last = int(second[-1])
        if last == first:
            before, after = self._seconds(first, first + 1)
        elif last - first < MINUTE_S:
            slow, since = self._seconds(first, last + 1), (second - first).astype(np.int64)
            before, after = slow[since], slow[since + 1]
        else:  # far apart, perhaps
            known = np.unique(np.concatenate((second, second + 1.0)))
            slow = self._slow_at(known)
            before, after = (slow[np.searchsorted(known, end)] for end in (second, second + 1.0))
        return np.asarray(before + share * (after - before))

    def _seconds(self, first: int, last: int) -> Floats:
        """A row for each of these seconds, both ends included; no more than a minute of them."""
        minute, end = first // MINUTE_S, last // MINUTE_S
        slow = self._minute(minute)
        if end > minute:
            slow = np.concatenate((slow, self._minute(end)))
        return slow[first - minute * MINUTE_S : last - minute * MINUTE_S + 1]

    def _slow_over(self, minute: int) -> Floats:
        return self._slow_at(minute * MINUTE_S + np.arange(MINUTE_S, dtype=np.float64))

    def _slow_at(self, seconds: Floats) -> Floats:
        """Drift in x, y, z, laser, air, mount; what begins at a second is not yet felt in it."""
        air_k = (self._day.at(seconds) + self._wander.at(seconds))[:, 0]
        mount_k = (self._late_day.at(seconds) + self._late_wander.at(seconds))[:, 0]
        mount_k += self._own_heat_k(seconds)
        for step in self._steps:
            air_k += step.air_k(seconds)
            mount_k += step.mount_k(seconds)
        drift_um = np.outer(mount_k, self._nature.drift_um_per_k) + self._walk.at(seconds)
        temperatures_k = (self._nature.mean_k + air_k, self._nature.mean_k + mount_k)
        return np.column_stack((drift_um, self._laser.at(seconds), *temperatures_k))

    def _own_heat_k(self, seconds: Floats) -> Floats:
        """What it is short of since the latest cold start."""
        starts_s = np.array([-np.inf, *self._cold_starts_s])
        since_s = seconds - starts_s[np.searchsorted(starts_s, seconds) - 1]
        return np.asarray(-self._nature.warm_up_k * np.exp(-since_s / self._nature.warm_up_s))


def _day(nature: EnvironmentNature) -> Waves:
    warmest_rad = 2.0 * math.pi * nature.warmest_at_s / DAY_S
    amplitude = nature.day_amplitude_k * np.exp(1j * (math.pi / 2 - warmest_rad))
    return Waves(np.array([1.0 / DAY_S]), np.array([[amplitude]]))


def _vibration(nature: EnvironmentNature, rng: np.random.Generator) -> Waves:
    hz = np.array(nature.vibration_hz)
    phase = rng.uniform(0.0, 2.0 * math.pi, (len(hz), 3))
    swings_um = np.array(nature.vibration_nm, dtype=np.complex128).reshape(-1, 3) * 1e-3
    return Waves(hz, swings_um * np.exp(1j * phase))
