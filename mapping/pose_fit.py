"""The pose as a linear model about a first guess, fitted by weighted least squares.

Displacements are small against the field, so the model is linear: shift, turn, scale and shear,
and a bend, mostly along each axis by itself. Each has a prior width, save shift and turn.
"""

from typing import NamedTuple

import numpy as np

from mapping.grid import Floats, Ints

SHIFT_AND_TURN = 3
SCALE_SD = 0.012
SHEAR_SD = 0.003  # of either half; a shear of 1 % is half a turn and half a stretch
BEND_KNOWN_WITHIN = 1.15  # half-widths; beyond the field a bend goes on as it was at the edge


class Bends(NamedTuple):
    """How far a field may be bent, in its widths: along each axis by itself, and across axes."""

    own_sd: tuple[float, float, float, float]
    cross_sd: float = 0.0

    @property
    def terms(self) -> int:
        return ALL_TERMS if self.cross_sd else OWN_TERMS


ALL_TERMS, OWN_TERMS = 18, 14
# A branch of a hysteresis loop of 1 % bends by 0.0067, 0.0015, 0.0003 and 0.0001 at most.
HYSTERESIS = Bends((0.004, 0.0006, 0.0002, 0.0001))
ANY_BEND = Bends((0.005, 0.0015, 0.0005, 0.0003), 0.004)


class Frame(NamedTuple):
    """Where the linear model stands: map point `origin` turned by `turn` falls on `centre`."""

    origin_um: Floats
    centre_um: Floats
    turn_rad: float
    half_um: float

    def laid(self, at_um: Floats) -> Floats:
        """Map points turned and shifted by the first guess, about the centre of the field."""
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        laid: Floats = (at_um - self.origin_um) @ np.array([[cos, sin], [-sin, cos]])
        return laid

    def design(self, laid_um: Floats) -> Floats:
        """(n, 2, ALL_TERMS): what each parameter moves each point by."""
        u, v = (laid_um / self.half_um).T
        within = np.clip(laid_um / self.half_um, -BEND_KNOWN_WITHIN, BEND_KNOWN_WITHIN)
        p, q = within.T
        one, nil, h = np.ones_like(u), np.zeros_like(u), self.half_um
        along_x = [one, nil, -h * v, h * u, h * u, h * v]
        along_y = [nil, one, h * u, h * v, -h * v, h * u]
        for of_p, of_q in zip(_bends(p), _bends(q), strict=True):
            along_x += [of_p, nil]
            along_y += [nil, of_q]
        along_x += [p * q, q * q, nil, nil]
        along_y += [nil, nil, p * p, p * q]
        return np.array([along_x, along_y]).transpose(2, 0, 1).copy()

    def prior_sd(self, bends: Bends) -> Floats:
        """Of each parameter after shift and turn, whose priors are flat."""
        across = [bends.cross_sd] * (bends.terms - OWN_TERMS)
        of_bends = 2 * self.half_um * np.array([*np.repeat(bends.own_sd, 2), *across])
        return np.concatenate([[SCALE_SD, SHEAR_SD, SHEAR_SD], of_bends])


def _bends(u: Floats) -> list[Floats]:
    """Legendre polynomials of orders two to five."""
    u2 = u * u
    third, fourth = u * (5 * u2 - 3) / 2, (u2 * (35 * u2 - 30) + 3) / 8
    return [(3 * u2 - 1) / 2, third, fourth, u * (u2 * (63 * u2 - 70) + 15) / 8]


class Ground(NamedTuple):
    """Map points under a first guess: where it lays them, and what each parameter moves them by."""

    frame: Frame
    laid_um: Floats
    design: Floats

    def of(self, rows: Ints) -> "Ground":
        """Some of the points."""
        return Ground(self.frame, self.laid_um[rows], self.design[rows])


def ground_of(frame: Frame, at_um: Floats) -> Ground:
    """Map points, made ready for fits about the frame."""
    laid = frame.laid(at_um)
    return Ground(frame, frame.centre_um + laid, frame.design(laid))


class Fit(NamedTuple):
    """Parameters, their covariance, and what an integral over them needs."""

    frame: Frame
    values: Floats
    covariance: Floats
    log_integral: float  # of exp(-chi2/2) times the priors of scale, shear and bend
    misfit: float  # of pairs and priors together: chi2 of 2 n - 3 degrees of freedom

    def predicted(self, ground: Ground) -> tuple[Floats, Floats]:
        """Where map points fall in the field, and their (n, 2, 2) covariances."""
        terms = len(self.values)
        rows = ground.design[:, :, :terms].reshape(-1, terms)
        moved = (rows @ self.values).reshape(-1, 2)
        spread = (rows @ self.covariance).reshape(-1, 2, terms)
        covariance: Floats = np.einsum("nit,njt->nij", spread, rows.reshape(-1, 2, terms))
        return ground.laid_um + moved, covariance


def fitted(ground: Ground, spots_um: Floats, sd_um: Floats, bends: Bends) -> Fit:
    """Least squares of pairs, each weighted by the variance of its two ends together."""
    frame, terms = ground.frame, bends.terms
    design = ground.design[:, :, :terms]
    rest = spots_um - ground.laid_um
    weighted: Floats = (design / sd_um[:, None, None]).reshape(-1, terms)
    aim = (rest / sd_um[:, None]).reshape(-1)
    sd = frame.prior_sd(bends)
    normal: Floats = weighted.T @ weighted
    # A hundredth of a field and of a turn: so weak that it only keeps single pairs solvable.
    free = 1.0 / np.array([100 * frame.half_um, 100 * frame.half_um, 100.0]) ** 2
    normal[np.diag_indices(terms)] += np.concatenate([free, sd**-2])
    covariance = np.linalg.inv(normal).astype(np.float64)
    values = covariance @ (weighted.T @ aim)
    left = aim - weighted @ values
    strain = values[SHIFT_AND_TURN:] / sd
    misfit = float(left @ left + strain @ strain)
    log_integral = -0.5 * misfit - float(np.log(sd).sum())
    log_integral += -0.5 * np.linalg.slogdet(normal)[1] + 0.5 * SHIFT_AND_TURN * np.log(2 * np.pi)
    return Fit(frame, values, covariance, float(log_integral), misfit)


def frame_of(sites_um: Floats, spots_um: Floats, centre_um: Floats, half_um: float) -> Frame:
    """The shift and turn, without scale, that lay given pairs best on each other."""
    site, spot = sites_um.mean(axis=0), spots_um.mean(axis=0)
    p, q = sites_um - site, spots_um - spot
    turn = float(np.arctan2((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum(), (p * q).sum()))
    cos, sin = np.cos(turn), np.sin(turn)
    back = np.array([[cos, -sin], [sin, cos]])
    return Frame(site + (centre_um - spot) @ back, centre_um, turn, half_um)


def affine_of(fit: Fit) -> Floats:
    """The (2, 3) matrix nearest to the fit all over the field."""
    steps = np.linspace(-1.0, 1.0, 5) * fit.frame.half_um
    mesh = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    at = fit.frame.origin_um + mesh
    ground = np.column_stack([mesh, np.ones(len(mesh))])
    placed = fit.predicted(ground_of(fit.frame, at))[0]
    solved = np.linalg.lstsq(ground, placed, rcond=None)[0].T.astype(float)
    solved[:, 2] -= solved[:, :2] @ fit.frame.origin_um
    return solved
