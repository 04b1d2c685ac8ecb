"""Whether what is in the focus is the site it is held for: a stated test against the record.

Each figure is compared with its record in standard deviations of both, what emitters do by
themselves included; the site is accepted when none is far off and all together are likely.
"""

import math
from typing import NamedTuple

from mapping.catalogue import Seen
from mapping.visit import Visited

FAR_SD = 4.0  # one such figure refuses: by chance alone once in 15,000
RATE_SHARE = 0.12  # how far a rate strays by itself: power, focus, slow spectral change
VISIBILITY_SD, ANGLE_SD_RAD = 0.08, 0.08
SIDE_UM = 0.02  # stage and drift since registration, beside the stated errors
DEPTH_UM = 0.15
SUM_PER_FIGURE = 2.5  # of squares, over all figures


class Verdict(NamedTuple):
    """Accepted or not, and the figures it rests on."""

    accepted: bool
    words: str
    pulls: dict[str, float]


def judged(
    record: Seen,
    found: Visited,
    off_um: tuple[float, float, float],
    off_sigma_um: float,
    turn_rad: float,
) -> Verdict:
    """`off_um` is from where the record's place was expected; `turn_rad` is the chip's since."""
    pulls = {
        "x": off_um[0] / math.hypot(off_sigma_um, SIDE_UM),
        "y": off_um[1] / math.hypot(off_sigma_um, SIDE_UM),
        "z": off_um[2] / math.hypot(2 * off_sigma_um, DEPTH_UM),
        "rate": _rate_pull(record, found),
        **_dipole_pulls(record, found, turn_rad),
    }
    far = {name: pull for name, pull in pulls.items() if not abs(pull) < FAR_SD}
    mean = sum(pull * pull for pull in pulls.values()) / len(pulls)
    if far:
        words = ", ".join(f"{name} {pull:+.1f} sigma" for name, pull in far.items())
        return Verdict(False, f"not the site of the record: {words}", pulls)
    if mean > SUM_PER_FIGURE:
        return Verdict(False, f"unlike the record in all: {mean:.1f} mean square sigma", pulls)
    return Verdict(True, "", pulls)


def _rate_pull(record: Seen, found: Visited) -> float:
    """Of the logarithm: a rate is known by its share."""
    expected = record.rate_cps * power_share(record, found.power_uw)
    if found.rate_cps <= 0 or expected <= 0:
        return -math.inf
    stray = max(record.flicker or 0.0, found.flicker)
    own = math.hypot(found.rate_sigma_cps / found.rate_cps, record.rate_sigma_cps / record.rate_cps)
    return math.log(found.rate_cps / expected) / math.hypot(RATE_SHARE, own, stray)


def saturation(record: Seen, power_uw: float) -> float:
    """How far that pump fills the emitter, 0 to 1; 0 where its saturation is not known."""
    half_uw = record.saturation_uw
    return power_uw / (power_uw + half_uw) if half_uw else 0.0


def power_share(record: Seen, power_uw: float) -> float:
    """What the record's rate becomes under another pump power."""
    if not record.saturation_uw:
        return power_uw / record.power_uw
    return saturation(record, power_uw) / saturation(record, record.power_uw)


def _dipole_pulls(record: Seen, found: Visited, turn_rad: float) -> dict[str, float]:
    if record.pump_rad is None or record.visibility is None:
        return {}
    pulls = {"visibility": (found.dipole.visibility - record.visibility) / VISIBILITY_SD}
    if record.visibility > 0.5:
        turned = found.dipole.best_rad - record.pump_rad - turn_rad
        off_rad = math.remainder(turned, math.pi)
        pulls["angle"] = off_rad / math.hypot(ANGLE_SD_RAD, found.dipole.best_sigma_rad)
    return pulls
