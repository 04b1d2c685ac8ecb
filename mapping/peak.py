"""Where counts peak: a Gaussian on even ground, by maximum likelihood of Poisson counts.

The confocal response is no Gaussian; near its top it is close to one, and its widths are fitted
within a prior, so that a saturated emitter, whose peak is blunter, is centred as well.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optics.quantities import StagePoint

Floats = NDArray[np.float64]

X, Y, Z, HEIGHT, GROUND, WIDTH, DEPTH = range(7)
ROUNDS = 40
WIDTH_SD = 0.12  # of the logarithm, as the next
DEPTH_SD = 0.2
GROUND_SD = 2.0  # weak: the ground is told from far points, or hardly at all
LONGEST_STEP = 0.7  # of a width or of a logarithm, in one round
SETTLED = 1e-5


class Tally(NamedTuple):
    """What was counted while the focus stood still."""

    at: StagePoint
    clicks: int
    counted_s: float


class Response(NamedTuple):
    """How the counts fall off from an emitter: standard deviations of the Gaussian near the top."""

    side_um: float = 0.11
    depth_um: float = 0.32


class Peak(NamedTuple):
    """The emitter's place under the stage, and how well it and the fit are known."""

    at: StagePoint
    sigma_um: StagePoint
    height_cps: float  # over the ground
    height_sigma_cps: float
    ground_cps: float
    response: Response
    misfit: float  # mean square of residuals over what counting scatters; 1 is good

    def share(self, at: StagePoint) -> float:
        """Of the peak's height, what is got there."""
        across = ((at.x_um - self.at.x_um) ** 2 + (at.y_um - self.at.y_um) ** 2) / 2
        depth = (at.z_um - self.at.z_um) ** 2 / 2
        side2, depth2 = self.response.side_um**2, self.response.depth_um**2
        return math.exp(-across / side2 - depth / depth2)


def peak(tallies: Sequence[Tally], start: StagePoint, usual: Response, reach_um: float) -> Peak:
    """The likeliest one near `start`, within about `reach_um` to the side and thrice that in z."""
    at = np.array([tally.at for tally in tallies], float)
    clicks = np.array([tally.clicks for tally in tallies], float)
    counted_s = np.array([tally.counted_s for tally in tallies], float)
    centre, sd = _prior(clicks / counted_s, start, usual, reach_um)
    values = _climbed(centre, sd, at, clicks, counted_s)
    mean, slope = _model(values, at, counted_s)
    scatter = (clicks - mean) ** 2 / np.maximum(mean, 1.0)
    misfit = float(scatter.sum()) / max(len(clicks) - GROUND - 1, 1)
    covariance = np.linalg.inv(_information(slope, mean, sd)) * max(misfit, 1.0)
    sigma = np.sqrt(np.diag(covariance)).tolist()
    found = values.tolist()
    return Peak(
        at=StagePoint(*found[:HEIGHT]),
        sigma_um=StagePoint(*sigma[:HEIGHT]),
        height_cps=math.exp(found[HEIGHT]),
        height_sigma_cps=math.exp(found[HEIGHT]) * min(sigma[HEIGHT], 1e3),
        ground_cps=math.exp(found[GROUND]),
        response=Response(math.exp(found[WIDTH]), math.exp(found[DEPTH])),
        misfit=misfit,
    )


def _prior(
    rates: Floats, start: StagePoint, usual: Response, reach_um: float
) -> tuple[Floats, Floats]:
    least, most = max(float(rates.min()), 1.0), max(float(rates.max()), 2.0)
    height = math.log(max(most - least, 0.1 * most))
    widths = (math.log(usual.side_um), math.log(usual.depth_um))
    centre = np.array([*start, height, math.log(least), *widths])
    sd = np.array([reach_um, reach_um, 3 * reach_um, 3.0, GROUND_SD, WIDTH_SD, DEPTH_SD])
    return centre, sd


def _model(values: Floats, at: Floats, counted_s: Floats) -> tuple[Floats, Floats]:
    """Mean counts, and their slopes along the parameters."""
    width, depth = np.exp(values[WIDTH]), np.exp(values[DEPTH])
    off = (at - values[:HEIGHT]) / np.array([width, width, depth])
    square = off * off
    bump = np.exp(values[HEIGHT] - square.sum(axis=1) / 2) * counted_s
    ground = np.exp(values[GROUND]) * counted_s
    slope = np.empty((len(at), len(values)))
    slope[:, :HEIGHT] = bump[:, None] * off / np.array([width, width, depth])
    slope[:, HEIGHT], slope[:, GROUND] = bump, ground
    slope[:, WIDTH] = bump * (square[:, X] + square[:, Y])
    slope[:, DEPTH] = bump * square[:, Z]
    return bump + ground, slope


def _information(slope: Floats, mean: Floats, sd: Floats) -> Floats:
    weighted = slope / np.maximum(mean, 0.1)[:, None]
    return np.asarray(slope.T @ weighted + np.diag(sd**-2))


def _climbed(centre: Floats, sd: Floats, at: Floats, clicks: Floats, counted_s: Floats) -> Floats:
    """Fisher scoring with a damping that grows while it does not get better."""
    brightest = at[np.argmax(clicks / counted_s)]
    values, damping = centre.copy(), 1e-3
    values[:HEIGHT] = (centre[:HEIGHT] + brightest) / 2
    worth = _log_posterior(values, centre, sd, at, clicks, counted_s)
    for _ in range(ROUNDS):
        mean, slope = _model(values, at, counted_s)
        gradient = slope.T @ (clicks / np.maximum(mean, 1e-9) - 1) - (values - centre) / sd**2
        information = _information(slope, mean, sd)
        step = np.linalg.solve(information + damping * np.diag(np.diag(information)), gradient)
        scale = np.array([*np.exp(values[[WIDTH, WIDTH, DEPTH]]), 1.0, 1.0, 1.0, 1.0])
        step *= min(1.0, LONGEST_STEP / float(np.abs(step / scale).max(initial=1e-12)))
        better = _log_posterior(values + step, centre, sd, at, clicks, counted_s)
        if better > worth:
            values, worth, damping = values + step, better, damping / 5
            if float(np.abs(step / scale).max()) < SETTLED:
                break
        else:
            damping = max(damping, 1e-6) * 8
    return values


def _log_posterior(
    values: Floats, centre: Floats, sd: Floats, at: Floats, clicks: Floats, counted_s: Floats
) -> float:
    mean, _ = _model(values, at, counted_s)
    prior = float((((values - centre) / sd) ** 2).sum()) / 2
    return float((clicks * np.log(np.maximum(mean, 1e-9)) - mean).sum()) - prior
