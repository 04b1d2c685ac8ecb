"""The whole configuration as frozen typed records; one TOML file, all mistakes at once.

Unknown keys are errors, every number has its unit in its name and bounds in its field.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from controller.machine import FORM as FORM_OF_CORES
from controller.machine import no_cores
from controller.records import ConfigMistakes, record, setting, table_of
from controller.scpi_access import FORM, no_access
from optics.frame_process import is_camera_address
from optics.transports import FORMS, is_address

NO_PORT = -1
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


def _absent_or_address(value: str) -> str:
    return _no_address(value) if value else ""


def _device(meaning: str) -> Any:
    """The address of a device that a rack may lack."""
    return setting(
        f"{meaning}: {FORMS}; empty where there is none", "", complaint=_absent_or_address
    )


@dataclass(frozen=True)
class BoardConfig:
    """Our own I/O board: permission for light, counts, slow outputs."""

    address: str = _device("the board")
    lease_s: float = setting("how long one permission for light lasts", 0.25, 0.05, 0.5)
    gate_s: float = setting("how long one gate counts", 0.01, 0.001, 1.0)
    window_s: float = setting("how far apart clicks may coincide", 24e-9, 1e-9, 1e-6)
    um_per_code: tuple[float, float, float] = setting(
        "what a step of the DAC moves the stage; 0 for no offsets",
        (10.0 / 65_536,) * 3,
        -0.01,
        0.01,
    )
    codes_per_rad: float = setting(
        "of the rotator of the pump's polarisation", 65_536 / math.pi, 1.0, 65e3
    )
    offsets_settle_s: float = setting("how long the stage follows its offsets", 0.02, 0.0, 1.0)
    lens_travel_s: float = setting("how long the wide-field lens moves", 0.1, 0.0, 5.0)
    interlock_heals: bool = setting("closing the interlock is acknowledgement enough", default=True)
    reply_within_s: float = setting("patience with one answer", 0.2, 0.01, 10.0)


@dataclass(frozen=True)
class LaserConfig:
    """The pump."""

    address: str = _device("the laser")
    driver: str = setting("which driver speaks to it", "cobolt", choices=("cobolt", "obis"))
    low_uw: float = setting("least it is ever set to", 50.0, 0.1, 1e6)
    high_uw: float = setting("most it is ever set to", 200_000.0, 1.0, 1e6)
    power_uw: float = setting("while no host has set another", 1000.0, 0.1, 1e6)
    wide_uw: float = setting("for pictures of the wide field", 190_000.0, 0.1, 1e6)
    warm_within_s: float = setting("patience with its warming up", 300.0, 1.0, 3600.0)
    reply_within_s: float = setting("patience with one answer", 0.3, 0.01, 10.0)


@dataclass(frozen=True)
class TaggerConfig:
    """The time tagger."""

    address: str = _device("its commands")
    service: str = setting(
        "the maker's DataLinkTarget", "tcp://127.0.0.1:6060", complaint=_no_address
    )
    first: str = setting(
        "where that streams input 1", "tcp://127.0.0.1:4242", complaint=_no_address
    )
    second: str = setting("and input 2", "tcp://127.0.0.1:4243", complaint=_no_address)
    delay_ps: int = setting("second input behind the first, cables included", 0, -(10**9), 10**9)
    jitter_ps: float = setting("of one detector, standard deviation", 150.0, 0.0, 1e4)
    g2_over_s: float = setting("while emitting, g2(0) is of so long", 60.0, 1.0, 1e5)
    g2_rest_s: float = setting("and no tags are taken for so long between two runs", 0.0, 0.0, 1e5)
    device: str = setting("the tagger's own address, as the service knows it", "127.0.0.1")
    reply_within_s: float = setting("patience with one answer", 1.0, 0.01, 60.0)


@dataclass(frozen=True)
class OutputConfig:
    """From the splitter to the detectors and to the output, as somebody has measured it.

    Standard uncertainties are relative. Without them all there is no photon number and no key rate.
    """

    trigger_hz: float = setting("the pump's pulses or the host's slots; 0: unknown", 0.0, 0.0, 1e10)
    efficiency: tuple[float, float] = setting(
        "of each detector with what lies before it; 0: unknown", (0.0, 0.0), 0.0, 1.0
    )
    efficiency_sigma: tuple[float, float] = setting("of these", (0.05, 0.05), 0.0, 1.0)
    tap: float = setting("share of the light for the detectors; 0: unknown", 0.0, 0.0, 0.999)
    tap_sigma: float = setting("of that", 0.05, 0.0, 1.0)
    onward: float = setting("share of the rest that leaves at the output", 1.0, 0.0, 1.0)
    onward_sigma: float = setting("of that", 0.05, 0.0, 1.0)
    first_share: float = setting("of the tapped light, for the first detector", 0.5, 0.0, 1.0)
    dead_s: float = setting("after each click", 0.0, 0.0, 1e-3)
    dark_cps: tuple[float, float] = setting("of each detector", (0.0, 0.0), 0.0, 1e9)
    afterpulsing: float = setting("clicks that each click brings about", 0.0, 0.0, 0.5)

    @property
    def is_known(self) -> bool:
        return self.trigger_hz > 0 and self.tap > 0 and min(self.efficiency) > 0


@dataclass(frozen=True)
class CameraConfig:
    """The wide-field camera; its figures as its maker gives them."""

    address: str = setting(
        f"a camera as optics/README.md has them, or the frame server: {FORMS}; empty for none",
        "",
        complaint=lambda at: "" if not at or is_camera_address(at) else f"is no address: {FORMS}",
    )
    exposure_s: float = setting("of one picture", 0.15, 1e-3, 60.0)
    gain: float = setting("as the camera names it", 1.0, 0.1, 1000.0)
    pixel_um: float = setting("one pixel on the chip, roughly", 0.065, 1e-3, 10.0)
    psf_um: float = setting("standard deviation of a point's image, on the chip", 0.15, 0.01, 5.0)
    gain_e_per_adu: float = setting("electrons per count", 2.5, 1e-3, 1e3)
    darks: int = setting("dark frames that its pixels are learnt from", 32, 4, 1000)
    saturation_adu: float = setting("where a pixel is full", 4095.0, 1.0, 65_535.0)
    reply_within_s: float = setting("patience beyond the exposure", 1.0, 0.01, 60.0)


@dataclass(frozen=True)
class SurveyConfig:
    """Where the controller looks for emitters by itself, and what it makes of them."""

    side_um: float = setting("of the square in which candidates are visited", 100.0, 5.0, 1e4)
    constellation_um: float = setting(
        "of the square whose lights are noted, by which the chip is known again", 150.0, 5.0, 1e4
    )
    overlap: float = setting("share of a tile seen from the next one too", 0.1, 0.0, 0.5)
    least_photons: float = setting("a fainter spot is not visited", 60.0, 1.0, 1e9)
    most_visits: int = setting("candidates visited, the brightest first", 1000, 1, 100_000)
    focus_reach_um: float = setting("how far off the focus may be at the start", 15.0, 1.0, 1000.0)
    loss_db: float = setting("of the channel that sites are ranked for", 10.0, 0.0, 100.0)
    trigger_hz: float = setting("of the pulses that they are ranked for", 40e6, 1.0, 1e10)


@dataclass(frozen=True)
class SourceConfig:
    """What the instrument says of itself."""

    serial: str = setting("serial number in *IDN?", "0")
    emulated: bool = setting("the devices are a rig's; *IDN? says so", default=False)
    wavelength_um: float = setting("of the photons", 0.65, 0.2, 3.0)
    hold_off_most_s: float = setting("longest a host may put recalibration off", 3600.0, 0.0, 1e5)


@dataclass(frozen=True)
class LimitsConfig:
    """What the source promises; outside, a bit of QUEStionable is up, and the epoch has grown."""

    brightness_share: float = setting("least, of what was found at the lock", 0.5, 0.0, 1.0)
    pointing_share: float = setting("least, of the peak's brightness", 0.9, 0.0, 1.0)
    laser_share: float = setting("most that the laser's power may be off", 0.05, 1e-3, 1.0)
    g2_upper95: float = setting("most of the upper bound of g2(0)", 0.5, 0.0, 10.0)
    coldest_k: float = setting("of the mount", 283.15, 0.0, 1000.0)
    warmest_k: float = setting("of the mount", 313.15, 0.0, 1000.0)


@dataclass(frozen=True)
class ScpiConfig:
    """Where the host finds us."""

    host: str = setting("address to listen at; loopback unless you mean it", "127.0.0.1")
    port: int = setting("TCP port; 0 takes a free one, -1 none", 5025, -1, 65_535)
    serial: str = setting(
        "the host's serial line; empty for none",
        "",
        complaint=_absent_or_address,
    )
    hislip_port: int = setting("HiSLIP; 0 takes a free one, -1 none", 4880, -1, 65_535)
    tls_port: int = setting("SCPI over TLS; 0 takes a free one, -1 none", -1, -1, 65_535)
    tls_certificate: str = setting("file of the certificate that proves who we are", "")
    tls_key: str = setting("file of its key", "")
    tls_clients: str = setting("file of the certificate that signs those of our hosts", "")
    access: str = setting(FORM, ACCESS, complaint=no_access)
    most_sessions: int = setting("connections over a network at once", 100, 1, 1000)


@dataclass(frozen=True)
class WebConfig:
    """The page that shows what goes on."""

    host: str = setting("address to listen at; loopback unless you mean it", "127.0.0.1")
    port: int = setting("TCP port; 0 takes a free one, -1 none", 8025, -1, 65_535)


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
    board: BoardConfig = field(default_factory=BoardConfig)
    laser: LaserConfig = field(default_factory=LaserConfig)
    tagger: TaggerConfig = field(default_factory=TaggerConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    survey: SurveyConfig = field(default_factory=SurveyConfig)
    source: SourceConfig = field(default_factory=SourceConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    scpi: ScpiConfig = field(default_factory=ScpiConfig)
    web: WebConfig = field(default_factory=WebConfig)
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
    mistakes = []
    corners = zip(config.stage.low_um, config.stage.high_um, strict=True)
    if not all(low < high for low, high in corners):
        mistakes += ["stage.low_um must lie below stage.high_um on each axis, or it cannot move"]
    if not config.limits.coldest_k < config.limits.warmest_k:
        mistakes += ["limits.coldest_k must lie below limits.warmest_k"]
    return mistakes


def with_port(config: Config, port: int) -> Config:
    """The same, but at another TCP port, HiSLIP and the page with it at free ones."""
    scpi = replace(config.scpi, port=port, hislip_port=min(config.scpi.hislip_port, 0))
    return replace(config, scpi=scpi, web=replace(config.web, port=min(config.web.port, 0)))
