"""Maps and observed fields with a known answer, or none; shares nothing with the solver."""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """One kind of field; lengths in micrometres."""

    name: str
    sites: int = 1000
    side_um: float = 600.0
    field_um: float = 80.0
    missing: float = 0.3
    strays: float = 0.3  # per true spot
    noise_um: float = 0.02
    map_noise_um: float = 0.01
    noise_spread: float = 0.0  # of the logarithm, from spot to spot and from site to site
    layout: str = "random"  # random, clusters, pairs, duplicates, lattice
    pitch_um: float = 5.0
    placement_um: float = 0.15
    fate: str = "there"  # there, other chip, mirrored, stored twice, same lattice, dirt
    fiducials: int = 0


class Bend(NamedTuple):
    """One branch of a hysteresis loop along each axis: none at the ends, most near the middle."""

    amplitudes_um: Floats
    exponent: float
    width_um: float

    def shape(self, at: Floats) -> Floats:
        """What an amplitude of one moves each coordinate by."""
        u = np.clip(at / self.width_um, 0, 1)
        top = self.exponent / (1 + self.exponent)
        shape: Floats = u**self.exponent * (1 - u) / (top**self.exponent * (1 - top))
        return shape

    def of(self, at: Floats) -> Floats:
        """Where straight places come to lie."""
        moved: Floats = at + self.amplitudes_um * self.shape(at)
        return moved


STRAIGHT = Bend(np.zeros(2), 1.0, 1.0)


@dataclass
class Trial:
    """A map, an observation, and where each site truly is in the observed frame."""

    map_json: dict[str, Any]
    obs_json: dict[str, Any]
    truth_um: Floats
    solvable: bool
    seen: dict[str, int] = field(default_factory=dict)  # site id to spot index
    sites_um: Floats = field(default_factory=lambda: np.empty((0, 2)))
    laid_um: Floats = field(default_factory=lambda: np.empty((0, 2)))  # stored, by the true pose
    nodes_um: Floats = field(default_factory=lambda: np.empty((0, 2)))  # of a lattice, so laid
    bend: Bend = STRAIGHT


def nodes(kind: Kind) -> Floats:
    """Where the sites of a lattice were meant to be."""
    across = math.ceil(math.sqrt(kind.sites))
    steps = np.stack(np.divmod(np.arange(across**2), across), axis=1)
    return steps[: kind.sites] * kind.pitch_um


def layout(kind: Kind, rng: np.random.Generator) -> Floats:
    """True places on a chip."""
    n, side = kind.sites, kind.side_um
    if kind.layout == "lattice":
        return nodes(kind) + rng.normal(0, kind.placement_um, (n, 2))
    if kind.layout == "clusters":
        homes = rng.uniform(0, side, (max(n // 8, 1), 2))
        return homes[rng.integers(len(homes), size=n)] + rng.normal(0, 3.0, (n, 2))
    at = rng.uniform(0, side, (n, 2))
    if kind.layout == "pairs":
        half = n // 2
        at[half : 2 * half] = at[:half] + rng.normal(0, 0.5, (half, 2))
    if kind.layout == "duplicates":  # a survey has entered some sites twice
        some = n // 5
        at[:some] = at[some : 2 * some]
    return at


def warp(kind: Kind, rng: np.random.Generator) -> tuple[Floats, Bend]:
    """A (2, 2) matrix, and what is not linear."""
    turn = rng.uniform(-math.pi, math.pi)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    shear = np.array([[1.0, rng.uniform(-0.01, 0.01)], [0.0, 1.0]])
    bend = rng.uniform(-0.01, 0.01, 2) * kind.field_um
    matrix = (1 + rng.uniform(-0.02, 0.02)) * rotation @ shear
    return matrix, Bend(bend, rng.uniform(0.9, 1.4), kind.field_um)


def trial(kind: Kind, rng: np.random.Generator) -> Trial:
    """One map and one look at it, or at something else."""
    chip, half = _chip(kind, rng)
    map_sigma = spread(kind.map_noise_um, len(chip), kind, rng)
    stored = chip + rng.normal(0, 1, chip.shape) * map_sigma[:, None]
    looked_at = half if kind.fate == "stored twice" else chip
    if kind.fate in ("other chip", "same lattice"):
        looked_at = layout(kind, rng)
    matrix, bend = warp(kind, rng)
    low, high = half.min(axis=0), half.max(axis=0)
    margin = np.minimum(kind.field_um / 2, (high - low) / 2)
    middle = rng.uniform(low + margin, np.maximum(high - margin, low + margin))
    flat = (looked_at - middle) @ matrix.T
    if kind.fate == "mirrored":
        flat = flat * [-1.0, 1.0]
    offset = kind.field_um / 2
    in_field = (np.abs(flat) < offset).all(axis=1) & (kind.fate != "dirt")
    place = bend.of(flat + offset)
    laid = bend.of((stored - middle) @ matrix.T + offset)
    meant = nodes(kind) if kind.layout == "lattice" else np.empty((0, 2))
    lit = np.flatnonzero(in_field & (rng.random(len(flat)) >= kind.missing))
    lit = lit[np.unique(looked_at[lit], axis=0, return_index=True)[1]]  # each light is one spot
    shift = rng.uniform(-1000, 1000, 2)
    count = rng.poisson(kind.strays * len(lit)) if kind.fate != "dirt" else 40
    spots = np.concatenate([place[lit], rng.uniform(0, kind.field_um, (count, 2))])
    sigma = spread(kind.noise_um, len(spots), kind, rng)
    spots += rng.normal(0, 1, spots.shape) * sigma[:, None]
    order = rng.permutation(len(spots))
    seen = {f"s{site}": int(np.flatnonzero(order == at)[0]) for at, site in enumerate(lit)}
    return Trial(
        map_json=_map(kind, stored, map_sigma, rng),
        obs_json=_points("spots", spots[order] + shift, sigma[order], rng),
        truth_um=place + shift,
        solvable=kind.fate == "there",
        seen=seen,
        sites_um=flat,
        laid_um=laid + shift,
        nodes_um=bend.of((meant - middle) @ matrix.T + offset) + shift,
        bend=bend,
    )


def _chip(kind: Kind, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """True places, and those of the part that is looked at."""
    chip = layout(kind, rng)
    if kind.fate != "stored twice":
        return chip, chip
    half = chip[chip[:, 0] < kind.side_um / 2]
    return np.concatenate([half, half + np.array([kind.side_um / 2 + 40.0, 0.0])]), half


def spread(typical_um: float, count: int, kind: Kind, rng: np.random.Generator) -> Floats:
    """A standard deviation for each of many places."""
    sigma: Floats = typical_um * rng.lognormal(0, kind.noise_spread, count)
    return sigma


def _map(kind: Kind, stored: Floats, sigma: Floats, rng: np.random.Generator) -> dict[str, Any]:
    made = _points("sites", stored, sigma, rng)
    marks = made["sites"][: kind.fiducials]
    made["sites"] = made["sites"][kind.fiducials :]
    if marks:
        made["fiducials"] = [{"x": mark["x"], "y": mark["y"]} for mark in marks]
    return made


def _points(name: str, at: Floats, sigma: Floats, rng: np.random.Generator) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {"x": float(x), "y": float(y), "sigma": float(own), "brightness": float(b)}
        for (x, y), own, b in zip(at, sigma, rng.lognormal(10, 0.6, len(at)), strict=True)
    ]
    if name == "sites":
        rows = [{"id": f"s{index}", **row} for index, row in enumerate(rows)]
    return {"unit": "um", name: rows}
