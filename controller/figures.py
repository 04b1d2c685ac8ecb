"""The figures that outsiders are told: each with its uncertainty and the instant it was measured.

An instant is of the loop's clock. What is not known is None where the figure would stand.
"""

import math
from enum import Flag
from typing import NamedTuple

from mapping.catalogue import SiteState


class Figure(NamedTuple):
    """One measured number; its unit is in the name of the field that holds it."""

    value: float
    sigma: float
    at_s: float


class Purity(NamedTuple):
    """How single the photons are, by their correlations."""

    g2_zero: float
    sigma: float
    upper95: float
    at_s: float


class PhotonNumber(NamedTuple):
    """Mean photon number per trigger at the output, between the bounds that are sure."""

    low: float
    mean: float
    high: float
    at_s: float


class Pointing(NamedTuple):
    """Where the focus is believed to stand from the emitter, and what share of its peak it gets."""

    error_um: tuple[float, float, float]
    sigma_um: tuple[float, float, float]
    share_of_peak: float
    at_s: float
    walk_um2_per_s: tuple[float, float, float] = (0.0, 0.0, 0.0)  # by which it is known less since

    def aged_um(self, age_s: float) -> tuple[float, ...]:
        """The sigmas after so long."""
        pairs = zip(self.sigma_um, self.walk_um2_per_s, strict=True)
        return tuple(math.sqrt(sigma * sigma + walk * age_s) for sigma, walk in pairs)


class SiteTold(NamedTuple):
    """A site as outsiders see it; the place is on the chip. NaN where nothing was measured."""

    x_um: float
    y_um: float
    z_um: float
    sigma_um: float
    rate_cps: float
    g2: float
    g2_sigma: float
    state: SiteState


class SurveyProgress(NamedTuple):
    """How far the survey is that runs, or that ran last."""

    fraction: float
    left_s: float
    found: int


class PoseTold(NamedTuple):
    """Where the chip lies under the stage, and the chance that this is a mistake."""

    dx_um: float
    dy_um: float
    theta_rad: float
    scale: float
    sigma_um: float
    p_false: float
    at_s: float


class Picture(NamedTuple):
    """The newest frame with sites drawn in, as PNG."""

    png: bytes
    at_s: float


class Doubt(Flag):
    """Why the light may not be what it should be; each is a bit of QUEStionable."""

    LASER_POWER = 1 << 3
    TEMPERATURE = 1 << 4
    CALIBRATION = 1 << 8
    BRIGHTNESS = 1 << 9
    PURITY = 1 << 10
    POINTING = 1 << 11


NO_DOUBT = Doubt(0)
OF_EMISSION = Doubt.LASER_POWER | Doubt.BRIGHTNESS | Doubt.POINTING
"""Those that are about one emission, and end with it."""


class Busy(Flag):
    """What goes on whatever the state is called; each is a bit of OPERation."""

    CALIBRATING = 1 << 0
    SETTLING = 1 << 1
    MEASURING = 1 << 4
    TRACKING = 1 << 10


IDLE = Busy(0)
