"""What is known of each emitter: sites with names that survive a power cycle; pure, no file.

A chip's frame is the stage's at its first survey; where it lies since is the pose's matter.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from optics.quantities import ChipPoint


class SiteState(Enum):
    """What a site is for."""

    ACTIVE = "ACTIVE"
    RESERVE = "RESERVE"
    RETIRED = "RETIRED"


class Kind(Enum):
    """What the photons have shown a site to be."""

    SINGLE = "SINGLE"
    SEVERAL = "SEVERAL"
    UNDECIDED = "UNDECIDED"


class Seen(NamedTuple):
    """What one visit found; None is not measured."""

    place: ChipPoint
    sigma_um: ChipPoint  # one standard deviation along each axis
    power_uw: float  # of the pump, at which rate and background were counted
    rate_cps: float  # the site's own, background taken off, at the best pump polarisation tried
    rate_sigma_cps: float
    background_cps: float
    kind: Kind = Kind.UNDECIDED
    g2: float | None = None  # uncorrected
    g2_sigma: float | None = None
    g2_upper95: float | None = None
    saturated_cps: float | None = None
    saturation_uw: float | None = None
    pump_rad: float | None = None  # the rotator's setting that excites it best
    visibility: float | None = None
    flicker: float | None = None  # rms of the rate beyond what counting scatters, as a share


class Visit(NamedTuple):
    """One look at a site and why it was made."""

    site: str
    at_utc: str
    run: int
    purpose: str
    seen: Seen
    words: str = ""


@dataclass(frozen=True)
class Site:
    """An emitter, as the visits so far have shown it."""

    id: str
    seen: Seen
    state: SiteState = SiteState.RESERVE
    why: str = ""  # of the state

    @property
    def place(self) -> ChipPoint:
        return self.seen.place

    def revisited(self, seen: Seen) -> "Site":
        """With what is newer; what the new visit did not measure is kept."""
        old = self.seen._asdict()
        fresh = {name: value for name, value in seen._asdict().items() if value is not None}
        if seen.kind is Kind.UNDECIDED:
            fresh["kind"] = self.seen.kind
        return replace(self, seen=Seen(**{**old, **fresh}))


@dataclass(frozen=True)
class Catalogue:
    """The sites of one chip by their names; `number` is the store's own of the chip."""

    number: int = 0
    sites: Mapping[str, Site] = field(default_factory=lambda: MappingProxyType({}))

    def with_site(self, site: Site) -> "Catalogue":
        """With that site new, or in place of the older one of its name."""
        return replace(self, sites=MappingProxyType({**self.sites, site.id: site}))

    def of_state(self, *states: SiteState) -> list[Site]:
        """By name."""
        found = [site for site in self.sites.values() if site.state in states]
        return sorted(found, key=lambda site: site.id)

    @property
    def usable(self) -> list[Site]:
        """Those that may be emitted from, by name."""
        return self.of_state(SiteState.ACTIVE, SiteState.RESERVE)

    def near(self, place: ChipPoint, within_um: float) -> Site | None:
        """The nearest to the side, if there is one so close."""
        best = min(self.sites.values(), key=lambda site: aside_um(site.place, place), default=None)
        return best if best and aside_um(best.place, place) <= within_um else None

    def next_name(self) -> str:
        """Never one that was used before, so a name means one emitter for ever."""
        numbers = [int(name[1:]) for name in self.sites if _is_numbered(name)]
        return f"E{max(numbers, default=0) + 1:04d}"


def aside_um(one: ChipPoint, other: ChipPoint) -> float:
    """Apart in the plane of the chip; depth is known less well."""
    return math.hypot(one.x_um - other.x_um, one.y_um - other.y_um)


def catalogue_of(number: int, sites: Iterable[Site]) -> Catalogue:
    """As read from where they were kept."""
    return Catalogue(number, MappingProxyType({site.id: site for site in sites}))


def _is_numbered(name: str) -> bool:
    return name[:1] == "E" and name[1:].isascii() and name[1:].isdigit()
