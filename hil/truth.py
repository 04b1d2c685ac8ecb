"""What the world says of a run: who was pointed at, how well, and how much light it gave.

A site's name is bound to the emitter that shines when the name is first claimed; the same name
with another emitter, or on another chip, is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from hil.chance import keyed_bits
from hil.keyed import Floats, bits, uniforms
from hil.limit import least_loss, response_width_um
from hil.scene import Scene
from hil.world import World

SHINING = frozenset({"READY", "EMITTING"})
FACED = 1e-3
"""Of the best response; below it the focus is on nobody."""
GOOD = 0.9


class Claim(NamedTuple):
    """What the source says of itself at one instant."""

    state: str
    site: str = ""
    fault: str = ""

    @property
    def shines(self) -> bool:
        return self.state in SHINING


@dataclass
class Tally:
    """Sums over the time in which the source claimed to be ready or emitting."""

    claimed_s: float = 0.0
    delivered: float = 0.0
    best: float = 0.0
    below_s: float = 0.0
    wrong_s: float = 0.0
    lit_s: float = 0.0
    rates_cps: list[float] = field(default_factory=list)


class Judge:
    """Looks at random instants, one in each interval, so that no dither hides from it."""

    def __init__(self, world: World, seed: int, look_every_s: float) -> None:
        self._world, self._every_s = world, look_every_s
        self._key = keyed_bits(seed, 0x7472757468)
        self._bound: dict[str, tuple[int, int]] = {}
        self._looks = 0
        self.tally = Tally()
        self.target: tuple[int, int] | None = None
        self.first_photons_s: float | None = None
        self._restarted_s = 0.0

    def restarted(self, now_s: float) -> None:
        """The rack was without power; the time to photons counts from now."""
        self._restarted_s, self.first_photons_s = now_s, None

    def look(self, since_s: float, until_s: float, claim: Claim) -> None:
        """At what was true while that was claimed."""
        number = max(round((until_s - since_s) / self._every_s), 1)
        at = uniforms(bits(self._key, np.arange(self._looks, self._looks + number, dtype=np.int64)))
        self._looks += number
        if not claim.shines or not self._bind(claim.site, until_s):
            return
        step_s = (until_s - since_s) / number
        self._sum(since_s + (np.arange(number) + at) * step_s, step_s)

    def _bind(self, site: str, now_s: float) -> bool:
        """Whether it is known by now whom that name means."""
        if site not in self._bound:
            emitter, share = self._world.faced(now_s)
            if share < FACED or not self._world.laser_power_uw(now_s):
                return False
            self._bound[site] = self._chip(now_s), emitter
        self.target = self._bound[site]
        return True

    def _sum(self, times_s: Floats, step_s: float) -> None:
        if self.target is None:
            return
        chip, emitter = self.target
        tally, last_s = self.tally, float(times_s[-1])
        tally.claimed_s += len(times_s) * step_s
        if self._chip(last_s) != chip:
            tally.wrong_s += len(times_s) * step_s
            return
        faced, share = self._world.faced(last_s)
        if faced != emitter and share > FACED:
            tally.wrong_s += len(times_s) * step_s
        as_is, at_best = self._world.signals_cps(emitter, times_s)
        tally.delivered += float(as_is.sum()) * step_s
        tally.best += float(at_best.sum()) * step_s
        tally.below_s += step_s * int(np.sum((as_is < GOOD * at_best) & (at_best > 0.0)))
        tally.lit_s += step_s * int(np.sum(at_best > 0.0))
        if at_best[-1] > 0.0:
            tally.rates_cps.append(float(as_is.mean()))
        if self.first_photons_s is None and as_is[-1] > 0.5 * at_best[-1] > 0.0:
            self.first_photons_s = last_s - self._restarted_s

    def verdict(self, now_s: float) -> dict[str, Any]:
        """The report's `truth`; what is not known is null."""
        tally = self.tally
        delivered = tally.delivered / tally.best if tally.best else None
        return {
            "target_site": self._named(),
            "final_error_nm": self._error_nm(now_s),
            "on_target": self._on_target(now_s),
            "time_to_photons_s": _rounded(self.first_photons_s, 3),
            "wrong_emitter_s": round(tally.wrong_s, 3),
            "delivered_fraction": _rounded(delivered, 6),
            "limit_fraction": _rounded(self._limit(now_s), 6),
            "time_below_90pct_s": round(tally.below_s, 3),
        }

    def brightness_sd_share(self) -> float | None:
        """Spread of the true rate while there was light, one mean for each claim."""
        rates = np.array(self.tally.rates_cps)
        return float(rates.std() / rates.mean()) if len(rates) > 1 else None

    def _chip(self, now_s: float) -> int:
        return self._world.scene(now_s).chip.seed

    def _named(self) -> str | None:
        names = [name for name, bound in self._bound.items() if bound == self.target]
        return names[-1] if names else None

    def _same_chip(self, now_s: float) -> bool:
        return self.target is not None and self._chip(now_s) == self.target[0]

    def _error_nm(self, now_s: float) -> dict[str, float | None]:
        if self.target is None or not self._same_chip(now_s):
            return {"x": None, "y": None, "z": None}
        place_um = self._world.scene(now_s).chip.emitters.place_um[self.target[1]]
        off_nm = (self._world.focus_um(now_s) - place_um) * 1e3
        return {axis: round(float(nm), 2) for axis, nm in zip("xyz", off_nm, strict=True)}

    def _on_target(self, now_s: float) -> bool:
        if self.target is None or not self._same_chip(now_s):
            return False
        faced, share = self._world.faced(now_s)
        return faced == self.target[1] and share > 0.5

    def _limit(self, now_s: float) -> float | None:
        """The least share of light that must be lost to know where the emitter is."""
        if self.target is None or not self.tally.lit_s or not self._same_chip(now_s):
            return None
        optics, spads = self._world.nature.optics, self._world.nature.spads
        shares = (optics.splitter_to_a, 1.0 - optics.splitter_to_a)
        seen = sum(s * spad.efficiency for s, spad in zip(shares, spads, strict=True))
        seen /= optics.reference_efficiency
        scene, now = self._world.outlook(now_s)
        signal_cps = seen * self.tally.best / self.tally.lit_s
        glow_cps = now.power_uw.item() * scene.chip.nature.background_cps_per_uw
        counted_cps = signal_cps + seen * glow_cps + sum(spad.dark_cps for spad in spads)
        group = scene.emission.group(np.array([self.target[1]]))
        best = scene.excitation(group, np.ones((1, 1)), now).item()
        loss = 0.0
        for axis, nm2_per_s in enumerate(self._world.nature.environment.walk_nm2_per_s):
            width_um = response_width_um(_response(scene, axis, best))
            loss += least_loss(width_um, signal_cps**2 / counted_cps, nm2_per_s * 1e-6)
        return 1.0 - loss


def _response(scene: Scene, axis: int, best: float) -> Callable[[float], float]:
    """Rate beside an emitter over that on it, excited so far at best; across, or along the axis."""
    pumped = best / (1.0 - best)

    def share(off_um: float) -> float:
        across_um, along_um = (abs(off_um), 0.0) if axis < 2 else (0.0, off_um)
        found = scene.confocal.at(np.array([across_um]), np.array([along_um]))
        excited, collected = (part.item() for part in found)
        return collected * excited * (1.0 + pumped) / (1.0 + pumped * excited)

    return share


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
