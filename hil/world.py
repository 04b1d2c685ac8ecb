"""Ground truth: chip, emitters, light, drift, as functions of time; there is no tick.

All devices ask the same world. Commands and troubles are written into its timelines with the
instant at which they happen; answers about instants before that do not change.
"""

import itertools
import math
import sys
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hil.arrivals import CELL_PS
from hil.blocks import Blocks
from hil.camera import Camera
from hil.cells import CELL_S, CELLS_PER_S, Counting, Glow
from hil.chance import keyed_bits
from hil.chip import Chip
from hil.confocal import Confocal
from hil.emission import Emission
from hil.environment import Environment
from hil.keyed import Floats, Ints, bits, normals
from hil.nature import WorldNature
from hil.photons import Photons
from hil.picture import electrons_per_s, view
from hil.pose import StageErrors, drawn_pose
from hil.scene import Conditions, Scene
from hil.spad import Spad
from hil.timeline import Timeline

Stage = Callable[[Floats], Floats]
"""Where the stage says it is, x, y, z in um (n, 3), at rising times, those gone by included."""

LOOKS_PER_EXPOSURE = 16
BRIGHTEST = 20.0
"""Times the mean fluorescence: more than emitters and marks together send."""
_CHIP, _POSE, _SURROUNDINGS, _PHOTONS, _CAMERA, _LASER = range(1, 7)


class World:
    """One rack's inside; `laser_uw` and the other timelines are what commands change."""

    def __init__(self, nature: WorldNature, seed: int, stage: Stage) -> None:
        self.nature, self._seed, self._stage = nature, seed, stage
        self._foreseen: Callable[[int], None] = lambda _cell: None
        self.laser_uw = Timeline(0.0, changed=self.changed)  # what the laser is told to send
        self.laser_share = Timeline(1.0, changed=self.changed)  # what a trouble leaves of it
        # Angle in rad; 1 linear to 0 circular.
        self.polarisation = Timeline(0.0, 0.0, changed=self.changed)
        # 1 lights the whole field instead of the focus.
        self.wide_field = Timeline(0.0, changed=self.changed)
        self.lamp_cps = Timeline(0.0, changed=self.changed)
        self.detectors = Timeline(1.0, 1.0, changed=self.changed)  # 0 is dead
        surroundings = keyed_bits(seed, _SURROUNDINGS)
        self.environment = Environment(nature.environment, nature.laser.wander_rms, surroundings)
        self.camera = Camera(nature.camera, nature.optics, keyed_bits(seed, _CAMERA))
        self.errors = StageErrors(nature.stage)
        self._laser_key = keyed_bits(seed, _LASER)
        self._confocal = Confocal(nature.optics)
        self._chip = lru_cache(maxsize=4)(self._made_chip)
        self._cycle = self._chip_number = 0
        self._since_cell, self._scenes = [-(1 << 62)], [self._set_scene()]
        self._strays = Blocks(lambda cells: self._strays_at(cells / CELLS_PER_S))
        spads = (Spad(nature.spads[0]), Spad(nature.spads[1]))
        photons = keyed_bits(seed, _PHOTONS)
        counting = Counting(self._light, self._brightest_cps, nature.optics, spads, photons)
        self._photons = Photons(counting, spads, photons)

    def foresee(self) -> None:
        """Count ahead of time; from now on the stage's moves must be told to `moved`."""
        self._foreseen = self._photons.foresee(self._next_scene)

    def changed(self, at_s: float) -> None:
        """Something will be otherwise than it was bound to be, from that instant on."""
        self._foreseen(_cell_of(at_s))

    def moved(self, at_s: float) -> None:
        """The stage does otherwise from then on, which nobody sees in the dark."""
        if self.laser_uw.highest(at_s, math.inf):
            self.changed(at_s)

    def look_ahead(self, most_cells: int) -> None:
        """Work out no more than that at once; the numbers are the same."""
        self._photons.look_ahead(most_cells)

    def counts(self, since_s: float, until_s: float) -> tuple[int, int]:
        """Clicks of both detectors; whole milliseconds are quick."""
        counted = [self._photons.counts(*span) for span in self._spans(since_s, until_s)]
        return sum(a for a, _ in counted), sum(b for _, b in counted)

    def gate(self, since_s: float, until_s: float, within_ps: int) -> tuple[int, int, int]:
        """Clicks of both and coincidences, over whole milliseconds: the nearest."""
        first, end = round(since_s * CELLS_PER_S), round(until_s * CELLS_PER_S)
        if first >= self._since_cell[-1]:
            return self._photons.gate(first, end, within_ps)
        span_s = first / CELLS_PER_S, end / CELLS_PER_S
        return (*self.counts(*span_s), self.coincidences(*span_s, within_ps))

    def coincidences(self, since_s: float, until_s: float, within_ps: int) -> int:
        """Pairs no further apart; their number is drawn, the tags agree with it on average."""
        spans = self._spans(since_s, until_s)
        return sum(self._photons.coincidences(*span, within_ps) for span in spans)

    def tags(self, since_s: float, until_s: float) -> tuple[Ints, Ints]:
        """Rising times in ps and the channel of each: the very clicks that are counted."""
        found = [self._photons.tags(*span) for span in self._spans(since_s, until_s)]
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])

    def frame(
        self, camera: Camera, start_s: float, exposure_s: float, gain: float = 1.0
    ) -> NDArray[np.uint16]:
        """One picture; row by row later under a rolling shutter."""
        return self.exposing(camera, start_s, exposure_s, gain)()

    def exposing(
        self, camera: Camera, start_s: float, exposure_s: float, gain: float = 1.0
    ) -> Callable[[], NDArray[np.uint16]]:
        """What works the picture out; it may run in another thread, whatever becomes of us."""
        looks = (np.arange(LOOKS_PER_EXPOSURE) + 0.5) / LOOKS_PER_EXPOSURE * exposure_s
        views = []
        for rows in camera.bands():
            times_s = start_s + rows.start * camera.nature.rolling_line_s + looks
            scene = self.scene(times_s[-1])
            now = self._conditions(scene, times_s, self._strays_at(times_s))
            views.append(view(scene, now, camera.nature, rows))

        def picture() -> NDArray[np.uint16]:
            light = [electrons_per_s(seen, camera.nature, camera.spots) for seen in views]
            return camera.frame(np.concatenate(light), start_s, exposure_s, gain)

        return picture

    def in_sight(self, camera: Camera, now_s: float) -> tuple[Floats, Floats]:
        """Column, row, height in um (n, 3) of emitters in or near a frame, and counts a second."""
        rows = range(camera.nature.height_px)
        seen = view(self.scene(now_s), self._now(now_s), camera.nature, rows)
        height_um = seen.place_um[:, 2:] - seen.now.focus_um[0, 2]
        return np.hstack((seen.grid.px(seen.place_um[:, :2]), height_um)), seen.cps[:, 0]

    def laser_power_uw(self, now_s: float) -> float:
        """What really reaches the chip."""
        return self._now(now_s).power_uw.item()

    def temperatures_k(self, now_s: float) -> tuple[float, float]:
        """Of the enclosure's air and of the mount."""
        return self.environment.temperatures_k(now_s)

    def scene(self, now_s: float) -> Scene:
        """The chip that is in, and how it lies."""
        return self._scenes[bisect_right(self._since_cell, now_s / CELL_S + 1e-6) - 1]

    def focus_um(self, now_s: float) -> Floats:
        """Where on the chip the focus is: x, y, and z above its surface."""
        return np.asarray(self._now(now_s).focus_um[0])

    def aim_um(self, place_um: Floats, now_s: float) -> Floats:
        """What the stage must say for the focus to be at that place on the chip."""
        moved_um = self._strays_at(np.array([now_s]))[:3].T
        true_um = self.scene(now_s).pose.off_chip_um(place_um[None, :]) - moved_um
        return np.asarray(self.errors.stage_um(true_um)[0])

    def signal_cps(self, emitter: int, now_s: float) -> tuple[float, float]:
        """Mean rate of one emitter, both detectors: as pointed, and as pointed best."""
        as_is, at_best = self.signals_cps(emitter, np.array([now_s]))
        return as_is.item(), at_best.item()

    def signals_cps(self, emitter: int, times_s: Floats) -> tuple[Floats, Floats]:
        """The same at rising times that lie in one scene."""
        scene = self.scene(times_s[-1])
        return scene.signals_cps(
            emitter, self._conditions(scene, times_s, self._strays_at(times_s))
        )

    def faced(self, now_s: float) -> tuple[int, float]:
        """The emitter that the focus is best on, and how strongly it answers; -1 is none."""
        return self.scene(now_s).faced(self._now(now_s))

    def near_um(self, now_s: float, within_um: float) -> Floats:
        """The places of emitters around the focus, on the chip."""
        focus_um, chip = self.focus_um(now_s), self.scene(now_s).chip
        return np.asarray(chip.emitters.place_um[chip.within(focus_um[:2], within_um)])

    def outlook(self, now_s: float) -> tuple[Scene, Conditions]:
        """The scene and how things stand in it."""
        return self.scene(now_s), self._now(now_s)

    def bleach(self, emitter: int, at_s: float) -> None:
        """For ever."""
        self.scene(at_s).emission.forced(emitter).dimmed.set(at_s, 0.0)

    def blink_off(self, emitter: int, at_s: float, for_s: float) -> None:
        """Dark for a while."""
        self.scene(at_s).emission.forced(emitter).dimmed.between(at_s, at_s + for_s, 0.0)

    def jump(self, emitter: int, at_s: float, by_mev: float) -> None:
        """To another wavelength, perhaps out of the filter; 0 is back."""
        self.scene(at_s).emission.forced(emitter).shifted_mev.set(at_s, by_mev)

    def temperature_step(self, at_s: float, by_k: float) -> None:
        """The room becomes so much warmer, and the rack follows."""
        self.environment.step(at_s, by_k)
        self._surroundings_changed(at_s)

    def shake(
        self, at_s: float, for_s: float, hz: float, amplitude_um: tuple[float, float, float]
    ) -> None:
        """Vibration for a while."""
        self.environment.shake(at_s, for_s, hz, amplitude_um)
        self._surroundings_changed(at_s)

    def swap_chip(self, at_s: float) -> None:
        """Another chip of the same nature, not quite where the old one lay."""
        self._chip_number += 1
        self._change_scene(at_s)

    def power_cycle(self, at_s: float) -> None:
        """The same chip lies otherwise, and the rack begins cold."""
        self.environment.power_up(at_s)
        self._surroundings_changed(at_s)
        self._change_scene(at_s)

    def _surroundings_changed(self, at_s: float) -> None:
        self._strays.forget()
        self.changed(at_s)

    def _next_scene(self, cell: int) -> int:
        later = bisect_right(self._since_cell, cell)
        return self._since_cell[later] if later < len(self._since_cell) else sys.maxsize

    def _change_scene(self, at_s: float) -> None:
        self._cycle += 1
        self.changed(at_s)
        self._since_cell.append(_cell_of(at_s))
        self._scenes.append(self._set_scene())

    def _set_scene(self) -> Scene:
        pose = drawn_pose(self.nature.pose, keyed_bits(self._seed, _POSE), self._cycle)
        return Scene(self._chip(self._chip_number), pose, self.nature.optics, self._confocal)

    def _made_chip(self, number: int) -> Emission:
        chip = Chip(self.nature.chip, keyed_bits(self._seed, _CHIP, number))
        return Emission(chip, self.nature.optics, self._set_power_uw, self.changed)

    def _spans(self, since_s: float, until_s: float) -> list[tuple[int, int]]:
        """In ps, cut where the scene changes; whole ns, so that a float's error is forgiven."""
        since_ps, until_ps = round(since_s * 1e9) * 1000, round(until_s * 1e9) * 1000
        cuts = [cell * CELL_PS for cell in self._since_cell[1:]]
        edges = [since_ps, *(cut for cut in cuts if since_ps < cut < until_ps), until_ps]
        return list(itertools.pairwise(edges))

    def _light(self, cells: range) -> Glow:
        times_s = np.arange(cells.start, cells.stop, cells.step) / CELLS_PER_S
        scene = self.scene(times_s[-1])
        if not self.laser_uw.highest(times_s[0], times_s[-1]):
            return scene.unlit(self.lamp_cps.over(times_s)[0], self.detectors.over(times_s))
        return scene.glow(self._conditions(scene, times_s, self._strays.at(cells)))

    def _brightest_cps(self, first: int, end: int) -> float:
        since_s, until_s = first / CELLS_PER_S, end / CELLS_PER_S
        glow_cps = BRIGHTEST * self.nature.chip.background_cps_per_uw
        lamp_cps = self.lamp_cps.highest(since_s, until_s)
        return lamp_cps + glow_cps * self.laser_uw.highest(since_s, until_s)

    def _now(self, now_s: float) -> Conditions:
        times_s = np.array([now_s])
        return self._conditions(self.scene(now_s), times_s, self._strays_at(times_s))

    def _conditions(self, scene: Scene, times_s: Floats, strays: Floats) -> Conditions:
        true_um = self.errors.true_um(self._stage(times_s)) + strays[:3].T
        angle_rad, linearity = self.polarisation.over(times_s)
        return Conditions(
            times_s=times_s,
            focus_um=scene.pose.on_chip_um(true_um),
            power_uw=self._set_power_uw(times_s) * strays[3],
            wide=self.wide_field.over(times_s)[0] > 0.0,
            pump_rad=angle_rad + scene.pose.turn_rad,
            linearity=linearity,
            lamp_cps=self.lamp_cps.over(times_s)[0],
            alive=self.detectors.over(times_s),
        )

    def _strays_at(self, times_s: Floats) -> Floats:
        """What no command changes: three rows of displacement, one of the laser's true share."""
        moved_um, wander = self.environment.strays(times_s)
        cell = np.floor(times_s / CELL_S + 1e-6).astype(np.int64)
        noise = self.nature.laser.noise_rms * normals(bits(self._laser_key, cell))
        return np.vstack((moved_um.T, np.maximum(1.0 + wander + noise, 0.0)))

    def _set_power_uw(self, times_s: Floats) -> Floats:
        return np.asarray(self.laser_uw.over(times_s)[0] * self.laser_share.over(times_s)[0])


def _cell_of(at_s: float) -> int:
    """The first cell that begins then or later."""
    return math.ceil(at_s / CELL_S - 1e-6)
