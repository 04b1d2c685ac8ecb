"""Fields of emitters as a camera shows them; shares nothing with the fitter."""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from tests.accept.spot_optics import Floats, Image, diffracted, gaussian, limits, rendered

PIXEL_UM = 0.1


@dataclass(frozen=True, eq=False)
class Kind:
    """What a scene holds."""

    name: str
    optics: str = "gaussian"
    sigma_px: float = 1.3
    told_sigma: bool = True
    size_px: int = 256
    per_um2: float = 0.05
    photons: tuple[float, float] = (200.0, 5000.0)
    ground: str = "even"
    ground_photons: float = 20.0
    gain_e_per_adu: float = 0.5
    offset_adu: float = 100.0
    read_noise_e: float = 1.5
    maps: str = "none"  # or told, untold
    decoys: dict[str, int] = field(default_factory=dict)
    pairs: int = 0
    frames: int = 1


class Scene(NamedTuple):
    """A frame and the truth behind it."""

    pixels: Any  # uint16
    camera: dict[str, Any]
    x: Floats
    y: Floats
    photons: Floats
    limit: Floats  # (n, 2), x and y
    strength: Floats  # d'
    crowd: Floats  # distance to the next emitter, in sigmas
    pairs: list[tuple[int, int]]
    decoys: list[tuple[str, float, float, float]]  # kind, x, y, reach in pixels


class Sensor(NamedTuple):
    """A camera's maps."""

    gain: Floats
    offset: Floats
    noise: Floats


def sensor(kind: Kind, rng: np.random.Generator) -> Sensor:
    """The same for all frames of one stack."""
    shape = (kind.size_px, kind.size_px)
    if kind.maps == "none":
        whole = np.ones(shape)
        return Sensor(
            kind.gain_e_per_adu * whole, kind.offset_adu * whole, kind.read_noise_e * whole
        )
    gain = kind.gain_e_per_adu * (1 + 0.02 * rng.standard_normal(shape))
    offset = kind.offset_adu + 2.0 * rng.standard_normal(shape)
    noise = kind.read_noise_e * np.exp(0.25 * rng.standard_normal(shape))
    tail = rng.random(shape) < 0.01
    noise[tail] *= rng.uniform(2, 8, int(tail.sum()))
    return Sensor(gain, offset, noise)


def image_of(kind: Kind) -> Image:
    sigma = kind.sigma_px
    return {
        "gaussian": lambda: gaussian(sigma, sigma),
        "astigmatic": lambda: gaussian(0.88 * sigma, 1.18 * sigma),
        "turned": lambda: gaussian(0.88 * sigma, 1.18 * sigma, 0.6),
        "airy": lambda: diffracted(sigma),
        "defocused": lambda: diffracted(sigma, 0.9),
        "aberrated": lambda: diffracted(sigma, 0.5, 0.5),
    }[kind.optics]()


def ground(kind: Kind, rng: np.random.Generator) -> Floats:
    """Light that is no emitter's, photons per pixel."""
    size, level = kind.size_px, kind.ground_photons
    y, x = np.mgrid[:size, :size] / size
    light = np.full((size, size), level)
    if kind.ground == "tilted":
        turn = rng.uniform(0, 2 * math.pi)
        light *= 1 + 0.8 * ((x - 0.5) * math.cos(turn) + (y - 0.5) * math.sin(turn))
    if kind.ground == "blotched":
        noise = gaussian_filter(rng.standard_normal((size, size)), 14, mode="wrap")
        light *= np.exp(0.5 * noise / noise.std())
    if kind.ground == "lined":
        for _ in range(4):
            light += _line(kind, rng)
    if kind.ground == "clustered":
        for _ in range(5):
            at_y, at_x = rng.uniform(0, 1, 2)
            wide = rng.uniform(6, 14) / size
            height = level * rng.uniform(1, 4)
            light += height * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * wide**2))
    return light


def _line(kind: Kind, rng: np.random.Generator) -> Floats:
    """A dislocation that glows, slightly bent, as wide as the optics make it or wider."""
    size = kind.size_px
    y, x = np.mgrid[:size, :size]
    turn, bend = rng.uniform(0, math.pi), rng.normal(0, 4e-4)
    at = rng.uniform(0.2, 0.8, 2) * size
    along = (x - at[0]) * math.cos(turn) + (y - at[1]) * math.sin(turn)
    across = (y - at[1]) * math.cos(turn) - (x - at[0]) * math.sin(turn) - bend * along**2
    wide = kind.sigma_px * rng.uniform(1.0, 2.0)
    height = kind.ground_photons * rng.uniform(0.5, 2.0)
    return np.asarray(height * np.exp(-0.5 * (across / wide) ** 2))


def scene(kind: Kind, rng: np.random.Generator, maps: Sensor | None = None) -> Scene:
    """One frame."""
    maps = maps or sensor(kind, rng)
    image, size = image_of(kind), kind.size_px
    count = rng.poisson(kind.per_um2 * (size * PIXEL_UM) ** 2)
    x, y = rng.uniform(-0.5, size - 0.5, (2, count))
    low, high = np.log(kind.photons)
    photons = np.exp(rng.uniform(low, high, count))
    x, y, photons, pairs = _paired(kind, x, y, photons, rng)
    light = ground(kind, rng)
    plain = light + rendered(light.shape, image, x, y, photons)
    decoy_light, decoys = _decoys(kind, image, x, y, rng)
    reach = 4.0 * kind.sigma_px
    limit, strength = limits(plain + decoy_light + maps.noise**2, image, x, y, photons, reach)
    electrons = rng.poisson(plain + decoy_light) + maps.noise * rng.standard_normal(light.shape)
    electrons += _struck(kind, x, y, decoys, rng)
    pixels = np.clip(np.rint(electrons / maps.gain + maps.offset), 0, 65535).astype(np.uint16)
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + np.where(np.eye(len(x)), np.inf, 0)
    crowd = apart.min(axis=1, initial=np.inf) / kind.sigma_px
    return Scene(pixels, _camera(kind, maps), x, y, photons, limit, strength, crowd, pairs, decoys)


def _camera(kind: Kind, maps: Sensor) -> dict[str, Any]:
    told = kind.maps == "told"
    return {
        "gain_e_per_adu": maps.gain if told else kind.gain_e_per_adu,
        "offset_adu": maps.offset if told else kind.offset_adu,
        "read_noise_e": maps.noise if told else kind.read_noise_e,
        "pixel_nm": 1000 * PIXEL_UM,
        "psf_sigma_px": kind.sigma_px if kind.told_sigma else None,
        "hot_pixels": None,
    }


def _paired(
    kind: Kind, x: Floats, y: Floats, photons: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, list[tuple[int, int]]]:
    """Two bright emitters too close to be seen as two at once."""
    pairs = []
    for _ in range(kind.pairs):
        at = _free(kind, x, y, rng)
        turn, apart = rng.uniform(0, 2 * math.pi), rng.uniform(1.0, 2.3) * kind.sigma_px
        step = np.array([math.cos(turn), math.sin(turn)]) * apart / 2
        bright = rng.uniform(3000, 8000)
        pairs.append((len(x), len(x) + 1))
        x, y = (
            np.append(x, [at[0] - step[0], at[0] + step[0]]),
            np.append(y, [at[1] - step[1], at[1] + step[1]]),
        )
        photons = np.append(photons, [bright, bright * rng.uniform(0.6, 1.0)])
    return x, y, photons, pairs


def _free(kind: Kind, x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """A place away from all emitters, where there is one."""
    best, farthest = np.zeros(2), -1.0
    for _ in range(40):
        at = rng.uniform(12, kind.size_px - 13, 2)
        near = float(np.hypot(x - at[0], y - at[1]).min(initial=np.inf))
        if near > farthest:
            best, farthest = at, near
        if near > 12 * kind.sigma_px:
            break
    return best


def _decoys(
    kind: Kind, image: Image, x: Floats, y: Floats, rng: np.random.Generator
) -> tuple[Floats, list[tuple[str, float, float, float]]]:
    """Light that looks like an emitter's and is not."""
    shape = (kind.size_px, kind.size_px)
    light, placed = np.zeros(shape), []
    taken_x, taken_y = x, y
    for what, count in kind.decoys.items():
        for _ in range(count):
            at_x, at_y = _free(kind, taken_x, taken_y, rng)
            taken_x, taken_y = np.append(taken_x, at_x), np.append(taken_y, at_y)
            reach = 2.0
            if what in SHAPES:
                dx, dy, reach = SHAPES[what](rng)
                share = rng.uniform(0.5, 1.5, len(dx))
                share *= rng.uniform(3000, 12000) / share.sum()
                sigma = kind.sigma_px
                light += rendered(shape, image, at_x + dx * sigma, at_y + dy * sigma, share)
                reach *= sigma
            placed.append((what, at_x, at_y, reach + 1.0))
    return light, placed


def _disc(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    radius, many = rng.uniform(1.8, 4.0), 150
    r, turn = radius * np.sqrt(rng.random(many)), rng.uniform(0, 2 * math.pi, many)
    return r * np.cos(turn), r * np.sin(turn), radius


def _ring(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    radius, many = rng.uniform(1.5, 4.0), 120
    turn = np.arange(many) * 2 * math.pi / many
    return radius * np.cos(turn), radius * np.sin(turn), radius


def _cluster(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    many = int(rng.integers(4, 12))
    return rng.normal(0, 1.3, many), rng.normal(0, 1.3, many), 3.5


def _streak(rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    length, turn = rng.uniform(4, 14), rng.uniform(0, math.pi)
    along = np.linspace(-length / 2, length / 2, 60)
    return along * math.cos(turn), along * math.sin(turn), length / 2


SHAPES = {"disc": _disc, "ring": _ring, "cluster": _cluster, "streak": _streak}


def _struck(
    kind: Kind,
    x: Floats,
    y: Floats,
    decoys: list[tuple[str, float, float, float]],
    rng: np.random.Generator,
) -> Floats:
    """Charge that never was light: hot pixels and tracks of particles."""
    charge = np.zeros((kind.size_px, kind.size_px))
    for what, at_x, at_y, _ in decoys:
        row, column = round(at_y), round(at_x)
        if what == "hot pixel":
            charge[row, column] += math.exp(rng.uniform(math.log(100), math.log(5000)))
        if what == "hit":
            turn = rng.uniform(0, math.pi)
            for step in range(int(rng.integers(1, 6))):
                at = round(at_y + step * math.sin(turn)), round(at_x + step * math.cos(turn))
                charge[at] += rng.uniform(300, 4000)
    return charge


ALL_DECOYS = {"disc": 3, "ring": 3, "cluster": 3, "streak": 3, "hot pixel": 4, "hit": 4}
CHARGE = {"hot pixel": 12, "hit": 12}
KINDS = [
    Kind("even"),
    Kind("empty", per_um2=0),
    Kind("empty clustered", per_um2=0, ground="clustered"),
    Kind("empty lined", per_um2=0, ground="lined"),
    Kind("sparse", per_um2=0.01),
    Kind("half crowded", per_um2=0.2),
    Kind("crowded", per_um2=0.5),
    Kind("airy", optics="airy"),
    Kind("defocused", optics="defocused", sigma_px=1.2),
    Kind("astigmatic", optics="astigmatic"),
    Kind("turned", optics="turned"),
    Kind("aberrated", optics="aberrated"),
    Kind("tilted", ground="tilted"),
    Kind("blotched", ground="blotched"),
    Kind("lined", ground="lined"),
    Kind("clustered", ground="clustered"),
    Kind("told", maps="told"),
    Kind("untold", maps="untold"),
    Kind("pairs", pairs=20, per_um2=0.01),
    Kind("decoys", decoys=ALL_DECOYS, per_um2=0.03),
    Kind("dim decoys", decoys=ALL_DECOYS, per_um2=0.03, ground_photons=150.0),
    Kind("charge", decoys=CHARGE),
    Kind("small", sigma_px=0.95, photons=(100, 2000)),
    Kind("large", sigma_px=2.3, photons=(400, 20000)),
    Kind("dark", ground_photons=0.3, photons=(30, 50000), read_noise_e=1.0),
    Kind("coarse counts", gain_e_per_adu=4.0, offset_adu=20, photons=(500, 50000)),
    Kind("unknown width", told_sigma=False),
    Kind("unknown airy", told_sigma=False, optics="airy", sigma_px=1.8),
]
