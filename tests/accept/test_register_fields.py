"""Registration on fields of our own making: located, refused, and never wrong."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from mapping.points_json import map_of, observation_of
from mapping.register import BELIEVED, ChipPose, NoMatch, registered
from tests.accept.field_maker import Kind, Trial, trial

SOLVABLE = [
    Kind("plain"),
    Kind("few sites", sites=48, side_um=150.0),
    Kind("ten thousand", sites=10_000, side_um=2000.0, field_um=120.0),
    Kind("dense", sites=10_000, side_um=1000.0),
    Kind("clusters", layout="clusters"),
    Kind("close pairs", layout="pairs"),
    Kind("sites entered twice", layout="duplicates"),
    Kind("noisy", noise_um=0.05, sites=2000),
    Kind("half gone, half new", missing=0.6, strays=1.0, sites=2500),
    Kind("fiducials", fiducials=100),
    Kind("lattice", layout="lattice", sites=400),
    Kind("wide lattice", layout="lattice", sites=2500, pitch_um=14.0, field_um=100.0, strays=0.1),
]
WITHOUT_ANSWER = [
    Kind("another chip", fate="other chip"),
    Kind("another chip of clusters", fate="other chip", layout="clusters"),
    Kind("another chip of close pairs", fate="other chip", layout="pairs"),
    Kind("mirror image", fate="mirrored"),
    Kind("patch stored twice", fate="stored twice"),
    Kind("dirt", fate="dirt"),
    Kind("perfect lattice", layout="lattice", sites=400, placement_um=0.0),
    Kind(
        "lattice stored twice, out of step",
        layout="lattice",
        sites=900,
        side_um=189.0,
        pitch_um=6.3,
        field_um=47.0,
        missing=0.04,
        fate="stored twice",
    ),
    Kind("same lattice", layout="lattice", sites=400, fate="same lattice"),
    Kind("same fine lattice", layout="lattice", sites=400, placement_um=0.04, fate="same lattice"),
]
QUICK, QUICK_REFUSED, FULL = 3, 1, 60
WRONG_SIGMAS = 6.0
ENOUGH_SPOTS = 8  # true ones; fewer may hold too little to be told from chance


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


class Tally(NamedTuple):
    located: int
    wrong: int
    refused: int
    z: float


def tried(kind: Kind, count: int, rng: np.random.Generator) -> Tally:
    located = wrong = refused = 0
    errors = []
    while located + wrong + refused < count:
        made = trial(kind, rng)
        if made.solvable and len(made.seen) < ENOUGH_SPOTS:
            continue
        ids, stored = map_of(made.map_json)
        found = registered(stored, observation_of(made.obs_json))
        if not isinstance(found, ChipPose):
            refused += 1
            continue
        in_view = np.flatnonzero((np.abs(made.sites_um) < kind.field_um / 2).all(axis=1))
        rows = np.array([row for row in in_view if f"s{row}" in ids]) - kind.fiducials
        error = found.at_um[rows] - made.truth_um[rows + kind.fiducials]
        right = made.solvable and _right(made, found, ids)
        located, wrong = located + right, wrong + (not right)
        errors.append(error / found.sigma_um[rows, None])
    z = float(np.sqrt(np.median(np.concatenate(errors) ** 2) / 0.4549)) if errors else 0.0
    return Tally(located, wrong, refused, z)


def _right(made: Trial, found: ChipPose, ids: list[str]) -> bool:
    """Nearly every pair is a true one; a stray beside a dark site may be taken for it."""
    named = [(ids[site], spot) for site, spot in found.pairs if site < len(ids)]
    return sum(made.seen.get(name) == spot for name, spot in named) >= 0.8 * len(named)


@pytest.mark.parametrize("kind", SOLVABLE, ids=lambda kind: kind.name)
def test_located(kind: Kind, rng: np.random.Generator) -> None:
    """Never wrong; one field of a few may hold too little, and is then refused."""
    tally = tried(kind, QUICK, rng)
    assert tally.wrong == 0
    assert tally.located >= QUICK - 1


@pytest.mark.parametrize("kind", WITHOUT_ANSWER, ids=lambda kind: kind.name)
def test_refused(kind: Kind, rng: np.random.Generator) -> None:
    assert tried(kind, QUICK_REFUSED, rng).refused == QUICK_REFUSED


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Kind("same", layout="lattice", sites=400, fate="same lattice"), "same lattice|two places"),
        (Kind("twice", fate="stored twice"), "two places"),
    ],
)
def test_the_reason_is_told(kind: Kind, why: str, rng: np.random.Generator) -> None:
    made = trial(kind, rng)
    found = registered(map_of(made.map_json)[1], observation_of(made.obs_json))
    assert isinstance(found, NoMatch)
    assert any(reason in found.why for reason in why.split("|"))


def test_a_mirror_image_is_refused_for_being_mirrored(rng: np.random.Generator) -> None:
    """The same field the right way round is located: the judge can tell."""
    kind = Kind("mirror image", fate="mirrored", sites=2500)
    assert tried(kind, 1, rng).refused == 1
    assert tried(replace(kind, fate="there"), 2, rng).located == 2


def test_risk_is_told(rng: np.random.Generator) -> None:
    made = trial(Kind("plain", sites=3000), rng)
    found = registered(map_of(made.map_json)[1], observation_of(made.obs_json))
    assert isinstance(found, ChipPose)
    assert 0 < found.p_false < BELIEVED


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", SOLVABLE, ids=lambda kind: kind.name)
def test_located_in_all(kind: Kind, rng: np.random.Generator) -> None:
    tally = tried(kind, FULL, rng)
    assert tally.wrong == 0
    assert tally.located >= FULL - 1
    assert 0.85 < tally.z < 1.15  # the median of fields that share a pose scatters by some 4 %


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", WITHOUT_ANSWER, ids=lambda kind: kind.name)
def test_refused_in_all(kind: Kind, rng: np.random.Generator) -> None:
    assert tried(kind, FULL, rng).refused == FULL
