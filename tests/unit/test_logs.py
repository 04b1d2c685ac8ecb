"""Logs: lines of JSON for machines, plain words for people, colour only for what needs it."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from controller.logs import ForMachines, ForPeople, set_up

RUN_ID = 17


class Terminal(io.StringIO):
    """A stream with a person before it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The root logger without its handlers, which come back afterwards."""
    root, own = logging.getLogger(), logging.getLogger().handlers[:]
    level = root.level
    for handler in own:
        root.removeHandler(handler)
    yield root
    logging.captureWarnings(capture=False)
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    for handler in own:
        root.addHandler(handler)
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_pipe_gets_one_json_object_a_line() -> None:
    stream = io.StringIO()
    set_up("INFO", RUN_ID, stream)
    logging.getLogger("controller.supervisor").info("%s --%s-->\n%s", "SAFE", "DONE", "µ\x1b[0m")
    [entry] = lines(stream)
    assert abs(entry.pop("utc_s") - logging.makeLogRecord({}).created) < 600
    assert entry == {
        "level": "INFO",
        "run": RUN_ID,
        "from": "controller.supervisor",
        "message": "SAFE --DONE-->\nµ\x1b[0m",
    }
    assert stream.getvalue().isascii(), "no terminal code and no line break gets through"


def test_the_time_of_a_line_is_the_records() -> None:
    record = logging.makeLogRecord({"msg": "at", "created": 1_767_225_600.1234567})
    assert json.loads(ForMachines(RUN_ID).format(record))["utc_s"] == 1_767_225_600.123457


def test_a_defect_carries_its_trace_within_its_line() -> None:
    stream = io.StringIO()
    set_up("INFO", RUN_ID, stream)
    try:
        logging.getLevelNamesMapping()["stage"]
    except KeyError:
        logging.getLogger().exception("defect")
    [entry] = lines(stream)
    assert entry["message"] == "defect"
    assert entry["trace"].startswith("Traceback")
    assert entry["trace"].endswith("KeyError: 'stage'")


@pytest.mark.parametrize(
    ("level", "colour"),
    [
        (logging.DEBUG, ""),
        (logging.INFO, ""),
        (logging.WARNING, "\033[33m"),
        (logging.ERROR, "\033[31m"),
        (logging.CRITICAL, "\033[1;31m"),
    ],
)
def test_a_terminal_gets_time_and_words_and_colour_only_from_warning_on(
    level: int, colour: str
) -> None:
    terminal = Terminal()
    set_up("DEBUG", RUN_ID, terminal)
    logging.getLogger("controller").log(level, "READY --LOST--> SAFE")
    text = terminal.getvalue()
    assert text.startswith(colour)
    body = text.removeprefix(colour).removesuffix("\n")
    if colour:
        assert body.endswith("\033[0m")
    words = body.removesuffix("\033[0m")
    assert "\033" not in words
    assert words[8:] == " READY --LOST--> SAFE"
    assert [len(part) for part in words[:8].split(":")] == [2, 2, 2]


def test_what_is_below_the_level_is_not_written() -> None:
    stream = io.StringIO()
    set_up("WARNING", RUN_ID, stream)
    logging.getLogger("controller").info("quiet")
    logging.getLogger("controller").warning("loud")
    assert [entry["message"] for entry in lines(stream)] == ["loud"]


def test_a_second_set_up_replaces_the_first(root: logging.Logger) -> None:
    first, second = io.StringIO(), Terminal()
    set_up("INFO", RUN_ID, first)
    set_up("INFO", RUN_ID + 1, second)
    logging.getLogger().info("once")
    assert (first.getvalue(), len(root.handlers)) == ("", 1)
    assert isinstance(root.handlers[0].formatter, ForPeople)


def test_a_python_warning_is_a_line_like_any_other() -> None:
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        set_up("INFO", RUN_ID, stream)
        warnings.warn("heed me", stacklevel=1)
    [entry] = lines(stream)
    assert (entry["from"], entry["level"]) == ("py.warnings", "WARNING")
    assert "UserWarning: heed me" in entry["message"]
