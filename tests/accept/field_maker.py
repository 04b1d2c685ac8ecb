"""Maps and observed fields with a known answer, or none; shares nothing with the solver."""

import math
from dataclasses import dataclass, field
from typing import Any

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
    layout: str = "random"  # random, clusters, pairs, lattice
    pitch_um: float = 5.0
    placement_um: float = 0.15
    fate: str = "there"  # there, other chip, mirrored, stored twice, same lattice, dirt
    fiducials: int = 0


@dataclass
class Trial:
    """A map, an observation, and where each site truly is in the observed frame."""

    map_json: dict[str, Any]
    obs_json: dict[str, Any]
    truth_um: Floats
    solvable: bool
    seen: dict[str, int] = field(default_factory=dict)  # site id to spot index
    sites_um: Floats = field(default_factory=lambda: np.empty((0, 2)))


def layout(kind: Kind, rng: np.random.Generator) -> Floats:
    """True places on a chip."""
    n, side = kind.sites, kind.side_um
    if kind.layout == "lattice":
        across = math.ceil(math.sqrt(n))
        nodes = np.stack(np.divmod(np.arange(across**2), across), axis=1)[:n] * kind.pitch_um
        return nodes + rng.normal(0, kind.placement_um, (n, 2))
    if kind.layout == "clusters":
        homes = rng.uniform(0, side, (max(n // 8, 1), 2))
        return homes[rng.integers(len(homes), size=n)] + rng.normal(0, 3.0, (n, 2))
    at = rng.uniform(0, side, (n, 2))
    if kind.layout == "pairs":
        half = n // 2
        at[half : 2 * half] = at[:half] + rng.normal(0, 0.5, (half, 2))
    return at


def warp(kind: Kind, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """A (2, 2) matrix, the amplitudes of the bend along each axis, and its exponent."""
    turn = rng.uniform(-math.pi, math.pi)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    shear = np.array([[1.0, rng.uniform(-0.01, 0.01)], [0.0, 1.0]])
    bend = rng.uniform(-0.01, 0.01, 2) * kind.field_um
    return (1 + rng.uniform(-0.02, 0.02)) * rotation @ shear, bend, rng.uniform(0.9, 1.4)


def bent(at: Floats, amplitudes: Floats, exponent: float, width: float) -> Floats:
    """One branch of a hysteresis loop along each axis: none at the ends, most near the middle."""
    u = np.clip(at / width, 0, 1)
    top = exponent / (1 + exponent)
    moved: Floats = at + amplitudes * u**exponent * (1 - u) / (top**exponent * (1 - top))
    return moved


def trial(kind: Kind, rng: np.random.Generator) -> Trial:
    """One map and one look at it, or at something else."""
    chip = layout(kind, rng)
    half = chip
    if kind.fate == "stored twice":
        half = chip[chip[:, 0] < kind.side_um / 2]
        chip = np.concatenate([half, half + np.array([kind.side_um / 2 + 40.0, 0.0])])
    stored = chip + rng.normal(0, kind.map_noise_um, chip.shape)
    looked_at = half if kind.fate == "stored twice" else chip
    if kind.fate in ("other chip", "same lattice"):
        looked_at = layout(kind, rng)
    matrix, amplitudes, exponent = warp(kind, rng)
    low, high = half.min(axis=0), half.max(axis=0)
    margin = np.minimum(kind.field_um / 2, (high - low) / 2)
    middle = rng.uniform(low + margin, high - margin)
    flat = (looked_at - middle) @ matrix.T
    if kind.fate == "mirrored":
        flat = flat * [-1.0, 1.0]
    offset = kind.field_um / 2
    in_field = (np.abs(flat) < offset).all(axis=1) & (kind.fate != "dirt")
    place = bent(flat + offset, amplitudes, exponent, kind.field_um)
    lit = np.flatnonzero(in_field & (rng.random(len(flat)) >= kind.missing))
    shift = rng.uniform(-1000, 1000, 2)
    spots = place[lit] + rng.normal(0, kind.noise_um, (len(lit), 2))
    count = rng.poisson(kind.strays * len(lit)) if kind.fate != "dirt" else 40
    spots = np.concatenate([spots, rng.uniform(0, kind.field_um, (count, 2))])
    order = rng.permutation(len(spots))
    seen = {f"s{site}": int(np.flatnonzero(order == at)[0]) for at, site in enumerate(lit)}
    return Trial(
        map_json=_map(kind, stored, rng),
        obs_json=_points("spots", spots[order] + shift, kind.noise_um, rng),
        truth_um=place + shift,
        solvable=kind.fate == "there",
        seen=seen,
        sites_um=flat,
    )


def _map(kind: Kind, stored: Floats, rng: np.random.Generator) -> dict[str, Any]:
    made = _points("sites", stored, kind.map_noise_um, rng)
    marks = made["sites"][: kind.fiducials]
    made["sites"] = made["sites"][kind.fiducials :]
    if marks:
        made["fiducials"] = [{"x": mark["x"], "y": mark["y"]} for mark in marks]
    return made


def _points(name: str, at: Floats, sigma: float, rng: np.random.Generator) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {"x": float(x), "y": float(y), "sigma": sigma, "brightness": float(b)}
        for (x, y), b in zip(at, rng.lognormal(10, 0.6, len(at)), strict=True)
    ]
    if name == "sites":
        rows = [{"id": f"s{index}", **row} for index, row in enumerate(rows)]
    return {"unit": "um", name: rows}
