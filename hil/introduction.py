"""What a controller must be told to find a rig."""

from collections.abc import Mapping
from typing import Any, get_type_hints

from controller.config import Config, parse
from hil.nature import WorldNature

TAGGER_WIRES = {"service": "tagger-link", "first": "tagger-1", "second": "tagger-2"}
"""What the tagger's record calls its other wires."""
SPARING = {"g2_over_s": 240.0, "g2_rest_s": 9.5}
"""Tags cost the rig more than all else, so only one second in twenty is looked at."""
JITTER_PS = 180.0
TRIGGER_HZ, SIGMA = 40e6, 0.02


def introduced(
    addresses: Mapping[str, str],
    scpi_port: int,
    scpi_serial: str,
    changes: Mapping[str, Mapping[str, Any]],
    nature: WorldNature | None = None,
) -> Config:
    """The configuration for devices at these addresses; `changes` by section."""
    known = get_type_hints(Config)
    table: dict[str, Any] = {
        name: {"address": address} for name, address in addresses.items() if name in known
    }
    for key, wire in TAGGER_WIRES.items():
        table["tagger"][key] = addresses[wire]
    table["tagger"] |= {"jitter_ps": JITTER_PS, **SPARING}
    table["output"] = _calibration(nature or WorldNature())
    table["source"] = {"serial": "rig", "emulated": True}
    beside = min(scpi_port, 0)  # at a free one, or off too
    table["scpi"] = {"port": scpi_port, "hislip_port": beside, "serial": scpi_serial}
    table["web"] = {"port": beside}
    for section, keys in changes.items():
        table[section] = {**table.get(section, {}), **keys}
    return parse(table, "the rig's configuration")


def _calibration(nature: WorldNature) -> dict[str, Any]:
    """What somebody with good instruments would have found."""
    optics, (first, second) = nature.optics, nature.spads
    return {
        "trigger_hz": TRIGGER_HZ,
        "efficiency": [first.efficiency, second.efficiency],
        "efficiency_sigma": [SIGMA, SIGMA],
        "tap": optics.tapped,
        "tap_sigma": SIGMA,
        "onward": optics.onward,
        "onward_sigma": SIGMA,
        "first_share": optics.splitter_to_a,
        "dead_s": first.dead_ns * 1e-9,
        "dark_cps": [first.dark_cps, second.dark_cps],
        "afterpulsing": first.afterpulse_share,
    }
