"""A scene as a camera looks at it."""

from dataclasses import dataclass

import numpy as np

from hil.backdrop import Grid, glow
from hil.confocal import REACH_UM
from hil.keyed import Floats, Ints, Singles
from hil.light import Spots
from hil.nature import CameraNature
from hil.scene import Conditions, Scene

SMEARED_FROM_UM = 0.04
"""A shorter way during an exposure is not seen beside the width of the diffraction pattern."""


@dataclass(frozen=True)
class View:
    """Some rows of a camera for the time of an exposure, and the emitters in sight of them."""

    scene: Scene
    now: Conditions
    rows: range
    grid: Grid
    place_um: Floats  # (n, 3)
    cps: Floats  # of each emitter at each time


def view(scene: Scene, now: Conditions, camera: CameraNature, rows: range) -> View:
    """All that may still change, so that the rest can be worked out at leisure."""
    grid = _grid(scene, now.focus_um.mean(axis=0), camera, rows)
    group = scene.emission.group(_in_sight(scene, grid))
    excited, _ = scene.response(group, now)
    cps = group.are.saturated_cps * scene.excitation(group, excited, now)
    cps = cps * scene.emission.visible(group, now.times_s)
    return View(scene, now, rows, grid, group.are.place_um[:, :, 0].T, cps)


def _in_sight(scene: Scene, grid: Grid) -> Ints:
    """Emitters of which some light falls on these rows."""
    near = scene.chip.within(grid.middle_um, grid.reach_um + REACH_UM)
    off_px = grid.px(scene.chip.emitters.place_um[near, :2])
    rows, columns = grid.shape
    margin_px = REACH_UM / grid.pixel_um + 2.0
    beyond_px = np.maximum(-off_px, off_px - (columns - 1.0, rows - 1.0))
    return near[(beyond_px < margin_px).all(axis=1)]


def electrons_per_s(seen: View, camera: CameraNature, spots: Spots) -> Singles:
    """In each pixel of those rows, on average over the times."""
    scene, now, grid = seen.scene, seen.now, seen.grid
    canvas = spots.canvas(*grid.shape)
    for focus_um, light_cps in _still(now.focus_um, seen.cps):
        here = _grid(scene, focus_um, camera, seen.rows)
        height_um = seen.place_um[:, 2] - focus_um[2]
        places = np.column_stack((here.px(seen.place_um[:, :2]), height_um))
        spots.draw(canvas, places, light_cps)
    _draw_spot(scene, canvas, now, grid, spots)
    light = spots.seen(canvas) + _even(scene, now, grid)
    light *= np.float32(camera.electrons_per_count)
    return light


def _even(scene: Scene, now: Conditions, grid: Grid) -> Singles:
    """Light without sharp edges: the chip's own under a wide field, and the lamp's."""
    pixel_um2 = grid.pixel_um**2
    lamp_cps = now.lamp_cps.mean() * pixel_um2 / scene.confocal.seen_um2
    wide_uw = np.mean(now.power_uw * now.wide) * scene.optics.wide_to_spot
    if not wide_uw:
        return np.full(grid.shape, lamp_cps, np.float32)
    cps_per_uw = scene.chip.nature.background_cps_per_uw * pixel_um2 / scene.confocal.lit_um2
    brightest_um = now.focus_um[:, :2].mean(axis=0) + scene.wide_centre_um
    light = glow(scene.chip.scenery, grid, brightest_um, scene.optics.wide_radius_um)
    light *= np.float32(wide_uw * cps_per_uw)
    light += np.float32(lamp_cps)
    return light


def _draw_spot(scene: Scene, canvas: Singles, now: Conditions, grid: Grid, spots: Spots) -> None:
    """The chip's own light under the focused laser, as good as a point."""
    spot_uw = float(np.mean(now.power_uw * ~now.wide))
    if spot_uw:
        middle_um = now.focus_um[:, :2].mean(axis=0)[None, :]
        bright = scene.chip.scenery.at(middle_um, scene.near(now.focus_um)[1])
        place = np.column_stack((grid.px(middle_um), [0.0]))
        spots.draw(canvas, place, spot_uw * scene.chip.nature.background_cps_per_uw * bright)


def _grid(scene: Scene, focus_um: Floats, camera: CameraNature, rows: range) -> Grid:
    cos, sin = np.cos(np.radians(camera.turn_deg)), np.sin(np.radians(camera.turn_deg))
    across_um = scene.pose.turned(camera.pixel_um * np.array([cos, sin]))
    down_um = scene.pose.turned(camera.pixel_um * np.array([-sin, cos]))
    column = (camera.width_px - 1) / 2 + camera.spot_px[0]
    row = (camera.height_px - 1) / 2 + camera.spot_px[1] - rows.start
    origin_um = focus_um[:2] - column * across_um - row * down_um
    return Grid((len(rows), camera.width_px), origin_um, across_um, down_um)


def _still(focus_um: Floats, cps: Floats) -> list[tuple[Floats, Floats]]:
    """Places and light of the pictures that make up an exposure: one, unless the focus moved."""
    if np.hypot(*np.ptp(focus_um[:, :2], axis=0)) < SMEARED_FROM_UM:
        return [(focus_um.mean(axis=0), cps.mean(axis=1))]
    cps = cps / len(focus_um) * np.ones(len(focus_um))
    return [(focus_um[n], cps[:, n]) for n in range(len(focus_um))]
