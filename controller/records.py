"""Typed records from TOML: unknown keys are errors, and all mistakes are listed at once."""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

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


def table_of(path: Path) -> dict[str, Any]:
    """What a TOML file holds; ConfigMistakes when it cannot be read as such."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as err:
        raise ConfigMistakes([f"{path}: cannot be read ({err.strerror})"]) from err
    except ValueError as err:  # also of a text that is no UTF-8, or a number beyond all bounds
        raise ConfigMistakes([f"{path}: is not TOML ({err})"]) from err


def record(kind: Any, table: object, where: str, mistakes: list[str]) -> Any:
    """A record of that kind, or None and what is wrong with the table."""
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
        elif spec.default is MISSING and spec.default_factory is MISSING:
            mistakes.append(f"{where}{name} is missing: {spec.metadata['meaning']}")
    return kind(**values) if len(mistakes) == before else None


def _value(spec: Field[Any], kind: Any, given: Any, where: str, mistakes: list[str]) -> Any:
    before, name = len(mistakes), f"{where}{spec.name}"
    value = _read(kind, given, name, spec.metadata, mistakes)
    complaint = spec.metadata.get("complaint", lambda _: "")
    if len(mistakes) == before and (words := complaint(value)):
        mistakes.append(f"{name} = {given!r} {words}")
    return value


def _read(kind: Any, given: Any, name: str, notes: Mapping[str, Any], mistakes: list[str]) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        return record(kind, given, f"{name}.", mistakes)
    if get_origin(kind) is dict:
        return _free(given, name, mistakes)
    if get_origin(kind) is not tuple:
        return _scalar(kind, given, name, notes, mistakes)
    kinds, any_number = get_args(kind), get_args(kind)[-1] is Ellipsis
    if not isinstance(given, list) or not (any_number or len(given) == len(kinds)):
        many = "any length" if any_number else f"{len(kinds)}"
        mistakes.append(f"{name} wants a list of {many}, not {given!r}")
        return None
    kinds = kinds[:1] * len(given) if any_number else kinds
    names = (f"{name}[{n}]" if is_dataclass(part) else name for n, part in enumerate(kinds))
    parts = zip(kinds, given, names, strict=True)
    return tuple(_read(part, value, where, notes, mistakes) for part, value, where in parts)


def _free(given: Any, name: str, mistakes: list[str]) -> Any:
    """Somebody else's table, judged by whoever it is for."""
    if not isinstance(given, Mapping):
        mistakes.append(f"[{name}] must be a table")
        return None
    return dict(given)


def _scalar(
    kind: type, given: Any, name: str, notes: Mapping[str, Any], mistakes: list[str]
) -> Any:
    whole_will_do = kind is float and type(given) is int
    complaint = _complaint(notes, int if whole_will_do else kind, given)
    if complaint:
        meaning = f" ({notes['meaning']})" if "meaning" in notes else ""
        mistakes.append(f"{name} = {given!r} {complaint}{meaning}")
        return None
    return float(given) if whole_will_do else given


def _complaint(notes: Mapping[str, Any], kind: type, value: Any) -> str:
    if type(value) is not kind:
        return f"must be {NAMES[kind]}"
    low, high = notes.get("low"), notes.get("high")
    if low is not None and high is not None and not low <= value <= high:
        return f"must lie between {low:g} and {high:g}"
    if (choices := notes.get("choices")) and value not in choices:
        return f"must be one of {', '.join(choices)}"
    return ""
