"""Small systems of equations, many at once: native loops."""

import math

import numpy as np

from optics.native import Float64s, Native

LEAST, RIDGE = 1e-12, 1e-6


@Native
def _eliminated(matrix: Float64s, first: int, size: int, turn: int) -> int:
    """One unknown exchanged for what it is the cause of."""
    own = first + turn * size
    pivot = 1 / matrix[own + turn]
    matrix[own + turn] = 1.0
    for j in range(size):
        matrix[own + j] *= pivot
    for i in range(size):
        if i != turn:
            row = first + i * size
            share = matrix[row + turn]
            matrix[row + turn] = 0.0
            for j in range(size):
                matrix[row + j] -= share * matrix[own + j]
    return 0


@Native
def inverse(matrix: Float64s, first: int, size: int, scale: Float64s) -> int:
    """A positive definite matrix turned into its inverse, by Gauss and Jordan.

    Scaled to a unit diagonal, so that no unit decides about rank.
    """
    for i in range(size):
        scale[i] = 1 / math.sqrt(max(matrix[first + i * size + i], LEAST))
    for i in range(size):
        for j in range(size):
            matrix[first + i * size + j] *= scale[i] * scale[j]
        matrix[first + i * size + i] += RIDGE
    for turn in range(size):
        _eliminated(matrix, first, size, turn)
    for i in range(size):
        for j in range(size):
            matrix[first + i * size + j] *= scale[i] * scale[j]
    return 0


@Native
def _inverses(matrices: Float64s, count: int, size: int, scale: Float64s) -> int:
    for one in range(count):
        inverse(matrices, one * size * size, size, scale)
    return 0


def inverted(information: Float64s) -> Float64s:
    """Covariances of what positive definite matrices (n, k, k) are the information about."""
    covariance = np.array(information, np.float64, order="C")
    count, size = covariance.shape[:2]
    _inverses(covariance, count, size, np.empty(size))
    return covariance
