"""A chip in its pose under the optics: what reaches the fibre."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from hil.cells import Glow
from hil.confocal import REACH_UM, Confocal
from hil.emission import Emission, Group
from hil.keyed import Flags, Floats
from hil.nature import OpticsNature
from hil.pose import Pose
from hil.scenery import Pieces

TILE_UM = 0.5


@dataclass(frozen=True)
class Conditions:
    """How things stand at some rising times; one column stands for all where nothing changes."""

    times_s: Floats
    focus_um: Floats  # on the chip, (n, 3)
    power_uw: Floats  # on the chip, in whichever way it is lit
    wide: Flags  # lit over the whole field instead of in the focus
    pump_rad: Floats  # direction of polarisation on the chip
    linearity: Floats  # 1 linear, 0 circular
    lamp_cps: Floats  # light of a lamp, as the detectors count it
    alive: Floats  # (2, n)


class Scene:
    """From one change of chip or pose to the next."""

    def __init__(
        self, emission: Emission, pose: Pose, optics: OpticsNature, confocal: Confocal
    ) -> None:
        self.chip, self.emission, self.pose = emission.chip, emission, pose
        self.optics, self.confocal = optics, confocal
        self._around = lru_cache(maxsize=256)(self._look_around)

    def glow(self, now: Conditions) -> Glow:
        """For the detectors."""
        group, pieces = self.near(now.focus_um)
        excited, collected = self.response(group, now)
        share = self.excitation(group, excited, now)
        cps = group.are.saturated_cps * collected * share
        cps *= self.emission.visible(group, now.times_s)
        lit_uw = self._lit_uw(now) * self.chip.scenery.at(now.focus_um[:, :2], pieces)
        background_cps = lit_uw * self.chip.nature.background_cps_per_uw + now.lamp_cps
        return Glow(group.which, group.are, cps, share, background_cps, now.alive)

    def unlit(self, lamp_cps: Floats, alive: Floats) -> Glow:
        """For the detectors, where no laser shines: whatever the focus is on."""
        nothing = self._nothing
        none = np.zeros((0, 1))
        return Glow(nothing.which, nothing.are, none, none, lamp_cps, alive)

    @cached_property
    def _nothing(self) -> Group:
        return self.emission.group(np.zeros(0, np.int64))

    def signals_cps(self, emitter: int, now: Conditions) -> tuple[Floats, Floats]:
        """Mean rate of one emitter at each time: as it is pointed at, and as it would be best."""
        group = self.emission.group(np.array([emitter]))
        excited, collected = self.response(group, now)
        most_cps = group.are.saturated_cps * self.emission.visible(group, now.times_s)
        as_is = most_cps * collected * self.excitation(group, excited, now)
        at_best = most_cps * self.excitation(group, np.ones_like(excited), now)
        shape = now.times_s.shape
        return np.broadcast_to(as_is[0], shape), np.broadcast_to(at_best[0], shape)

    def faced(self, now: Conditions) -> tuple[int, float]:
        """The emitter that the focus is best on, and how strongly it answers; -1 is none."""
        group = self.near(now.focus_um)[0]
        if not len(group.which):
            return -1, 0.0
        excited, collected = self.response(group, now)
        share = (excited * collected)[:, -1]
        best = int(np.argmax(share))
        return int(group.which[best]), float(share[best])

    def excitation(self, group: Group, excited: Floats, now: Conditions) -> Floats:
        """The saturation law, s / (1 + s), after Malus' for the dipole."""
        turned = np.cos(2.0 * (now.pump_rad - group.are.dipole_rad))
        absorbed = 0.5 + 0.5 * now.linearity * group.are.visibility * turned
        pumped = now.power_uw * excited * (absorbed / group.are.saturation_uw)
        return np.asarray(pumped / (1.0 + pumped))

    def near(self, focus_um: Floats) -> tuple[Group, Pieces]:
        """All emitters and pieces of scenery that a focus on this way can light."""
        left, below, _ = focus_um.min(axis=0).tolist()
        right, above, _ = focus_um.max(axis=0).tolist()
        tiles = int(max(right - left, above - below) / TILE_UM)
        return self._around(
            round((left + right) / 2 / TILE_UM), round((below + above) / 2 / TILE_UM), tiles
        )

    def wide_share(self, off_um: Floats) -> Floats:
        """Density of the wide field's light over that in the focus, so far from the focus."""
        off_um = off_um - self.wide_centre_um
        square = np.sum(off_um * off_um, axis=-1) / self.optics.wide_radius_um**2
        return np.asarray(self.optics.wide_to_spot * np.exp(-2.0 * square))

    @cached_property
    def wide_centre_um(self) -> Floats:
        """From the focus, on the chip."""
        return self.pose.turned(np.array(self.optics.wide_centre_um))

    def response(self, group: Group, now: Conditions) -> tuple[Floats, Floats]:
        """How strongly each emitter is lit and collected; 1 is best."""
        off_um = group.are.place_um - now.focus_um.T[:, None, :]
        distance_um = np.sqrt(off_um[0] * off_um[0] + off_um[1] * off_um[1])
        excited, collected = self.confocal.at(distance_um, off_um[2])
        if now.wide.any():
            wide = self.wide_share(np.moveaxis(off_um[:2], 0, -1))
            excited = np.where(now.wide, wide, excited)
        return excited, collected

    def _lit_uw(self, now: Conditions) -> Floats:
        """Of the chip's own glow: evenly lit, more of it is seen than is lit by the spot."""
        if not now.wide.any():
            return now.power_uw
        wide = self.wide_share(np.zeros(2)) * self.confocal.seen_um2 / self.confocal.lit_um2
        return now.power_uw * np.where(now.wide, wide, 1.0)

    def _look_around(self, column: int, row: int, tiles: int) -> tuple[Group, Pieces]:
        """Far enough for whatever the rounding took from the middle and the way."""
        middle_um = np.array((column, row)) * TILE_UM
        reach_um = REACH_UM + (0.75 * tiles + 1.5) * TILE_UM
        pieces = self.chip.scenery.pieces.near(middle_um, reach_um)
        return self.emission.group(self.chip.within(middle_um, reach_um)), pieces
