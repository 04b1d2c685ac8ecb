"""The whole configuration as frozen typed records; one TOML file, all mistakes at once.

Unknown keys are errors, every number has its unit in its name and bounds in its field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from controller.machine import FORM as FORM_OF_CORES
from controller.machine import no_cores
from controller.records import ConfigMistakes, record, setting, table_of
from controller.scpi_access import FORM, no_access
from optics.transports import FORMS, is_address

ACCESS = "serial=service 127.0.0.0/8=service ::1=service cert:*=operator *=monitor"
"""Whoever is on this machine may do all; from elsewhere a certificate is wanted to do anything."""


def _no_address(value: str) -> str:
    return "" if is_address(value) else f"is no address: write {FORMS}"


@dataclass(frozen=True)
class StageConfig:
    """The piezo stage."""

    address: str = setting(FORMS, complaint=_no_address)
    driver: str = setting("which driver speaks to it", "pi", choices=("pi",))
    axes: tuple[str, str, str] = setting(
        "its names for x, y, z",
        ("1", "2", "3"),
        complaint=lambda names: "" if len(set(names)) == 3 else "must be three different names",
    )
    low_um: tuple[float, float, float] = setting("corner of the travel", (0.0,) * 3, -1e5, 1e5)
    high_um: tuple[float, float, float] = setting("other corner", (200.0,) * 3, -1e5, 1e5)
    velocity_um_per_s: float = setting("top speed; 0 keeps the controller's own", 0.0, 0.0, 1e6)
    reply_within_s: float = setting("patience with one answer", 0.3, 0.01, 10.0)
    settle_within_s: float = setting("patience with one move", 2.0, 0.01, 600.0)
    settled_within_um: float = setting("how far off a settled stage may stand", 0.05, 1e-4, 10.0)


@dataclass(frozen=True)
class SourceConfig:
    """What the instrument says of itself."""

    serial: str = setting("serial number in *IDN?", "0")
    emulated: bool = setting("the devices are a rig's; *IDN? says so", default=False)
    hold_off_most_s: float = setting("longest a host may put recalibration off", 3600.0, 0.0, 1e5)


@dataclass(frozen=True)
class ScpiConfig:
    """Where the host finds us."""

    host: str = setting("address to listen at; loopback unless you mean it", "127.0.0.1")
    port: int = setting("TCP port; 0 takes a free one, -1 none", 5025, -1, 65_535)
    serial: str = setting(
        "the host's serial line; empty for none",
        "",
        complaint=lambda address: _no_address(address) if address else "",
    )
    hislip_port: int = setting("HiSLIP; 0 takes a free one, -1 none", 4880, -1, 65_535)
    tls_port: int = setting("SCPI over TLS; 0 takes a free one, -1 none", -1, -1, 65_535)
    tls_certificate: str = setting("file of the certificate that proves who we are", "")
    tls_key: str = setting("file of its key", "")
    tls_clients: str = setting("file of the certificate that signs those of our hosts", "")
    access: str = setting(FORM, ACCESS, complaint=no_access)
    most_sessions: int = setting("connections over a network at once", 100, 1, 1000)


@dataclass(frozen=True)
class LogConfig:
    """What is written of what happens."""

    level: str = setting("least severity", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))


@dataclass(frozen=True)
class WatchdogConfig:
    """The guard over the event loop."""

    lag_alarm_s: float = setting("a loop this late is reported", 0.1, 0.001, 60.0)


@dataclass(frozen=True)
class MachineConfig:
    """What it takes of the computer."""

    cores: str = setting(FORM_OF_CORES, "", complaint=no_cores)
    threads: int = setting("for numeric work; 0 as the libraries like", 0, 0, 256)


@dataclass(frozen=True)
class Config:
    """Everything an operator decides."""

    stage: StageConfig
    source: SourceConfig = field(default_factory=SourceConfig)
    scpi: ScpiConfig = field(default_factory=ScpiConfig)
    log: LogConfig = field(default_factory=LogConfig)
    watchdog: WatchdogConfig = field(default_factory=WatchdogConfig)
    machine: MachineConfig = field(default_factory=MachineConfig)


def load(path: Path) -> Config:
    """Read a file; ConfigMistakes lists all that is wrong with it."""
    return parse(table_of(path), str(path))


def parse(table: Mapping[str, Any], source: str) -> Config:
    """Build the configuration from a table as TOML gives it."""
    mistakes: list[str] = []
    built: Config | None = record(Config, table, "", mistakes)
    if built is not None:
        mistakes += _contradictions(built)
    if built is None or mistakes:
        raise ConfigMistakes([f"{source}: {mistake}" for mistake in mistakes])
    return built


def _contradictions(config: Config) -> list[str]:
    """What is wrong only together."""
    corners = zip(config.stage.low_um, config.stage.high_um, strict=True)
    if all(low < high for low, high in corners):
        return []
    return ["stage.low_um must lie below stage.high_um on each axis, or there is no way to go"]


def with_port(config: Config, port: int) -> Config:
    """The same, but at another TCP port, and HiSLIP with it at a free one."""
    hislip_port = min(config.scpi.hislip_port, 0)
    return replace(config, scpi=replace(config.scpi, port=port, hislip_port=hislip_port))
