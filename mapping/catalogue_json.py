"""A catalogue as a JSON value, which `gansource register` reads as a map; checked on its way in."""

import math
from typing import Any

from mapping.catalogue import Catalogue, Kind, Seen, Site, SiteState, catalogue_of
from optics.quantities import ChipPoint

FORM = "gansource catalogue 1"
UNIT = "um"
FARTHEST_UM = 1e6
NUMBERS = (
    "power_uw",
    "rate_cps",
    "rate_sigma_cps",
    "background_cps",
    "g2",
    "g2_sigma",
    "g2_upper95",
    "saturated_cps",
    "saturation_uw",
    "pump_rad",
    "visibility",
    "flicker",
)
NEEDED = NUMBERS[:4]
LONGEST_NAME = 64


class BadCatalogue(Exception):
    """What is wrong, and where; one line."""


def as_json(catalogue: Catalogue) -> dict[str, Any]:
    """By name; what was not measured is null."""
    sites = [_site_json(catalogue.sites[name]) for name in sorted(catalogue.sites)]
    return {"form": FORM, "unit": UNIT, "chip": catalogue.number, "sites": sites}


def from_json(value: Any, number: int) -> Catalogue:
    """What `as_json` gave, as the catalogue of that chip; BadCatalogue tells the first mistake."""
    if not isinstance(value, dict) or value.get("form") != FORM:
        raise BadCatalogue(f"form: not {FORM!r}; give what `sites export` wrote")
    if value.get("unit") != UNIT:
        raise BadCatalogue(f"unit: {value.get('unit')!r}; give lengths in micrometres")
    rows = value.get("sites")
    if not isinstance(rows, list):
        raise BadCatalogue("sites: missing or no list")
    sites = [_site_of(row, f"sites[{index}]") for index, row in enumerate(rows)]
    if len({site.id for site in sites}) < len(sites):
        raise BadCatalogue("sites: an id stands there twice; make ids unique")
    return catalogue_of(number, sites)


def _site_json(site: Site) -> dict[str, Any]:
    seen, side = site.seen, site.seen.sigma_um
    figures = {name: getattr(seen, name) for name in NUMBERS}
    return {
        "id": site.id,
        **dict(zip("xyz", seen.place, strict=True)),
        "sigma": max(math.hypot(side.x_um, side.y_um) / math.sqrt(2), 1e-6),
        "sigma_xyz": list(side),
        "brightness": seen.rate_cps,
        **figures,
        "kind": seen.kind.value,
        "state": site.state.value,
        "why": site.why,
    }


def _site_of(row: Any, where: str) -> Site:
    if not isinstance(row, dict):
        raise BadCatalogue(f"{where}: no object")
    name, why = row.get("id"), row.get("why", "")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadCatalogue(f"{where}.id: {name!r:.40}; give a printable name")
    if not isinstance(why, str):
        raise BadCatalogue(f"{where}.why: no text")
    sigma = row.get("sigma_xyz")
    if not isinstance(sigma, list) or len(sigma) != len(ChipPoint._fields):
        raise BadCatalogue(f"{where}.sigma_xyz: give three numbers")
    place = [_number(row.get(axis), f"{where}.{axis}") for axis in "xyz"]
    sides = [_number(side, f"{where}.sigma_xyz") for side in sigma]
    figures: dict[str, Any] = {
        name: None
        if row.get(name) is None and name not in NEEDED
        else _number(row.get(name), f"{where}.{name}")
        for name in NUMBERS
    }
    kind = _one_of(Kind, row.get("kind"), f"{where}.kind")
    seen = Seen(ChipPoint(*place), ChipPoint(*sides), kind=kind, **figures)
    return Site(name, seen, _one_of(SiteState, row.get("state"), f"{where}.state"), why)


def _number(value: Any, where: str) -> float:
    if type(value) not in (int, float) or not abs(value) < math.inf:
        raise BadCatalogue(f"{where}: {value!r:.40}; give a number")
    if where.endswith((".x", ".y", ".z")) and abs(value) > FARTHEST_UM:
        raise BadCatalogue(f"{where}: {value!r:.40}; more than a metre away")
    return float(value)


def _one_of(kind: Any, value: Any, where: str) -> Any:
    try:
        return kind(value)
    except ValueError as err:
        words = ", ".join(one.value for one in kind)
        raise BadCatalogue(f"{where}: {value!r:.40}; give one of {words}") from err
