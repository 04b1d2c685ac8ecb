"""The emitters of a chip: where they are and what each is like, drawn once from its seed."""

import math
from dataclasses import dataclass

import numpy as np

from hil.keyed import Flags, Floats, Ints, even_log, generator
from hil.nature import ChipNature
from hil.switching import ranks

_PLACES, _KINDS = 1, 2


@dataclass(frozen=True)
class Emitters:
    """One entry each, in no order."""

    place_um: Floats  # (n, 3), from the middle of the chip's surface
    site: Ints  # members of a pair or cluster share one
    saturated_cps: Floats
    saturation_uw: Floats
    lifetime_s: Floats
    shelved_most: Floats
    shelf_s: Floats
    dipole_rad: Floats
    visibility: Floats
    wavelength_nm: Floats
    line_sd_nm: Floats
    blinks: Flags
    jumps: Flags
    bleaches_s: Floats
    in_bullseye: Flags

    def __len__(self) -> int:
        return len(self.site)

    @property
    def is_single(self) -> Flags:
        """Alone on its site."""
        return np.asarray(np.bincount(self.site)[self.site] == 1)


def grow(nature: ChipNature, seed: int) -> Emitters:
    """The same seed, the same emitters."""
    place_um, site = _places(nature, generator(seed, _PLACES))
    rng, n = generator(seed, _KINDS), len(site)
    in_bullseye = rng.random(n) < nature.bullseye_share
    gain = np.where(in_bullseye, nature.bullseye_gain, 1.0)
    shelf_s = even_log(rng, nature.shelf_ns, n) * 1e-9
    turn = 180.0 / nature.dipole_step_deg
    dipole_deg = nature.dipole_step_deg * rng.integers(0, int(turn), n)
    return Emitters(
        place_um=place_um,
        site=site,
        saturated_cps=gain * _gamma(rng, nature.saturated_cps, nature.saturated_sd_cps, n),
        saturation_uw=_gamma(rng, nature.saturation_uw, nature.saturation_sd_uw, n),
        lifetime_s=rng.uniform(*nature.lifetime_ns, n) * 1e-9,
        shelved_most=rng.uniform(*nature.shelved, n),
        shelf_s=shelf_s,
        dipole_rad=np.radians(dipole_deg + nature.dipole_spread_deg * rng.standard_normal(n)),
        visibility=rng.uniform(*nature.dipole_visibility, n),
        wavelength_nm=rng.uniform(*nature.wavelength_nm, n),
        line_sd_nm=rng.uniform(*nature.line_fwhm_nm, n) / math.sqrt(8.0 * math.log(2.0)),
        blinks=rng.random(n) < nature.blinker_share,
        jumps=rng.random(n) < nature.jumper_share,
        bleaches_s=_lifetimes_s(rng, nature.bleach_per_h, n),
        in_bullseye=in_bullseye,
    )


def _gamma(rng: np.random.Generator, mean: float, sd: float, n: int) -> Floats:
    """Never negative, with that mean and spread."""
    if sd == 0.0:
        return np.full(n, mean)
    return rng.gamma((mean / sd) ** 2, sd * sd / mean, n)


def _lifetimes_s(rng: np.random.Generator, per_h: float, n: int) -> Floats:
    drawn_h = rng.standard_exponential(n)
    return drawn_h * 3600.0 / per_h if per_h else np.full(n, math.inf)


def _places(nature: ChipNature, rng: np.random.Generator) -> tuple[Floats, Ints]:
    sites = rng.poisson(nature.sites_per_um2 * nature.width_um**2)
    middle_um = rng.uniform(-nature.width_um / 2, nature.width_um / 2, (sites, 2))
    kind, members = rng.random(sites), np.ones(sites, np.int64)
    pair = kind < nature.pair_share
    cluster = ~pair & (kind < nature.pair_share + nature.cluster_share)
    members[pair] = 2
    least, most = nature.cluster_members
    members[cluster] = rng.integers(least, most + 1, int(cluster.sum()))
    site = np.repeat(np.arange(sites), members)
    offset_um = np.zeros((len(site), 2))
    in_cluster = cluster[site]
    offset_um[in_cluster] = nature.cluster_radius_um * _in_disk(rng, int(in_cluster.sum()))
    second = pair[site] & (ranks(members) == 1)
    offset_um[second] = _apart(rng, nature.pair_apart_um, int(second.sum()))
    n = len(site)
    height_um = nature.depth_sigma_um * rng.standard_normal(n)
    deep = rng.random(n) < nature.deep_share
    height_um[deep] = rng.uniform(-nature.deep_um, nature.deep_um, int(deep.sum()))
    return np.column_stack((middle_um[site] + offset_um, height_um)), site


def _in_disk(rng: np.random.Generator, n: int) -> Floats:
    radius, angle = np.sqrt(rng.random(n)), rng.uniform(0.0, 2.0 * math.pi, n)
    return np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))


def _apart(rng: np.random.Generator, apart_um: tuple[float, float], n: int) -> Floats:
    distance_um, angle = rng.uniform(*apart_um, n), rng.uniform(0.0, 2.0 * math.pi, n)
    return np.column_stack((distance_um * np.cos(angle), distance_um * np.sin(angle)))
