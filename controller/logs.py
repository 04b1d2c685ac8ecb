"""Logs: for a person on a terminal, as JSON lines when piped or under a service manager."""

import json
import logging
import sys
from typing import TextIO

COLOURS = {"WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[1;31m"}


def set_up(level: str, run_id: int, stream: TextIO = sys.stderr) -> None:
    """Everything the program logs goes to one stream, in the form that its reader wants."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ForPeople() if stream.isatty() else ForMachines(run_id))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


class ForPeople(logging.Formatter):
    """`10:24:03 READY ...`, with what needs attention in colour."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        colour = COLOURS.get(record.levelname, "")
        return f"{colour}{super().format(record)}\033[0m" if colour else super().format(record)


class ForMachines(logging.Formatter):
    """One JSON object a line, each with the run it belongs to."""

    def __init__(self, run_id: int) -> None:
        super().__init__()
        self._run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "utc_s": round(record.created, 6),
            "level": record.levelname,
            "run": self._run_id,
            "from": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry)
