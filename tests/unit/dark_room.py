"""Worlds in which all is taken away but what a test is about, and estimators to look at them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hil.emitters import Emitters
from hil.nature import (
    CameraNature,
    ChipNature,
    EnvironmentNature,
    LaserNature,
    OpticsNature,
    PoseNature,
    SpadNature,
    StageNature,
    WorldNature,
)
from hil.world import World
from tests.laws import SIGMAS as SIGMAS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHIP = ChipNature(
    width_um=200.0,
    sites_per_um2=1e-3,
    pair_share=0.0,
    cluster_share=0.0,
    depth_sigma_um=0.0,
    deep_share=0.0,
    saturated_cps=2e6,
    saturated_sd_cps=0.0,
    saturation_uw=1000.0,
    saturation_sd_uw=0.0,
    lifetime_ns=(4.0, 4.0),
    shelved=(0.0, 0.0),
    dipole_visibility=(1.0, 1.0),
    wavelength_nm=(650.0, 650.0),
    blinker_share=0.0,
    jumper_share=0.0,
    bleach_per_h=0.0,
    background_cps_per_uw=0.0,
    unevenness=0.0,
    dislocations=0,
)
OPTICS = OpticsNature(
    astigmatism_waves=0.0, coma_waves=0.0, spherical_waves=0.0, filter_nm=(500.0, 800.0)
)
STILL = EnvironmentNature(
    day_amplitude_k=0.0,
    wander_rms_k=0.0,
    warm_up_k=0.0,
    walk_nm2_per_s=(0.0, 0.0, 0.0),
    vibration_hz=(),
    vibration_nm=(),
)
IDEAL_SPAD = SpadNature(
    dark_cps=0.0, dead_ns=0.0, afterpulse_share=0.0, jitter_fwhm_ps=0.0, jitter_tail=0.0
)
SMALL_CAMERA = CameraNature(width_px=96, height_px=96)
IDEAL = WorldNature(
    chip=CHIP,
    optics=OPTICS,
    laser=LaserNature(noise_rms=0.0, wander_rms=0.0),
    environment=STILL,
    pose=PoseNature(0.0, 0.0, 0.0, 0.0, 0.0),
    stage=StageNature(scale_error=(0.0, 0.0, 0.0), skew_mrad=0.0, lift_mrad=(0.0, 0.0)),
    spads=(IDEAL_SPAD, IDEAL_SPAD),
    camera=SMALL_CAMERA,
)


class Bench:
    """A world whose stage stands where it is put, at once."""

    def __init__(self, nature: WorldNature = IDEAL, seed: int = 1) -> None:
        self.place_um = np.array([[100.0, 100.0, 100.0]])
        self.world = World(nature, seed, lambda _times_s: self.place_um)

    @property
    def emitters(self) -> Emitters:
        return self.world.scene(0.0).chip.emitters

    def aim(self, emitter: int, off_um: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        place_um = self.emitters.place_um[emitter] + np.array(off_um)
        self.place_um = self.world.aim_um(place_um, 0.0)[None, :]

    def loneliest(self) -> int:
        """The emitter furthest from any other site."""
        return loneliest(self.emitters)


def loneliest(emitters: Emitters) -> int:
    place_um = emitters.place_um[:, :2]
    distance_um = np.hypot(*(place_um[:, None, :] - place_um[None, :, :]).transpose(2, 0, 1))
    distance_um[emitters.site[:, None] == emitters.site[None, :]] = np.inf
    return int(np.argmax(distance_um.min(axis=1)))


def aimed(nature: WorldNature = IDEAL, power_uw: float = 2000.0) -> Bench:
    """At a lonely emitter; 2000 uW saturate it by half, because unpolarised light acts by half."""
    bench = Bench(nature)
    bench.aim(bench.loneliest())
    bench.world.laser_uw.set(0.0, power_uw)
    return bench


def rate(world: World, since_s: float, for_s: float = 1.0) -> float:
    """Clicks a second, both detectors together."""
    return sum(world.counts(since_s, since_s + for_s)) / for_s


def with_chip(**changes: object) -> WorldNature:
    return replace(IDEAL, chip=replace(CHIP, **changes))  # type: ignore[arg-type]


def with_spads(**changes: object) -> WorldNature:
    spad = replace(IDEAL_SPAD, **changes)  # type: ignore[arg-type]
    return replace(IDEAL, spads=(spad, spad))


def lit_evenly(cps: float, nature: WorldNature = IDEAL) -> World:
    """Light without memory, that many counts a second together, and nothing else."""
    nature = replace(nature, chip=replace(nature.chip, sites_per_um2=0.0))
    world = Bench(nature).world
    world.lamp_cps.set(0.0, cps)
    return world


def pairs(times_ps: Ints, channels: Ints, edges_ps: Floats) -> Ints:
    """Histogram of t_b - t_a over all pairs of unlike channels: neighbours, next but one, ..."""
    found = np.zeros(len(edges_ps) - 1, np.int64)
    reach_ps = max(-edges_ps[0], edges_ps[-1])
    for order in range(1, len(times_ps)):
        apart_ps = times_ps[order:] - times_ps[:-order]
        if apart_ps.min() > reach_ps:
            return found
        unlike = (channels[order:] != channels[:-order]) & (apart_ps <= reach_ps)
        sign = np.where(channels[order:] == 1, 1, -1)
        found += np.histogram((apart_ps * sign)[unlike], edges_ps)[0]
    return found


def chi2_pull(found: Ints | Floats, expected: Floats, variance: Floats) -> float:
    """How many standard deviations chi squared is off its expectation."""
    chi2 = float(np.sum((found - expected) ** 2 / variance))
    return (chi2 - len(expected)) / float(np.sqrt(2.0 * len(expected)))
