"""What is to happen on the rig, as TOML: unknown keys are errors, all mistakes are told at once.

Part of the front: it reads files as the product reads its own.
"""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from controller.records import ConfigMistakes, record, setting, table_of
from hil.nature import WorldNature
from hil.troubles import TROUBLES
from hil.wires import Manners

SHIPPED = Path(__file__).parent / "scenarios"
DEVICES = ("stage", "board", "laser", "tagger", "camera")
MEASURES = (
    "final_error_nm",
    "on_target",
    "time_to_photons_s",
    "wrong_emitter_s",
    "delivered_fraction",
    "shortfall_over_limit",
    "time_below_90pct_s",
    "brightness_sd_share",
    "faults_noticed",
    "faults_recovered",
    "facts_lost",
    "shines",
)


@dataclass(frozen=True)
class Fault:
    """A trouble and its hour."""

    name: str = setting("which trouble", choices=tuple(TROUBLES))
    at_s: float = setting("after the source is settled", 0.0, 0.0, 1e9)
    for_s: float = setting("how long; 0 is the trouble's own", 0.0, 0.0, 1e9)
    severity: float = setting("how bad; 0 is the trouble's own", 0.0)
    device: str = setting("to which device, where it matters", "stage", choices=DEVICES)
    axis: str = setting("to which axis, where it matters", "x", choices=("x", "y", "z"))


@dataclass(frozen=True)
class Chance:
    """Troubles at random, drawn from the seed."""

    per_h: float = setting("how many an hour, on average", 0.0, 0.0, 3600.0)
    names: tuple[str, ...] = setting("which; none given are all", (), choices=tuple(TROUBLES))
    quiet_s: float = setting("none in so long a time before the end", 120.0, 0.0, 1e6)


@dataclass(frozen=True)
class Word:
    """Something a host says over SCPI."""

    scpi: str = setting("the message")
    at_s: float = setting("after the source is settled", 0.0, 0.0, 1e9)


@dataclass(frozen=True)
class Limit:
    """What a measure must not be."""

    of: str = setting("which measure", choices=MEASURES)
    least: float = setting("no less than this", -math.inf)
    most: float = setting("no more than this", math.inf)


@dataclass(frozen=True)
class Scenario:
    """All of one run."""

    title: str = setting("one line on what it is about", "")
    settled_within_s: float = setting("the run ends when it has not settled by then", 900.0, 1, 1e7)
    for_s: float = setting("how long it goes on once it has", 60.0, 0.0, 1e9)
    look_every_s: float = setting("between looks at the truth, on average", 0.1, 1e-3, 3600.0)
    ask_every_s: float = setting("between a host's questions", 0.5, 1e-2, 3600.0)
    controller: dict[str, Any] = field(default_factory=dict)
    wires: Manners = field(default_factory=Manners)
    world: WorldNature = field(default_factory=WorldNature)
    fault: tuple[Fault, ...] = setting("troubles", ())
    chance: Chance = field(default_factory=Chance)
    say: tuple[Word, ...] = setting("what a host says", ())
    check: tuple[Limit, ...] = setting("what must be so in the end", ())


def shipped() -> list[str]:
    """The names of those that come with the rig."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load(name: str) -> Scenario:
    """By the name of one that is shipped, or the path of a file."""
    path = SHIPPED / f"{name}.toml"
    return parse(table_of(path if path.exists() else Path(name)), name)


def parse(table: Mapping[str, Any], source: str) -> Scenario:
    """ConfigMistakes lists all that is wrong."""
    mistakes: list[str] = []
    built: Scenario | None = record(Scenario, table, "", mistakes)
    if built is not None:
        mistakes += _impossible(built.world, "world.", WorldNature())
    if built is None or mistakes:
        raise ConfigMistakes([f"{source}: {mistake}" for mistake in mistakes])
    return built


def every_key() -> list[tuple[str, str]]:
    """Every key with its default, as TOML has it."""
    return list(_keys(Scenario, ""))


def _keys(kind: Any, where: str) -> Any:
    for spec in fields(kind):
        hint = get_type_hints(kind)[spec.name]
        inner = get_args(hint)[0] if get_origin(hint) is tuple else hint
        if is_dataclass(inner):
            several = f"{where}{spec.name}" + ("[]." if get_origin(hint) is tuple else ".")
            yield from _keys(inner, several)
        else:
            yield f"{where}{spec.name}", _written(_default(spec))


def _default(spec: "Field[Any]") -> Any:
    if spec.default is not MISSING:
        return spec.default
    return "" if spec.default_factory is MISSING else spec.default_factory()


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def _impossible(nature: Any, where: str, usual: Any) -> list[str]:
    """Numbers of the world that no world can have: negative ones where the usual one is not."""
    mistakes = []
    for spec in fields(nature):
        value, name = getattr(nature, spec.name), f"{where}{spec.name}"
        if is_dataclass(value):
            mistakes += _impossible(value, f"{name}.", getattr(usual, spec.name))
        elif spec.name not in MAY_BE_NEGATIVE and min(_numbers(value), default=0.0) < 0.0:
            mistakes.append(f"{name} = {value!r} must not be negative")
        elif not all(map(math.isfinite, _numbers(value))):
            mistakes.append(f"{name} = {value!r} must be a finite number")
    return mistakes


MAY_BE_NEGATIVE = {
    *("drift_um_per_k", "scale_error", "skew_mrad", "lift_mrad", "analogue_scale_error"),
    *("astigmatism_waves", "coma_waves", "spherical_waves", "wide_centre_um", "spot_px"),
    *("turn_deg", "rotator_rad", "centre_um", "vibration_nm"),
}


def _numbers(value: Any) -> list[float]:
    if isinstance(value, tuple):
        return [number for part in value for number in _numbers(part)]
    return [value] if isinstance(value, int | float) else []
