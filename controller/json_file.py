"""A JSON file that somebody hands in: every way of being wrong is one line."""

import json
from pathlib import Path
from typing import Any


class BadFile(Exception):
    """What is wrong, where in which file, and what to do; one line."""


def json_in(path: Path) -> Any:
    """What it holds; NaN and Infinity are no JSON."""
    try:
        return json.loads(path.read_bytes(), parse_constant=_no_number)
    except OSError as err:
        raise BadFile(f"{path}: {err.strerror}; give a file that can be read") from err
    except json.JSONDecodeError as err:
        where = f"line {err.lineno} column {err.colno}"
        raise BadFile(f"{path}: {where}: no JSON ({err.msg}); give a JSON file") from err
    except (ValueError, RecursionError) as err:
        raise BadFile(f"{path}: no JSON ({err}); give a JSON file in UTF-8") from err


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is not a number")
