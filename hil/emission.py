"""How much light each emitter sends and why: pump, saturation, blinking, jumps, bleaching."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from hil.chance import keyed_bits
from hil.chip import Chip
from hil.emitters import Emitters
from hil.keyed import Floats, Ints
from hil.nature import OpticsNature
from hil.switching import bright, shifts
from hil.timeline import Timeline

MEV_NM = 1.239841984e6  # Planck's constant times the speed of light
_BLINKING, _JUMPING = 1, 2


class Forced(NamedTuple):
    """What a trouble does to one emitter."""

    dimmed: Timeline
    shifted_mev: Timeline


@dataclass(frozen=True)
class Group:
    """Some emitters of a chip, in columns so that times can stand in rows beside them."""

    which: Ints
    are: Emitters  # every field (n, 1), places (3, n, 1)
    passed: Floats  # by the filter, at home
    jumpers: tuple[int, ...]
    blinkers: tuple[int, ...]
    first_bleached_s: float


class Emission:
    """The emitters of one chip; `power_uw` is the power the laser is set to at rising times."""

    def __init__(
        self,
        chip: Chip,
        optics: OpticsNature,
        power_uw: Callable[[Floats], Floats],
        changed: Callable[[float], None],
    ) -> None:
        self.chip = chip
        self._optics, self._power_uw, self._changed = optics, power_uw, changed
        self._forced: dict[int, Forced] = {}

    def forced(self, emitter: int) -> Forced:
        """Where to write down what is done to an emitter."""
        if emitter not in self._forced:
            dimmed = Timeline(1.0, changed=self._changed)
            self._forced[emitter] = Forced(dimmed, Timeline(0.0, changed=self._changed))
        return self._forced[emitter]

    def group(self, which: Ints) -> Group:
        """These emitters, prepared."""
        emitters = self.chip.emitters
        columns = {f.name: getattr(emitters, f.name)[which, None] for f in fields(Emitters)}
        columns["place_um"] = emitters.place_um[which].T[:, :, None]
        are = Emitters(**columns)
        return Group(
            which=which,
            are=are,
            passed=self._passed(are.wavelength_nm, are.line_sd_nm),
            jumpers=tuple(np.flatnonzero(are.jumps)),
            blinkers=tuple(np.flatnonzero(are.blinks)),
            first_bleached_s=float(are.bleaches_s.min(initial=np.inf)),
        )

    def visible(self, group: Group, times_s: Floats) -> Floats:
        """The share of its light that each emitter sends through the filter at each time."""
        share = group.passed
        if group.first_bleached_s < times_s[-1]:
            share = share * (times_s < group.are.bleaches_s)
        forced = self._forced and [n for n, e in enumerate(group.which) if e in self._forced]
        if not (group.jumpers or group.blinkers or forced):
            return share
        share = share * np.ones(len(times_s))
        for n in {*group.jumpers, *forced}:
            share[n] = np.where(share[n] > 0.0, self._shifted(int(group.which[n]), times_s), 0.0)
        for n in group.blinkers:
            share[n] *= self._bright(int(group.which[n]), times_s)
        for n in forced:
            share[n] *= self._forced[int(group.which[n])].dimmed.over(times_s)[0]
        return share

    def _bright(self, emitter: int, times_s: Floats) -> Floats:
        """Off more often under a strong laser, wherever on the chip that points."""
        nature, half_uw = self.chip.nature, self.chip.emitters.saturation_uw[emitter]

        def activated(when_s: Floats) -> Floats:
            power_uw = self._power_uw(when_s)
            return np.asarray(power_uw / (power_uw + half_uw))

        start = keyed_bits(self.chip.seed, emitter, _BLINKING)
        on = bright(start, nature.blink_off_hz, nature.blink_on_hz, times_s, activated)
        return on.astype(np.float64)

    def _shifted(self, emitter: int, times_s: Floats) -> Floats:
        """The share passed after its own jumps and those forced on it."""
        nature, emitters = self.chip.nature, self.chip.emitters
        shift_mev = np.zeros(len(times_s))
        if emitters.jumps[emitter]:
            start = keyed_bits(self.chip.seed, emitter, _JUMPING)
            rate_hz = nature.jumps_per_h / 3600.0
            shift_mev += nature.jump_mev * shifts(start, rate_hz, nature.at_home, times_s)
        if emitter in self._forced:
            shift_mev += self._forced[emitter].shifted_mev.over(times_s)[0]
        energy_mev = MEV_NM / emitters.wavelength_nm[emitter] + shift_mev
        return self._passed(MEV_NM / energy_mev, emitters.line_sd_nm[emitter])

    def _passed(self, wavelength_nm: Floats, sd_nm: Floats) -> Floats:
        """What the filter's band lets through of a Gaussian line."""
        low_nm, high_nm = self._optics.filter_nm
        high, low = ndtr((high_nm - wavelength_nm) / sd_nm), ndtr((low_nm - wavelength_nm) / sd_nm)
        return np.asarray(high - low)
