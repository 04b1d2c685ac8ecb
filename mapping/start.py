"""How holding begins: from what a lock has found, and from the record of the site."""

from mapping.catalogue import Seen
from mapping.drift_filter import Known
from mapping.hold import Pointed, Start
from mapping.identity import power_share, saturation
from mapping.peak import Peak
from optics.quantities import StagePoint

LEAST_HEIGHT_SD = 0.01  # of the height: emitters flicker, whatever was counted
OTHER_POWER_SD = 0.1


def start(peak: Peak, record: Seen, power_uw: float) -> Start:
    """With what was found under that power."""
    x, y, z = peak.sigma_um
    known = Known(peak.response, peak.ground_cps, saturation(record, power_uw))
    sigma_cps = max(peak.height_sigma_cps, LEAST_HEIGHT_SD * peak.height_cps)
    return Start(peak.at, (x, y, z), peak.height_cps, sigma_cps, known)


def at_power(peak: Peak, record: Seen, found_uw: float, power_uw: float) -> Peak:
    """What was found under one power, as it will be under another."""
    if found_uw == power_uw:
        return peak
    height_cps = peak.height_cps * power_share(record, power_uw) / power_share(record, found_uw)
    return peak._replace(
        height_cps=height_cps,
        height_sigma_cps=OTHER_POWER_SD * height_cps,
        ground_cps=peak.ground_cps * power_uw / found_uw,
    )


def held(peak: Peak, place: StagePoint, told: Pointed) -> Peak:
    """The same after it was held for a while, as it is known now."""
    return peak._replace(
        at=place,
        sigma_um=StagePoint(*told.sigma_um),
        height_cps=told.brightness_cps,
        height_sigma_cps=told.brightness_sigma_cps,
    )
