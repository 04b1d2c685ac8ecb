"""Where an emitter is, how it drifts and how bright it is, from counts: a Kalman filter.

Plain floats: it runs at each step of the dither for days. States are the place in um, its rate in
um/s, and the logarithm of the rate at the peak; the derivation is in the folder's README.
"""

import math
from typing import NamedTuple

from mapping.peak import Response

Three = tuple[float, float, float]

LOG = 6  # the brightness, after three places and three rates
STATES = range(LOG + 1)
AXES = range(3)
RATE_SD = 1e-4  # um/s: what a drift rate is before anything is known
RATE_LASTS_S = 1800.0
LOG_PER_S = 4e-7  # random walk of the logarithm: half a percent in a minute
STEEPEST = 1.5  # widths from the peak; beyond, the slope of a Gaussian is not believed
SURPRISE_SD = 6.0
MOVED_SHARE = 0.3  # of a width, that a surprise may have moved it
FORGETS = 0.01  # of the misfit, at each step
MOST_MISFIT = 1e3


class Known(NamedTuple):
    """The emitter's response, the light that is not its own, and its saturation at usual power."""

    response: Response
    ground_cps: float
    saturation: float  # P / (P + Psat) at the power that counts as 1


class Dwell(NamedTuple):
    """What was counted while the stage stood still, and the mean pump as a share of the usual."""

    at: Three
    clicks: int
    counted_s: float
    power: float


class DriftFilter:
    """`step` advances time, `see` takes a dwell in and tells how surprising it was."""

    def __init__(
        self, known: Known, at: Three, sigma: Three, log_cps: float, log_sd: float
    ) -> None:
        self.known = known
        side2, depth2 = known.response.side_um**2, known.response.depth_um**2
        self.width2 = (side2, side2, depth2)
        self.mean = [*at, 0.0, 0.0, 0.0, log_cps]
        sds = (*sigma, RATE_SD, RATE_SD, RATE_SD, log_sd)
        self.cov = [[sd * sd if i == j else 0.0 for j in STATES] for i, sd in enumerate(sds)]
        self.misfit = 1.0  # variance of counts over that of Poisson's

    def step(self, dt_s: float, walk_um2_per_s: list[float]) -> None:
        """Time passes: the place drifts and walks, the rate of drift is slowly forgotten."""
        mean, cov = self.mean, self.cov
        keeps = math.exp(-dt_s / RATE_LASTS_S)
        for i in AXES:
            mean[i] += dt_s * mean[i + 3]
            mean[i + 3] *= keeps
            place, rate = cov[i], cov[i + 3]
            for j in STATES:
                place[j] += dt_s * rate[j]
                rate[j] *= keeps
        gains = RATE_SD**2 * (1 - keeps * keeps)
        for row in cov:
            for i in AXES:
                row[i] += dt_s * row[i + 3]
                row[i + 3] *= keeps
        for i in AXES:
            cov[i][i] += walk_um2_per_s[i] * dt_s
            cov[i + 3][i + 3] += gains
        cov[LOG][LOG] += LOG_PER_S * dt_s

    def share(self, at: Three, doubts: float = 1.0) -> float:
        """Of the peak, on average over what is not known of the place; 0 takes it as known."""
        loss = 0.0
        for i in AXES:
            off = at[i] - self.mean[i]
            loss += (off * off + doubts * self.cov[i][i]) / self.width2[i]
        return math.exp(-loss / 2)

    def expected(self, at: Three, counted_s: float, power: float) -> tuple[float, float]:
        """Counts of the emitter, and of the ground."""
        pumped = power / (1 + self.known.saturation * (power - 1))
        signal = math.exp(self.mean[LOG]) * pumped * self.share(at, 0.0) * counted_s
        return signal, self.known.ground_cps * power * counted_s

    def see(self, dwell: Dwell) -> float:
        """Standard deviations by which the counts were off; a big one widens all doubts."""
        signal, ground = self.expected(dwell.at, dwell.counted_s, dwell.power)
        rest = dwell.clicks - signal - ground
        slope = [signal * self._steepness(i, dwell.at[i]) for i in AXES]
        along = self._along(slope, signal)
        told = signal * along[LOG] + sum(slope[i] * along[i] for i in AXES)
        variance = told + (signal + ground + 1.0) * self.misfit
        surprise = rest / math.sqrt(variance)
        if abs(surprise) > SURPRISE_SD:
            self._doubt(rest / max(signal, 1.0))
            return surprise
        self._learn(rest / variance, along, variance)
        fresh = min(surprise * surprise, SURPRISE_SD**2)
        wider = self.misfit * (1 + FORGETS * (fresh - 1))
        self.misfit = min(max(wider, 1.0), MOST_MISFIT)
        return surprise

    def _steepness(self, axis: int, at: float) -> float:
        steepest = STEEPEST / math.sqrt(self.width2[axis])
        steep = (at - self.mean[axis]) / self.width2[axis]
        return min(max(steep, -steepest), steepest)

    def _along(self, slope: list[float], signal: float) -> list[float]:
        x, y, z = slope
        return [row[0] * x + row[1] * y + row[2] * z + row[LOG] * signal for row in self.cov]

    def _learn(self, gain: float, along: list[float], variance: float) -> None:
        for i in STATES:
            self.mean[i] += gain * along[i]
            row, scaled = self.cov[i], along[i] / variance
            for j in STATES:
                row[j] -= scaled * along[j]

    def _doubt(self, change: float) -> None:
        """It became another brightness, until the dither says that it has moved instead."""
        log_change = math.log(max(1 + change, 0.05))
        self.mean[LOG] += log_change
        self.cov[LOG][LOG] += log_change * log_change
        for i in AXES:
            aside = MOVED_SHARE * MOVED_SHARE * self.width2[i]
            self.cov[i][i] = max(self.cov[i][i], min(abs(log_change), 1.0) * aside)
