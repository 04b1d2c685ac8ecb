"""The chip's population against the figures it is drawn from."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import KDTree
from scipy.stats import kstest

from hil.chip import Chip
from hil.emitters import grow
from hil.nature import ChipNature
from tests.unit.dark_room import CHIP, SIGMAS, Floats

NATURE = ChipNature()
EMITTERS = grow(NATURE, 7)
N = len(EMITTERS)


def check_mean(values: Floats, mean: float, sd: float) -> None:
    assert values.mean() == pytest.approx(mean, abs=SIGMAS * sd / math.sqrt(len(values)))


def test_brightness_and_saturation_power_have_the_measured_spread() -> None:
    """427 +- 215 kcps (Berhane 2018) and 1.3 +- 0.7 mW; the spread's own error from a gamma law."""
    for values, mean, sd in (
        (EMITTERS.saturated_cps, 427e3, 215e3),
        (EMITTERS.saturation_uw, 1300.0, 700.0),
    ):
        check_mean(values, mean, sd)
        kurtosis = 3.0 + 6.0 * (sd / mean) ** 2
        assert values.std() == pytest.approx(
            sd, abs=SIGMAS * sd * math.sqrt((kurtosis - 1.0) / N) / 2.0
        )
        assert values.min() > 0.0


def test_sites_are_a_poisson_field() -> None:
    """Number, and Clark and Evans' ratio: the nearest neighbour is at 0.5 / sqrt(density)."""
    nature = replace(NATURE, pair_share=0.0, cluster_share=0.0)
    numbers = np.array([len(grow(replace(nature, width_um=100.0), seed)) for seed in range(300)])
    check_mean(numbers.astype(float), 200.0, math.sqrt(200.0))
    assert numbers.var() == pytest.approx(200.0, rel=SIGMAS * math.sqrt(2 / 300))
    places_um = grow(nature, 3).place_um[:, :2]
    inner = np.abs(places_um).max(axis=1) < 240.0
    nearest_um = np.asarray(KDTree(places_um).query(places_um[inner], 2)[0])[:, 1]
    expected_um = 0.5 / math.sqrt(0.02)
    error_um = 0.26136 / math.sqrt(len(nearest_um) * 0.02)
    assert nearest_um.mean() == pytest.approx(expected_um, abs=SIGMAS * error_um)


def test_some_sites_are_no_single_emitters() -> None:
    members = np.bincount(EMITTERS.site)
    sites = len(members)
    for share, here in ((0.04, members == 2), (0.04, members >= 3)):
        assert here.mean() == pytest.approx(share, abs=SIGMAS * math.sqrt(share / sites))
    assert members.max() <= 10
    assert EMITTERS.is_single.sum() == np.sum(members == 1)
    pairs = np.flatnonzero(members == 2)
    apart_um = np.array(
        [
            np.hypot(*np.diff(EMITTERS.place_um[EMITTERS.site == site, :2], axis=0)[0])
            for site in pairs
        ]
    )
    assert kstest(apart_um, "uniform", args=(0.05, 0.4)).pvalue > 1e-5
    for site in np.flatnonzero(members >= 3):
        place_um = EMITTERS.place_um[EMITTERS.site == site, :2]
        assert np.ptp(place_um, axis=0).max() <= 0.4


def test_dipoles_lie_near_crystal_directions() -> None:
    off_deg = np.degrees(EMITTERS.dipole_rad + math.pi / 12) % 30.0 - 15.0
    assert off_deg.std() == pytest.approx(5.0, rel=SIGMAS / math.sqrt(2 * N) + 0.01)
    check_mean(np.cos(2.0 * EMITTERS.dipole_rad), 0.0, 1.0)
    check_mean(np.sin(2.0 * EMITTERS.dipole_rad), 0.0, 1.0)


def test_the_rest_lies_within_its_bounds() -> None:
    for values, low, high in (
        (EMITTERS.lifetime_s, 1e-9, 4e-9),
        (EMITTERS.wavelength_nm, 602.0, 712.0),
        (EMITTERS.visibility, 0.85, 1.0),
        (EMITTERS.shelved_most, 0.0, 0.6),
    ):
        assert kstest(values, "uniform", args=(low, high - low)).pvalue > 1e-5
    log_shelf = np.log(EMITTERS.shelf_s / 30e-9)
    assert kstest(log_shelf, "uniform", args=(0.0, math.log(2000 / 30))).pvalue > 1e-5
    for flags, share in ((EMITTERS.blinks, 0.1), (EMITTERS.jumps, 0.1)):
        check_mean(flags.astype(float), share, math.sqrt(share))


def test_some_lie_out_of_focus() -> None:
    """A mixture: nine in ten with a small spread, one in ten anywhere within a micrometre."""
    z_um = EMITTERS.place_um[:, 2]
    check_mean((np.abs(z_um) > 0.5).astype(float), 0.1 * 0.5, math.sqrt(0.05))
    variance = 0.9 * 0.12**2 + 0.1 / 3
    assert z_um.var() == pytest.approx(variance, rel=0.15)


def test_fluorescence_is_uneven_by_as_much_as_named_and_brighter_on_lines() -> None:
    scenery = Chip(replace(NATURE, dislocations=0, unevenness=0.2), 11).scenery
    rng = np.random.default_rng(1)
    points_um = rng.uniform(-250.0, 250.0, (20_000, 2))
    light = scenery.at(points_um, scenery.pieces)
    assert light.mean() == pytest.approx(1.0, abs=0.02)
    assert light.std() == pytest.approx(0.2, rel=0.1)
    lined = Chip(replace(CHIP, dislocations=1), 11).scenery
    along = lined.pieces.to_um[0] - lined.pieces.from_um[0]
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    middle = lined.pieces.from_um[0] + 0.5 * along
    profile = lined.at(middle + np.array([[0.0], [0.25], [0.5], [2.0]]) * across, lined.pieces)
    assert profile == pytest.approx(
        [3.0, 1.0 + 2.0 * math.exp(-0.5), 1.0 + 2.0 * math.exp(-2), 1.0]
    )


def test_bullseyes_brighten_their_emitter_and_draw_rings() -> None:
    plain = grow(NATURE, 5)
    eyed = Chip(replace(NATURE, bullseye_share=1.0), 5)
    assert np.allclose(eyed.emitters.saturated_cps, 4.0 * plain.saturated_cps)
    centre_um = eyed.emitters.place_um[eyed.emitters.is_single][0, :2]
    pieces = eyed.scenery.pieces.near(centre_um, 3.0)
    radii_um = np.array([0.5, 0.9, 1.2, 1.5])
    light = pieces.at(centre_um + radii_um[:, None] * np.array([1.0, 0.0]))
    assert min(light[1], light[3]) > 2.0 * max(light[0], light[2])
