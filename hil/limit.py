"""The least light that must be spent to stay on an emitter that walks at random.

Near its peak the rate falls as 1 - e^2 / (2 w^2). A dither of +-a changes it by -+ e a / w^2, so
R counts a second tell the error e with information R a^2 / w^4 a second. Against a random walk
of q the best filter then keeps a variance of sqrt(q w^4 / (R a^2)), and the loss is
(a^2 + w^2 sqrt(q / R) / a) / (2 w^2) on each axis: least at a^3 = w^2 sqrt(q / R) / 2, where it is
3 a^2 / (2 w^2). With background, R is the square of the signal over all counts.
"""

import math
from collections.abc import Callable

STEP_UM = 0.05
"""Far enough from the peak for the table between whose rows the response is straight."""


def response_width_um(share: Callable[[float], float]) -> float:
    """w of a response that is 1 at its peak, from its fall on both sides."""
    fall = share(0.0) - (share(STEP_UM) + share(-STEP_UM)) / 2.0
    return STEP_UM / math.sqrt(2.0 * max(fall, 1e-12) / share(0.0))


def best_dither_um(width_um: float, rate_cps: float, walk_um2_per_s: float) -> float:
    """Amplitude at which search and error cost least together."""
    return math.cbrt(width_um**2 * math.sqrt(walk_um2_per_s / rate_cps) / 2.0)


def least_loss(width_um: float, rate_cps: float, walk_um2_per_s: float) -> float:
    """Share of the light that is lost on one axis, at best."""
    if not rate_cps or not walk_um2_per_s:
        return 0.0
    return 1.5 * (best_dither_um(width_um, rate_cps, walk_um2_per_s) / width_um) ** 2
