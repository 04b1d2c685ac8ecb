"""The whole configuration as frozen typed records; one TOML file, all mistakes at once.

Unknown keys are errors, every number has its unit in its name and bounds in its field.
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from optics.transports import FORMS, is_address

NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class ConfigMistakes(Exception):
    """Every mistake found, one per line, ready for an operator."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def setting(
    meaning: str,
    default: Any = MISSING,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    complaint: Callable[[Any], str] = lambda _: "",
) -> Any:
    """A field that knows what it means, what it may be, and what to say of what it may not."""
    notes = {"meaning": meaning, "low": low, "high": high, "choices": choices}
    return field(default=default, metadata={**notes, "complaint": complaint})


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


@dataclass(frozen=True)
class LogConfig:
    """What is written of what happens."""

    level: str = setting("least severity", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))


@dataclass(frozen=True)
class WatchdogConfig:
    """The guard over the event loop."""

    lag_alarm_s: float = setting("a loop this late is reported", 0.1, 0.001, 60.0)


@dataclass(frozen=True)
class Config:
    """Everything an operator decides."""

    stage: StageConfig
    source: SourceConfig = field(default_factory=SourceConfig)
    scpi: ScpiConfig = field(default_factory=ScpiConfig)
    log: LogConfig = field(default_factory=LogConfig)
    watchdog: WatchdogConfig = field(default_factory=WatchdogConfig)


def load(path: Path) -> Config:
    """Read a file; ConfigMistakes lists all that is wrong with it."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as err:
        raise ConfigMistakes([f"{path}: cannot be read ({err.strerror})"]) from err
    except ValueError as err:  # also of a text that is no UTF-8, or a number beyond all bounds
        raise ConfigMistakes([f"{path}: is not TOML ({err})"]) from err
    return parse(table, str(path))


def parse(table: Mapping[str, Any], source: str) -> Config:
    """Build the configuration from a table as TOML gives it."""
    mistakes: list[str] = []
    built: Config | None = _record(Config, table, "", mistakes)
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
    """The same, but listening at another TCP port."""
    return replace(config, scpi=replace(config.scpi, port=port))


def _record(kind: Any, table: object, where: str, mistakes: list[str]) -> Any:
    if not isinstance(table, Mapping):
        mistakes.append(f"[{where.rstrip('.')}] must be a table")
        return None
    known = {spec.name: spec for spec in fields(kind)}
    for stranger in sorted(table.keys() - known.keys()):
        near = difflib.get_close_matches(stranger, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        mistakes.append(f"{where}{stranger} is no setting; {hint}")
    before, hints, values = len(mistakes), get_type_hints(kind), {}
    for name, spec in known.items():
        if name in table or is_dataclass(hints[name]):
            values[name] = _value(spec, hints[name], table.get(name, {}), where, mistakes)
        elif spec.default is MISSING:
            mistakes.append(f"{where}{name} is missing: {spec.metadata['meaning']}")
    return kind(**values) if len(mistakes) == before else None


def _value(spec: Field[Any], kind: Any, given: Any, where: str, mistakes: list[str]) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        return _record(kind, given, f"{where}{spec.name}.", mistakes)
    before = len(mistakes)
    if get_origin(kind) is tuple:
        value = _list(spec, get_args(kind), given, where, mistakes)
    else:
        value = _scalar(spec, kind, given, where, mistakes)
    if len(mistakes) == before and (complaint := spec.metadata["complaint"](value)):
        mistakes.append(f"{where}{spec.name} = {given!r} {complaint}")
    return value


def _list(
    spec: Field[Any], kinds: tuple[type, ...], given: Any, where: str, mistakes: list[str]
) -> Any:
    if not isinstance(given, list) or len(given) != len(kinds):
        mistakes.append(f"{where}{spec.name} wants a list of {len(kinds)}, not {given!r}")
        return None
    return tuple(
        _scalar(spec, kind, part, where, mistakes) for kind, part in zip(kinds, given, strict=True)
    )


def _scalar(spec: Field[Any], kind: type, given: Any, where: str, mistakes: list[str]) -> Any:
    whole_will_do = kind is float and type(given) is int
    complaint = _complaint(spec.metadata, int if whole_will_do else kind, given)
    if complaint:
        meaning = spec.metadata["meaning"]
        mistakes.append(f"{where}{spec.name} = {given!r} {complaint} ({meaning})")
        return None
    return float(given) if whole_will_do else given


def _complaint(notes: Mapping[str, Any], kind: type, value: Any) -> str:
    if type(value) is not kind:
        return f"must be {NAMES[kind]}"
    low, high = notes["low"], notes["high"]
    if low is not None and not low <= value <= high:
        return f"must lie between {low:g} and {high:g}"
    if notes["choices"] and value not in notes["choices"]:
        return f"must be one of {', '.join(notes['choices'])}"
    return ""
