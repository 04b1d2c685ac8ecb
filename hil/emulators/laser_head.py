"""What every diode laser is behind its dialect: warm-up, key, interlock, faults, light."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from hil.chance import keyed_bits, keyed_normal

Later = Callable[[float, Callable[[], None]], object]
"""Do something after so many seconds."""


def on_the_running_loop(delay_s: float, act: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(delay_s, act)


class Trip(Enum):
    """Why a head shuts itself off until somebody clears it."""

    TEMPERATURE = "temperature"
    INTERLOCK = "interlock"
    POWER = "power"


@dataclass(frozen=True)
class HeadNature:
    """One laser; powers in µW, times in s."""

    least_uw: float
    most_uw: float
    boot_s: float
    warm_up_s: float
    emission_delay_s: float
    autostart: bool  # emits by itself after power-on
    key_forgets: bool  # turned off and on again, it waits to be asked anew
    monitor_noise: float = 0.002  # rms share of the reading
    monitor_floor_uw: float = 1.0  # rms where there is no light


class LaserHead:
    """Tells `on_output(at_s, power_uw)` whenever what leaves it changes."""

    def __init__(
        self,
        nature: HeadNature,
        clock: Callable[[], float],
        seed: int,
        on_output: Callable[[float, float], None],
        later: Later = on_the_running_loop,
    ) -> None:
        self.nature, self.key_on, self.interlock_closed = nature, True, True
        self._clock, self._seed, self._later, self._on_output = clock, seed, later, on_output
        self._told_uw, self._share, self._slowness = 0.0, 1.0, 1.0
        self.powered = False
        self._reset()

    def power_on(self) -> None:
        """Cold, without a fault, at its full power; deaf until it has booted."""
        self._reset()
        now_s = self._clock()
        self.powered, self._awake_s = True, now_s + self.nature.boot_s
        self._warm_s = self._awake_s + self.nature.warm_up_s * self._slowness
        self._changed()

    def power_off(self) -> None:
        self.powered = False
        self._changed()

    def _reset(self) -> None:
        self.set_uw = self.nature.most_uw
        self.trip_cause: Trip | None = None
        self.asked, self._asked_s = self.nature.autostart, self._clock()
        self._awake_s = self._warm_s = 0.0

    @property
    def awake(self) -> bool:
        return self.powered and self._clock() >= self._awake_s

    @property
    def warm(self) -> bool:
        return self.powered and self._clock() >= self._warm_s

    @property
    def may_emit(self) -> bool:
        """Whether only warmth and being asked are wanting."""
        return self.powered and self.key_on and self.interlock_closed and self.trip_cause is None

    @property
    def delayed(self) -> bool:
        """Asked and warm, but within the delay that the law wants between key and light."""
        return self.asked and self.may_emit and self.warm and not self.emitting

    @property
    def emitting(self) -> bool:
        light_s = max(self._warm_s, self._asked_s + self.nature.emission_delay_s)
        return self.asked and self.may_emit and self._clock() >= light_s

    @property
    def output_uw(self) -> float:
        return self.set_uw * self._share if self.emitting else 0.0

    def monitor_uw(self) -> float:
        """By its own photodiode; another instant, another reading."""
        noise = keyed_normal(keyed_bits(self._seed, round(self._clock() * 1e6)))
        scale_uw = self.nature.monitor_noise * self.output_uw + self.nature.monitor_floor_uw
        return max(self.output_uw + scale_uw * noise, 0.0)

    def ask(self, *, on: bool) -> None:
        self.asked, self._asked_s = on, self._clock()
        self._changed()

    def set_power(self, power_uw: float) -> None:
        self.set_uw = power_uw
        self._changed()

    def turn_key(self, *, on: bool) -> None:
        self.key_on, self._asked_s = on, self._clock()
        self.asked = self.asked and (on or not self.nature.key_forgets)
        self._changed()

    def switch_interlock(self, *, closed: bool) -> None:
        """Open, it ends the light and leaves a fault behind."""
        self.interlock_closed = closed
        if closed:
            self._changed()
        else:
            self.trip(Trip.INTERLOCK)

    def trip(self, cause: Trip = Trip.TEMPERATURE) -> None:
        self.trip_cause, self.asked = cause, False
        self._changed()

    def clear(self) -> bool:
        """Forget a fault, unless its cause stands."""
        if self.trip_cause is Trip.INTERLOCK and not self.interlock_closed:
            return False
        self.trip_cause = None
        self._changed()
        return True

    def sag(self, share: float) -> None:
        """So much of the set power is all that it can hold; 1 heals it."""
        self._share = share
        self._changed()

    def slow_warm_up(self, times: float) -> None:
        """From the next power-on it takes that many times as long."""
        self._slowness = times

    def chill(self, for_s: float) -> None:
        """Cold now; warm again after so long."""
        self._warm_s = self._clock() + for_s
        self._changed()

    def _changed(self) -> None:
        """Tell what leaves it now, and look again when that will change by itself."""
        now_s = self._clock()
        if self.output_uw != self._told_uw:
            self._told_uw = self.output_uw
            self._on_output(now_s, self._told_uw)
        light_s = max(self._warm_s, self._asked_s + self.nature.emission_delay_s)
        if self.asked and self.may_emit and light_s > now_s:
            self._later(light_s - now_s + 1e-6, self._changed)
