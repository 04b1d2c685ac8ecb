"""Scalar diffraction behind a round pupil: intensities near a focus.

Born and Wolf, Principles of Optics, 8.8: the amplitude is the Fourier integral of the pupil,
where height multiplies it with a phase and aberrations (Zernike, waves rms) with another.
"""

import math

import numpy as np
from scipy.special import j0

from hil.keyed import Floats
from hil.nature import OpticsNature

PUPIL_POINTS = 128
EDGE_POINTS = 8  # each way, to find what share of a pupil sample lies inside
RADIAL_POINTS = 160
CORE_POINTS = 200


def image(optics: OpticsNature, places_um: Floats, height_um: float) -> Floats:
    """Density per um2 of one photon's image, on the grid (places, places); rows are y."""
    f = _samples(PUPIL_POINTS)
    x, y = np.meshgrid(f, f)
    pupil = _inside() * np.exp(1j * (_aberration(optics, x, y) + _defocus(optics, x, y, height_um)))
    cutoff = optics.numerical_aperture / optics.emission_um
    kernel = np.exp(2j * math.pi * cutoff * np.outer(places_um, f))
    amplitude = kernel @ pupil @ kernel.T
    step = 2.0 / PUPIL_POINTS  # of the pupil's radius
    energy = np.sum(np.abs(pupil) ** 2) * step**2
    return np.asarray(np.abs(amplitude) ** 2 * step**4 * cutoff**2 / energy)


def radial(optics: OpticsNature, wave_um: float, radii_um: Floats, heights_um: Floats) -> Floats:
    """Intensity against distance (rows) and height; 1 is the peak without aberration."""
    nodes, weights = np.polynomial.legendre.leggauss(RADIAL_POINTS)
    r, weight = (nodes + 1.0) / 2.0, weights / 2.0
    spherical = 2.0 * math.pi * optics.spherical_waves * _primary_spherical(r * r)
    bessel = j0(2.0 * math.pi * optics.numerical_aperture / wave_um * np.outer(radii_um, r))
    cosine = np.sqrt(1.0 - (optics.numerical_aperture * r) ** 2)
    phase = spherical[:, None] + 2.0 * math.pi / wave_um * np.outer(cosine, heights_um)
    amplitude = bessel @ (np.exp(1j * phase) * (2.0 * weight * r)[:, None])
    return np.asarray(np.abs(amplitude) ** 2)


def into_core(radii_um: Floats, intensity: Floats, core_um: float) -> Floats:
    """What enters a round fibre whose axis is so far from the image's middle; columns apart."""
    k = np.arange(CORE_POINTS) + 0.5
    golden = math.pi * (3.0 - math.sqrt(5.0))  # Vogel's spiral fills a disk evenly
    radius, angle = core_um / 2 * np.sqrt(k / CORE_POINTS), golden * k
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    distance = np.hypot(radii_um[:, None] + x[None, :], y[None, :])
    return np.asarray(_mean_of_interpolated(distance, radii_um) @ intensity)


def _mean_of_interpolated(wanted_um: Floats, known_um: Floats) -> Floats:
    """The matrix that takes values at evenly known places to their means over wanted ones."""
    last, rows = len(known_um) - 1, len(wanted_um)
    place = np.minimum((wanted_um - known_um[0]) / (known_um[1] - known_um[0]), last)
    below = np.minimum(place.astype(np.int64), last - 1)
    at = below + np.arange(rows)[:, None] * (last + 1)
    share = place - below
    total = np.bincount(at.ravel(), (1.0 - share).ravel(), rows * (last + 1))
    total += np.bincount(at.ravel() + 1, share.ravel(), rows * (last + 1))
    return np.asarray(total.reshape(rows, last + 1) / wanted_um.shape[1])


def _samples(number: int) -> Floats:
    """Middles of equal parts of (-1, 1)."""
    return np.asarray((np.arange(number) + 0.5) * 2.0 / number - 1.0)


def _inside() -> Floats:
    """The share of each pupil sample that lies inside the round aperture."""
    fine = _samples(PUPIL_POINTS * EDGE_POINTS)
    inside = fine[:, None] ** 2 + fine[None, :] ** 2 <= 1.0
    blocks = inside.reshape(PUPIL_POINTS, EDGE_POINTS, PUPIL_POINTS, EDGE_POINTS)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _aberration(optics: OpticsNature, x: Floats, y: Floats) -> Floats:
    r2 = x * x + y * y
    astigmatism = math.sqrt(6.0) * (x * x - y * y)
    coma = math.sqrt(8.0) * (3.0 * r2 - 2.0) * x
    waves = optics.astigmatism_waves * astigmatism + optics.coma_waves * coma
    waves = waves + optics.spherical_waves * _primary_spherical(r2)
    return np.asarray(2.0 * math.pi * waves)


def _primary_spherical(r2: Floats) -> Floats:
    return np.asarray(math.sqrt(5.0) * (6.0 * r2 * r2 - 6.0 * r2 + 1.0))


def _defocus(optics: OpticsNature, x: Floats, y: Floats, height_um: float) -> Floats:
    r2 = np.minimum(x * x + y * y, 1.0)
    cosine = np.sqrt(1.0 - optics.numerical_aperture**2 * r2)
    return np.asarray(2.0 * math.pi / optics.emission_um * height_um * cosine)
