"""What a number of counts says of its mean: exact Poisson bounds, and tail chances.

Written out, since importing SciPy would cost more time than all of this takes.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXACT_UP_TO = 1000.0
NEXT_TO_NOTHING = 1e-3
# Numerical Recipes, "erfccheb" in its older form: fractional error below 1.2e-7 everywhere.
ERFC = (
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807,
    -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223,
)  # fmt: skip


def scaled_erfc(x: Floats) -> Floats:
    """exp(x**2) * erfc(x), for x not below zero."""
    t = 1 / (1 + 0.5 * x)
    power = np.zeros_like(x)
    for coefficient in ERFC:
        power = power * t + coefficient
    scaled: Floats = t * np.exp(power)
    return scaled


def normal_cdf(x: Floats) -> Floats:
    """Chance that a standard normal number is below x."""
    tail = 0.5 * np.exp(-0.5 * x * x) * scaled_erfc(np.abs(x) / math.sqrt(2))
    return np.where(x > 0, 1 - tail, tail)


def upper_limit(count: float, risk: float = 0.05) -> float:
    """The mean at which so few counts or fewer have a chance of the risk; Garwood's bound."""
    return _gamma_quantile(count + 1, 1 - risk)


def lower_limit(count: float, risk: float = 0.05) -> float:
    """The mean at which so many counts or more have a chance of the risk."""
    return _gamma_quantile(count, risk) if count > 0 else 0.0


def chi_square_chance(chi_square: float, freedom: int) -> float:
    """Chance of a chi-square as large or larger."""
    return 1 - _gamma_cdf(freedom / 2, chi_square / 2) if freedom > 0 else 1.0


def _gamma_quantile(shape: float, chance: float) -> float:
    if shape > EXACT_UP_TO:
        normal = NormalDist().inv_cdf(chance)
        return shape * (1 - 1 / (9 * shape) + normal / (3 * math.sqrt(shape))) ** 3
    low, high = 0.0, shape + 10 * math.sqrt(shape) + 10
    while high - low > 1e-12 * max(high, NEXT_TO_NOTHING):  # it may lie below the least number
        middle = (low + high) / 2
        if _gamma_cdf(shape, middle) < chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _gamma_cdf(shape: float, x: float) -> float:
    """Regularised incomplete gamma function: its power series, or Wilson and Hilferty's root."""
    if x <= 0:
        return 0.0
    if shape > EXACT_UP_TO:
        root = (x / shape) ** (1 / 3) - 1 + 1 / (9 * shape)
        return 0.5 * math.erfc(-root * 3 * math.sqrt(shape / 2))
    term = total = 1.0
    at = shape
    while term > 1e-16 * total:
        at += 1
        term *= x / at
        total += term
    return min(1.0, total * math.exp(shape * math.log(x) - x - math.lgamma(shape + 1)))
