"""The configuration: every mistake is named with its file and key, all of them at once."""

import math
import re
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from controller.config import (
    Config,
    ScpiConfig,
    StageConfig,
    load,
    parse,
    with_port,
)
from controller.records import ConfigMistakes

LEAST = {"stage": {"address": "tcp://stage:50000"}}
SETTINGS = [
    (section, name, kind)
    for section, record in get_type_hints(Config).items()
    for name, kind in get_type_hints(record).items()
]
FULL = """
[stage]
address = "tcp://stage:50000"
axes = ["A", "B", "C"]
low_um = [0, -10.5, 0]
high_um = [100, 100, 50]
reply_within_s = 1
[source]
emulated = true
[scpi]
port = 0
[log]
level = "DEBUG"
"""


def mistakes_in(text: str, folder: Path) -> list[str]:
    """What `load` says of a file with this text, without the name of the file."""
    file = folder / "rack.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigMistakes) as caught:
        load(file)
    assert str(caught.value).splitlines() == caught.value.mistakes
    assert all(mistake.startswith(f"{file}: ") for mistake in caught.value.mistakes)
    return [mistake.removeprefix(f"{file}: ") for mistake in caught.value.mistakes]


def mistakes_with(table: str, key: str, value: object) -> list[str]:
    """What `parse` says of the least configuration with one more setting."""
    tables: dict[str, dict[str, Any]] = {**LEAST, table: dict(LEAST.get(table, {})) | {key: value}}
    try:
        parse(tables, "rack.toml")
    except ConfigMistakes as found:
        return found.mistakes
    return []


def fits(kind: object, value: object) -> bool:
    if get_origin(kind) is not tuple:
        return type(value) is kind or (kind is float and type(value) is int)
    kinds = get_args(kind)
    return isinstance(value, list) and len(value) == len(kinds) and all(map(fits, kinds, value))


def test_what_is_not_said_has_its_default() -> None:
    config = parse(LEAST, "rack.toml")
    assert config.stage == StageConfig("tcp://stage:50000")
    assert config.scpi == ScpiConfig("127.0.0.1", 5025, "")
    assert (config.log.level, config.source.emulated) == ("INFO", False)


def test_what_is_said_is_taken_and_a_whole_number_will_do_for_any(tmp_path: Path) -> None:
    file = tmp_path / "rack.toml"
    file.write_text(FULL, "utf-8")
    config = load(file)
    assert config.stage.axes == ("A", "B", "C")
    assert config.stage.low_um == (0.0, -10.5, 0.0)
    assert type(config.stage.high_um[0]) is type(config.stage.reply_within_s) is float
    assert (config.source.emulated, config.scpi.port, config.log.level) == (True, 0, "DEBUG")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = mistakes_in(
        """
        nonsense = 1
        [stage]
        adress = "tcp://stage:50000"
        driver = "thorlabs"
        axes = ["1", "2"]
        low_um = [0, "a", 0]
        reply_within_s = nan
        settle_within_s = 601
        [source]
        emulated = 1
        [scpi]
        port = 5025.0
        [log]
        level = "LOUD"
        """,
        tmp_path,
    )
    expected = [
        r"nonsense is no setting; known are stage, board, .*, watchdog.*",
        r"stage\.adress is no setting; did you mean address\?",
        r"stage\.address is missing: serial:///\S+ or tcp://host:port",
        r"stage\.driver = 'thorlabs' must be one of pi \(which driver speaks to it\)",
        r"stage\.axes wants a list of 3, not \['1', '2'\]",
        r"stage\.low_um = 'a' must be a number \(corner of the travel\)",
        r"stage\.reply_within_s = nan must lie between 0\.01 and 10 \(patience with one answer\)",
        r"stage\.settle_within_s = 601 must lie between 0\.01 and 600 \(patience with one move\)",
        r"source\.emulated = 1 must be true or false \(.*\)",
        r"scpi\.port = 5025\.0 must be a whole number \(.*\)",
        r"log\.level = 'LOUD' must be one of DEBUG, INFO, WARNING, ERROR \(least severity\)",
    ]
    for told, pattern in zip(found, expected, strict=True):
        assert re.fullmatch(pattern, told), (told, pattern)


def test_a_stage_must_be_named(tmp_path: Path) -> None:
    assert [told.split(":")[0] for told in mistakes_in("", tmp_path)] == [
        "stage.address is missing"
    ]


def test_a_setting_where_a_table_belongs_is_a_mistake(tmp_path: Path) -> None:
    assert "[scpi] must be a table" in mistakes_in("scpi = 5025", tmp_path)


@pytest.mark.parametrize(
    "text",
    ["[stage", "address = ", "x = 1\nx = 2", "\udcff", "x = " + 5000 * "9"],
    ids=["open table", "no value", "said twice", "not UTF-8", "endless number"],
)
def test_what_is_not_toml_is_told_so(text: str, tmp_path: Path) -> None:
    file = tmp_path / "rack.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigMistakes, match=r"rack\.toml: is not TOML \(.+\)"):
        load(file)


def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigMistakes, match=r"none\.toml: cannot be read \(No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigMistakes, match=r"cannot be read \(Is a directory"):
        load(tmp_path)


@pytest.mark.parametrize(("section", "name", "kind"), SETTINGS)
def test_no_setting_takes_a_value_of_another_type(section: str, name: str, kind: object) -> None:
    lists: list[object] = [["1"] * 3, [1] * 3, [0.5] * 3, [True] * 3, [1, 1], [], ["1", 1, 0.5]]
    for value in ("pi", True, 1, 0.5, {}, *lists):
        told = mistakes_with(section, name, value)
        if not fits(kind, value):
            assert told, value
            assert all(each.startswith(f"rack.toml: {section}.{name} ") for each in told), told


@pytest.mark.parametrize(
    ("section", "name", "value", "allowed"),
    [
        ("scpi", "port", -1, True),
        ("scpi", "port", -2, False),
        ("scpi", "port", 65_535, True),
        ("scpi", "port", 65_536, False),
        ("stage", "reply_within_s", 0.01, True),
        ("stage", "reply_within_s", 0.0099, False),
        ("stage", "reply_within_s", -math.inf, False),
        ("stage", "velocity_um_per_s", math.inf, False),
        ("stage", "velocity_um_per_s", math.nan, False),
        pytest.param("stage", "velocity_um_per_s", 10**400, False, id="beyond all floats"),
        ("stage", "high_um", [0, 0, math.nan], False),
        ("stage", "high_um", [1, 1, 1e5], True),
        ("stage", "high_um", [0, 100_001, 0], False),
    ],
)
def test_bounds_belong_to_what_is_allowed(
    section: str, name: str, value: object, allowed: bool
) -> None:
    told = mistakes_with(section, name, value)
    assert ["must lie between" in each for each in told] == ([] if allowed else [True])


def test_what_is_no_address_or_no_three_names_is_told_with_its_key() -> None:
    tables = {
        "stage": {"address": "COM3", "axes": ["1", "1", "2"]},
        "scpi": {"serial": "ttyS0"},
    }
    with pytest.raises(ConfigMistakes) as caught:
        parse(tables, "rack.toml")
    for told, wanted in zip(
        caught.value.mistakes,
        (
            r"rack\.toml: stage\.address = 'COM3' is no address: write serial://\S+ or tcp://.*",
            r"rack\.toml: stage\.axes = \['1', '1', '2'\] must be three different names",
            r"rack\.toml: scpi\.serial = 'ttyS0' is no address: write .*",
        ),
        strict=True,
    ):
        assert re.fullmatch(wanted, told), told


@pytest.mark.parametrize("high_um", [[1, 1, 0], [1, -1, 1]])
def test_corners_that_enclose_nothing_are_told(high_um: list[float]) -> None:
    told = mistakes_with("stage", "high_um", high_um)
    assert len(told) == 1
    assert "stage.low_um must lie below stage.high_um" in told[0]


def test_another_port_changes_nothing_else() -> None:
    config = parse(LEAST, "rack.toml")
    assert with_port(config, 0).scpi == ScpiConfig("127.0.0.1", 0, "", hislip_port=0)
    assert with_port(config, 0).stage == config.stage
    assert config.scpi.port == 5025
