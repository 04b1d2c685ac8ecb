"""Sites for tests."""

from typing import Any

from mapping.catalogue import Kind, Seen, Site, SiteState
from optics.quantities import ChipPoint

SEEN = Seen(
    place=ChipPoint(12.5, -3.25, 0.125),
    sigma_um=ChipPoint(0.004, 0.005, 0.012),
    power_uw=800.0,
    rate_cps=180e3,
    rate_sigma_cps=900.0,
    background_cps=13e3,
    kind=Kind.SINGLE,
    g2=0.12,
    g2_sigma=0.01,
    g2_upper95=0.14,
)


def site(name: str, state: SiteState = SiteState.RESERVE, **seen: Any) -> Site:
    """An ordinary one, different where told."""
    return Site(name, SEEN._replace(**seen), state)
