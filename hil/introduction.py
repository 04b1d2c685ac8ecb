"""What a controller must be told to find a rig."""

from collections.abc import Mapping
from typing import Any, get_type_hints

from controller.config import Config, parse

TAGGER_WIRES = {"service": "tagger-link", "first": "tagger-1", "second": "tagger-2"}
"""What the tagger's record calls its other wires."""


def introduced(
    addresses: Mapping[str, str],
    scpi_port: int,
    scpi_serial: str,
    changes: Mapping[str, Mapping[str, Any]],
) -> Config:
    """The configuration for devices at these addresses; `changes` by section."""
    known = get_type_hints(Config)
    table: dict[str, Any] = {
        name: {"address": address} for name, address in addresses.items() if name in known
    }
    for key, wire in TAGGER_WIRES.items():
        table["tagger"][key] = addresses[wire]
    table["source"] = {"serial": "rig", "emulated": True}
    beside = min(scpi_port, 0)  # at a free one, or off too
    table["scpi"] = {"port": scpi_port, "hislip_port": beside, "serial": scpi_serial}
    table["web"] = {"port": beside}
    for section, keys in changes.items():
        table[section] = {**table.get(section, {}), **keys}
    return parse(table, "the rig's configuration")
