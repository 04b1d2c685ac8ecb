"""What power and polarisation tell of an emitter: its saturation and the pump's best direction."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDS = 60


class Saturation(NamedTuple):
    """Rate at power p: saturated_cps p / (p + half_uw) + ground_cps_per_uw p."""

    saturated_cps: float
    saturated_sigma_cps: float
    half_uw: float
    half_sigma_uw: float


class Dipole(NamedTuple):
    """Rate at pump angle a: mean (1 + visibility cos 2 (a - best))."""

    best_rad: float  # from 0 to pi
    best_sigma_rad: float
    visibility: float
    mean_cps: float


def saturation(
    powers_uw: Sequence[float], clicks: Sequence[int], dwell_s: float, ground_cps_per_uw: float
) -> Saturation:
    """By maximum likelihood on a grid of half powers; the ground is known from beside the site."""
    power, seen = np.array(powers_uw, float), np.array(clicks, float)
    halves = np.geomspace(power.min() / 20, power.max() * 20, 400)
    shape = power[None, :] / (power[None, :] + halves[:, None]) * dwell_s
    ground = ground_cps_per_uw * power * dwell_s
    height = _heights(shape, seen, ground)
    mean = np.maximum(height[:, None] * shape + ground, 1e-9)
    worth = (seen * np.log(mean) - mean).sum(axis=1)
    weight = np.exp(worth - worth.max())
    weight /= weight.sum()
    log_half = float(weight @ np.log(halves))
    half_sd = math.sqrt(max(float(weight @ (np.log(halves) - log_half) ** 2), 1e-6))
    mean_height = float(weight @ height)
    height_sd = math.sqrt(
        max(float(weight @ (height - mean_height) ** 2), 0.0)
        + mean_height / max(float(seen.sum()), 1.0) * mean_height
    )
    return Saturation(mean_height, height_sd, math.exp(log_half), math.exp(log_half) * half_sd)


def _heights(shape: Floats, seen: Floats, ground: Floats) -> Floats:
    """The best height for each shape, by iterated weighted least squares."""
    height = np.maximum((seen - ground).sum() / shape.sum(axis=1), 1e-3)
    for _ in range(ROUNDS):
        mean = np.maximum(height[:, None] * shape + ground, 1.0)
        height = ((seen - ground) * shape / mean).sum(axis=1) / (shape**2 / mean).sum(axis=1)
        height = np.maximum(height, 1e-3)
    return np.asarray(height)


def dipole(
    angles_rad: Sequence[float], rates_cps: Sequence[float], sigmas_cps: Sequence[float]
) -> Dipole:
    """Weighted least squares in cos 2a and sin 2a; rates with the ground taken off."""
    angle, rate, sd = (np.array(values, float) for values in (angles_rad, rates_cps, sigmas_cps))
    design = np.column_stack((np.ones_like(angle), np.cos(2 * angle), np.sin(2 * angle)))
    weighted = design / (sd**2)[:, None]
    covariance = np.linalg.pinv(design.T @ weighted)
    mean, cos, sin = (covariance @ (weighted.T @ rate)).tolist()
    size = max(math.hypot(cos, sin), 1e-9)
    across = np.array([0.0, -sin, cos]) / (2 * size**2)
    sigma = math.sqrt(max(float(across @ covariance @ across), 0.0))
    best = 0.5 * math.atan2(sin, cos) % math.pi
    return Dipole(best, min(sigma, math.pi / 2), min(size / max(mean, 1e-9), 1.0), mean)
