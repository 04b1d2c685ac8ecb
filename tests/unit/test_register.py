"""The parts of registration, each against a reckoning of another kind."""

import itertools
import math

import numpy as np
import pytest

from mapping.evidence import Stored
from mapping.field import Field, field_of
from mapping.grid import Cover, Grid, nearest
from mapping.lattice import lattice_of
from mapping.pose_fit import HYSTERESIS, affine_of, fitted, frame_of, ground_of
from mapping.register import ChipPose, NoMatch, Points, registered, site_grid
from mapping.sift import worth


@pytest.fixture
def chance(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_grid_finds_what_a_full_search_finds(chance: np.random.Generator) -> None:
    points, places = chance.normal(0, 30, (300, 2)), chance.normal(0, 50, (40, 2))
    radius = chance.uniform(0, 25, 40)
    place, point = Grid(points, 7.0).near(places, radius)
    expected = {
        (i, j)
        for i, j in itertools.product(range(40), range(300))
        if math.dist(places[i], points[j]) < radius[i]
    }
    assert set(zip(place.tolist(), point.tolist(), strict=True)) == expected
    assert len(place) == len(expected)


def test_a_cover_misses_no_point_and_is_not_everywhere(chance: np.random.Generator) -> None:
    points, places = chance.uniform(0, 300, (100, 2)), chance.uniform(-50, 350, (4000, 2))
    gap = np.linalg.norm(places[:, None] - points, axis=2).min(axis=1)
    over = Cover(points, 5.0).over(places)
    assert over[gap < 5.0].all()
    assert not over[gap > 5.0 + math.sqrt(2) * 2 * 2.5].any()


def test_the_nearest_of_each_group_and_the_next(chance: np.random.Generator) -> None:
    group, far = chance.integers(0, 9, 40), chance.uniform(0, 1, 40)
    row, second = nearest(group, far, 12)
    for number in range(12):
        own = np.sort(far[group == number])
        assert second[number] == (own[1] if len(own) > 1 else math.inf)
        assert row[number] == -1 if not len(own) else far[row[number]] == own[0]


def test_the_spots_around_tell_a_true_guess_from_one_by_chance(
    chance: np.random.Generator,
) -> None:
    stored, field = _field(chance)
    true = np.array([[0, 1, 2], [3, 4, 5]])
    value = worth(stored, field, np.concatenate([true, true + 20]), np.concatenate([true, true]))
    assert value[:2].min() > 60
    assert value[2:].max() < 20


def _field(chance: np.random.Generator) -> tuple[Stored, Field]:
    at = chance.uniform(0, 200, (400, 2))
    near = np.argsort(np.linalg.norm(at - 100.0, axis=1))
    seen = Points(at[near[:30]] * 1.01 + chance.normal(0, 0.02, (30, 2)), np.full(30, 0.02))
    field = field_of(*seen)
    return site_grid(Points(at[near], np.full(400, 0.01)), field), field


def test_of_a_close_pair_only_the_second_is_cheap(chance: np.random.Generator) -> None:
    """By chance the second lies near the first more easily; the first may lie anywhere."""
    homes = chance.uniform(0, 80, (30, 2))
    field = field_of(np.concatenate([homes, homes + 0.3]), np.full(60, 0.02))
    both = field.log_by_chance(np.array([0, 30])) - 2 * field.log_uniform
    second = field.log_by_chance(np.array([30])) - field.log_uniform
    assert second > 0.5
    assert both < second + 0.5
    even = field_of(chance.uniform(0, 80, (60, 2)), np.full(60, 0.02))
    assert even.log_by_chance(np.arange(9)) == pytest.approx(9 * even.log_uniform, abs=0.7)


def test_grid_bears_points_on_a_line_and_one_alone() -> None:
    line = np.column_stack([np.zeros(50), np.arange(50.0)])
    assert len(Grid(line, 0.001).near(line, np.full(50, 0.5))[0]) == 50
    assert len(Grid(line[:1], 1.0).near(line, np.full(50, 1.5))[0]) == 2


def test_fit_recovers_a_pose_and_its_uncertainty(chance: np.random.Generator) -> None:
    """The scatter of many fits is what each of them says of itself."""
    turn = np.array([[math.cos(2.0), math.sin(2.0)], [-math.sin(2.0), math.cos(2.0)]])
    sites = chance.uniform(-40, 40, (60, 2))
    true = 1.01 * sites @ turn + np.array([100.0, -50.0])
    off = []
    for _ in range(150):
        seen = true + chance.normal(0, 0.03, true.shape)
        frame = frame_of(sites, seen, np.array([100.0, -50.0]), 40.0)
        ground = ground_of(frame, sites)
        fit = fitted(ground, seen, np.full(60, 0.03), HYSTERESIS)
        at, covariance = fit.predicted(ground)
        off.append((at[0] - true[0]) / np.sqrt(np.diagonal(covariance[0])))
        assert affine_of(fit)[:, :2] == pytest.approx(1.01 * turn.T, abs=0.004)
    z = math.sqrt(np.mean(np.square(off)))
    assert z == pytest.approx(1.0, abs=4 / math.sqrt(2 * 2 * 150))


@pytest.mark.parametrize(
    ("basis", "turns"),
    [([[5, 0], [0, 5]], 4), ([[5, 0], [2.5, 4.3301]], 6), ([[5, 0], [0, 7]], 2)],
)
def test_lattice_and_its_symmetries(
    basis: list[list[float]], turns: int, chance: np.random.Generator
) -> None:
    nodes = np.array(list(itertools.product(range(30), repeat=2))) @ np.array(basis)
    at = (nodes + chance.normal(0, 0.1, nodes.shape))[chance.random(900) < 0.85]
    lattice = lattice_of(at)
    assert lattice is not None
    assert lattice.spread_um == pytest.approx(0.1, rel=0.1)
    assert abs(np.linalg.det(lattice.basis_um)) == pytest.approx(
        abs(np.linalg.det(basis)), rel=0.001
    )
    assert len(lattice.symmetries()) == turns


def test_random_sites_are_no_lattice(chance: np.random.Generator) -> None:
    assert lattice_of(chance.uniform(0, 100, (900, 2))) is None


def test_a_crowd_of_spots_makes_likeness_cheaper(chance: np.random.Generator) -> None:
    at = np.concatenate([chance.uniform(0, 80, (20, 2)), chance.normal(40, 0.5, (20, 2))])
    field = field_of(at, np.full(40, 0.02))
    assert field.log_chance[20:].mean() > field.log_chance[:20].mean() + 1.5


def test_the_prediction_of_a_seen_site_lies_between_map_and_spot(
    chance: np.random.Generator,
) -> None:
    at = chance.uniform(0, 60, (40, 2))
    stored = Points(at, np.full(40, 0.04))
    seen = Points(at + chance.normal(0, 0.02, at.shape), np.full(40, 0.02))
    found = registered(stored, seen)
    assert isinstance(found, ChipPose)
    assert np.median(found.sigma_um) < 0.02  # better than the spot alone
    assert np.linalg.norm(found.at_um - seen.at_um, axis=1).mean() < 0.02


def test_one_spot_at_many_places_is_no_constellation() -> None:
    same = Points(np.zeros((20, 2)), np.full(20, 0.02))
    assert isinstance(registered(same, same), NoMatch)


def test_every_stray_makes_a_pose_less_sure(chance: np.random.Generator) -> None:
    """Ten pairs chosen of forty spots are a lesser wonder than ten of ten."""
    at = chance.uniform(0, 60, (10, 2))
    stored = Points(at, np.full(10, 0.02))
    corners = np.array([[0.0, 0.0], [60.0, 60.0]])
    strays = np.concatenate([corners, chance.uniform(0, 60, (28, 2))])
    factors = []
    for spots in (np.concatenate([at, corners]), np.concatenate([at, strays])):
        found = registered(stored, Points(spots, np.full(len(spots), 0.02)))
        assert isinstance(found, ChipPose)
        factors.append(found.log_factor)
    fewer, more = (math.lgamma(n - 9) - math.lgamma(n + 1) for n in (12, 40))
    assert factors[0] - factors[1] == pytest.approx(fewer - more, abs=5)


def test_sites_and_spots_entered_twice_are_one_each(chance: np.random.Generator) -> None:
    """Every entry gets its place; pairs name the better known of two entries."""
    once = chance.uniform(-60, 60, (80, 2))
    seen = np.concatenate([once[:40], once[:10]]) + chance.normal(0, 0.01, (50, 2))
    twice = np.concatenate([once, once]) + chance.normal(0, 0.01, (160, 2))
    sigma = np.repeat([0.01, 0.011], 80)
    found = registered(Points(twice, sigma), Points(seen, np.repeat([0.01, 0.011], [40, 10])))
    assert isinstance(found, ChipPose)
    assert sum(site == spot for site, spot in found.pairs) >= 38
    assert {site < 80 and spot < 40 for site, spot in found.pairs} == {True}
    assert np.abs(found.at_um - np.concatenate([once, once]))[:40].max() < 0.06
