"""The world as devices see it: pointing, power, polarisation, poses and troubles."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import curve_fit

from hil.nature import LaserNature, PoseNature, SpadNature, StageNature, WorldNature
from hil.pose import StageErrors, drawn_pose
from hil.world import World
from tests.laws import Law
from tests.unit.dark_room import (
    IDEAL,
    SIGMAS,
    Bench,
    Floats,
    aimed,
    loneliest,
    rate,
    with_chip,
)

MODULES = (SpadNature(), SpadNature())


def test_an_emitter_saturates_over_a_linear_background(law: Law) -> None:
    """I = Isat P / (P + Psat) + b P, fitted to counts; unpolarised, so Psat doubles."""
    bench = aimed(with_chip(background_cps_per_uw=16.0))
    powers_uw = np.array([100.0, 300.0, 700.0, 1500.0, 3000.0, 6000.0, 12_000.0, 25_000.0])
    for n, power_uw in enumerate(powers_uw):
        bench.world.laser_uw.set(float(n), power_uw)
    rates = np.array([rate(bench.world, n) for n in range(len(powers_uw))])
    true = (2e6, 2000.0, 16.0)
    expected = saturated(powers_uw, *true)
    pulls = (rates - expected) / np.sqrt(expected)
    assert np.abs(pulls).max() < SIGMAS
    assert np.sum(pulls**2) < len(pulls) + SIGMAS * math.sqrt(2 * len(pulls))
    fit = curve_fit(saturated, powers_uw, rates, true, np.sqrt(expected), absolute_sigma=True)
    names = ("rate, cps", "power, uW", "background, cps/uW")
    for name, found, wanted, sd in zip(names, fit[0], true, np.sqrt(np.diag(fit[1])), strict=True):
        law.within_errors(f"saturation curve: {name}", found, wanted, sd)


def saturated(power_uw: Floats, rate_cps: float, half_uw: float, slope: float) -> Floats:
    return rate_cps * power_uw / (power_uw + half_uw) + slope * power_uw


@pytest.mark.parametrize("visibility", [1.0, 0.9])
def test_a_dipole_follows_the_law_of_malus(law: Law, visibility: float) -> None:
    """Far below saturation the rate goes with (1 + v cos 2(angle - dipole)) / 2."""
    bench = aimed(with_chip(dipole_visibility=(visibility, visibility)), power_uw=20.0)
    emitter = bench.loneliest()
    angles = np.arange(12) * math.pi / 12
    for n, angle in enumerate(angles):
        bench.world.polarisation.set(float(n), angle, 1.0)
    rates = np.array([rate(bench.world, n) for n in range(12)])
    pumped = (
        20.0
        / 1000.0
        * (0.5 + 0.5 * visibility * np.cos(2 * (angles - bench.emitters.dipole_rad[emitter])))
    )
    assert np.abs(rates - 2e6 * pumped / (1 + pumped)).max() < SIGMAS * math.sqrt(rates.max())
    wave = np.sum(rates * np.exp(2j * angles)) / np.sum(rates) * 2
    off = (np.angle(wave) / 2 - bench.emitters.dipole_rad[emitter] + math.pi / 2) % math.pi
    assert off == pytest.approx(math.pi / 2, abs=0.02)
    law.within(f"Malus: visibility {visibility:g}", abs(wave), visibility, 0.03)
    bench.world.polarisation.set(20.0, 0.3, 0.0)
    assert rate(bench.world, 20.0) == pytest.approx(2e6 * 0.01 / 1.01, rel=0.03)


def test_a_scan_finds_the_emitter_where_the_truth_has_it() -> None:
    """Through stage errors, pose and drift; the centroid of a raster of counts."""
    nature = replace(WorldNature(), chip=IDEAL.chip, optics=IDEAL.optics, camera=IDEAL.camera)
    bench = Bench(nature, 4)
    emitter = bench.loneliest()
    aim_um = bench.world.aim_um(bench.emitters.place_um[emitter], 0.0)
    bench.world.laser_uw.set(0.0, 200.0)
    steps_um = np.linspace(-0.6, 0.6, 13)
    light = np.empty((13, 13))
    for n, (row, column) in enumerate(itertools.product(range(13), range(13))):
        bench.place_um = aim_um[None, :] + np.array([[steps_um[column], steps_um[row], 0.0]])
        light[row, column] = rate(bench.world, 0.05 * n, 0.05)
    light -= np.median(light[[0, -1]])
    x_um = np.sum(light * steps_um) / light.sum()
    y_um = np.sum(light * steps_um[:, None]) / light.sum()
    assert (x_um, y_um) == pytest.approx((0.0, 0.0), abs=0.02)


def test_camera_and_focus_agree_on_where_an_emitter_is() -> None:
    """Aimed at, it appears where the focus does; beside it, by as many pixels, turned and all."""
    nature = replace(IDEAL, pose=PoseNature(), camera=replace(IDEAL.camera, turn_deg=5.0))
    bench = Bench(nature, 2)
    emitter = bench.loneliest()
    bench.world.wide_field.set(0.0, 1.0)
    bench.world.laser_uw.set(0.0, 3e6)
    spot = np.array([47.5 + 3.4, 47.5 - 2.2])
    for off_um in ((0.0, 0.0), (0.7, -0.4)):
        aim_um = bench.world.aim_um(bench.emitters.place_um[emitter], 0.0)
        bench.place_um = aim_um[None, :] + np.array([[*off_um, 0.0]])
        turn = math.radians(5.0)
        matrix = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        expected = spot - matrix @ np.array(off_um) / 0.065
        assert brightest_px(bench) == pytest.approx(expected, abs=0.1)


def brightest_px(bench: Bench) -> Floats:
    """The centroid of light around the brightest pixel: column, row."""
    frame = bench.world.frame(bench.world.camera, 1.0, 0.05).astype(float) - 100.0
    row, column = np.unravel_index(np.argmax(frame), frame.shape)
    cut = np.maximum(frame[row - 4 : row + 5, column - 4 : column + 5] - 0.1 * frame.max(), 0.0)
    around = np.arange(-4, 5)
    columns, rows = np.sum(cut * around), np.sum(cut * around[:, None])
    return np.array([column + columns / cut.sum(), row + rows / cut.sum()])


def test_a_moving_stage_smears_the_picture() -> None:
    bench = aimed()
    still_px = np.ptp(np.argwhere(bench.world.frame(bench.world.camera, 0.0, 0.1) > 150), axis=0)
    start_um = bench.place_um.copy()
    moving = World(IDEAL, 1, lambda t: start_um + np.outer(t, (20.0, 0.0, 0.0)))
    moving.laser_uw.set(0.0, 5e6)
    moving.wide_field.set(0.0, 1.0)
    smeared = np.argwhere(moving.frame(moving.camera, 0.0, 0.1) > 150)
    assert np.ptp(smeared, axis=0)[1] > np.ptp(smeared, axis=0)[0] + 15
    assert still_px[0] == pytest.approx(still_px[1], abs=3)


def test_poses_differ_after_each_power_cycle_as_much_as_named() -> None:
    nature, n = PoseNature(), 2000
    poses = [drawn_pose(nature, 3, cycle) for cycle in range(n)]
    for values, sd in (
        ([pose.shift_um[0] for pose in poses], 25.0),
        ([pose.shift_um[1] for pose in poses], 25.0),
        ([pose.height_um for pose in poses], 5.0),
        ([math.degrees(pose.turn_rad) for pose in poses], 1.0),
        ([pose.tilt_rad[0] * 1e3 for pose in poses], 0.5),
    ):
        assert np.mean(values) == pytest.approx(0.0, abs=SIGMAS * sd / math.sqrt(n))
        assert np.std(values) == pytest.approx(sd, rel=SIGMAS / math.sqrt(2 * n))
    assert np.corrcoef(*np.array([pose.shift_um for pose in poses]).T)[0, 1] == pytest.approx(
        0.0, abs=SIGMAS / math.sqrt(n)
    )
    wild = [drawn_pose(replace(nature, turn_deg=3.0), 3, cycle) for cycle in range(200)]
    assert max(abs(pose.turn_rad) for pose in wild) == pytest.approx(math.radians(4.0))


def test_a_pose_turns_shifts_and_tilts_rigidly() -> None:
    pose = drawn_pose(PoseNature(), 1, 5)
    rng = np.random.default_rng(1)
    true_um = rng.uniform(-100.0, 100.0, (50, 3))
    chip_um = pose.on_chip_um(true_um)
    assert pose.off_chip_um(chip_um) == pytest.approx(true_um, abs=1e-9)
    one, other = (np.hypot(*(p[1:, :2] - p[:-1, :2]).T) for p in (true_um, chip_um))
    assert one == pytest.approx(other, abs=1e-9)
    slope = np.linalg.lstsq(
        np.column_stack((chip_um[:, :2], np.ones(50))), chip_um[:, 2] - true_um[:, 2], rcond=None
    )[0]
    assert slope[:2] == pytest.approx(-np.array(pose.tilt_rad), abs=1e-9)


def test_the_stage_is_wrong_by_as_much_as_named() -> None:
    nature = StageNature(scale_error=(1e-3, -2e-3, 5e-4), skew_mrad=2.0, lift_mrad=(3.0, -1.0))
    errors = StageErrors(nature)
    corner_um = np.array([[200.0, 100.0, 100.0], [100.0, 200.0, 100.0], [100.0, 100.0, 200.0]])
    x_axis, y_axis, z_axis = errors.true_um(corner_um)
    assert np.array([x_axis[0], y_axis[1], z_axis[2]]) == pytest.approx([100.1, 99.8, 100.05])
    angle = math.acos(x_axis[:2] @ y_axis[:2] / np.hypot(*x_axis[:2]) / np.hypot(*y_axis[:2]))
    assert math.pi / 2 - angle == pytest.approx(2.0e-3, rel=0.01)
    assert (x_axis[2], y_axis[2]) == pytest.approx((0.3, -0.1))
    assert errors.stage_um(errors.true_um(corner_um)) == pytest.approx(corner_um)


def test_laser_noise_is_new_each_millisecond(law: Law) -> None:
    bench = aimed(replace(IDEAL, laser=LaserNature(noise_rms=0.02, wander_rms=0.0)), 1000.0)
    powers_uw = np.array([bench.world.laser_power_uw(n * 1e-3 + 5e-4) for n in range(3000)])
    assert powers_uw.mean() == pytest.approx(1000.0, abs=SIGMAS * 20.0 / math.sqrt(3000))
    rms = float(powers_uw.std()) / 1000.0
    law.within_errors("noise of the laser, share", rms, 0.02, 0.02 / math.sqrt(6000))
    after = np.corrcoef(powers_uw[1:], powers_uw[:-1])[0, 1]
    assert after == pytest.approx(0.0, abs=SIGMAS / math.sqrt(3000))


def test_what_is_signalled_is_what_is_counted() -> None:
    bench = Bench()
    emitter = bench.loneliest()
    bench.world.laser_uw.set(0.0, 1000.0)
    for n, off_um in enumerate(
        ((0.0, 0.0, 0.0), (0.1, 0.0, 0.0), (0.0, 0.2, 0.3), (5.0, 0.0, 0.0))
    ):
        bench.aim(emitter, off_um)
        as_is, at_best = bench.world.signal_cps(emitter, n + 0.5)
        assert at_best == pytest.approx(2e6 / 3)
        found = rate(bench.world, float(n))
        assert found == pytest.approx(as_is, abs=SIGMAS * math.sqrt(as_is + 1))
    assert loneliest(bench.emitters) == emitter


def test_dark_counts_and_nothing_else_without_a_chip_or_light() -> None:
    world = Bench(replace(with_chip(sites_per_um2=0.0), spads=MODULES)).world
    world.laser_uw.set(0.0, 5000.0)
    assert rate(world, 0.0, 50.0) == pytest.approx(201.0, abs=SIGMAS * math.sqrt(201 / 50))
