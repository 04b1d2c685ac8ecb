"""gansource doctor: is everything there that the controller needs, and if not, what to do."""

import argparse
import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.commands.run import data_folder
from controller.commands.terminal import BAD_INPUT, say

if TYPE_CHECKING:  # nothing else is imported before the command line has looked where it is
    from controller.config import Config
    from controller.findings import Finding

    Tell = Callable[[Finding], None]

EXAMPLE = "example: gansource doctor --config /etc/gansource/rack.toml"


def add_to(commands: Any, home: Path) -> None:  # noqa: ARG001 - every command is joined alike
    """Join the command line."""
    parser = commands.add_parser(
        "doctor",
        help="checks configuration, devices, storage, clock; says what to do",
        description=f"{__doc__} Devices are connected to, which leaves them dark and still; "
        "those of a controller that runs are left to it.",
        epilog=EXAMPLE,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the rack; else only the rest")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the controller's state folder")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(execute=execute, hands_on=False)


def execute(options: argparse.Namespace) -> int:
    """A line for each finding as soon as it is known; the status is that of the worst."""
    found: list[Finding] = []

    def tell(finding: "Finding") -> None:
        found.append(finding)
        if not options.json:
            say(_line(finding))

    folder = data_folder(options.data)
    if options.config is None and options.data is None:
        folder /= "rig"
    _look(options.config, folder, tell)
    worst = max(finding.status for finding in found)
    if options.json:
        told = [finding._asdict() | {"verdict": finding.verdict} for finding in found]
        say(json.dumps({"status": worst, "findings": told}, indent=1))
    return worst


def _look(path: Path | None, folder: Path, tell: "Tell") -> None:
    from controller import findings
    from controller.config import MachineConfig
    from controller.device_check import check_devices
    from controller.store import utc_now

    config = _configuration(path, tell)
    holder = findings.holder_of(folder)
    for finding in findings.storage(folder):
        tell(finding)
    tell(findings.clock(utc_now()))
    tell(findings.machine(config.machine if config else MachineConfig()))
    if holder:
        words = f"a controller runs (process {holder}) and has them; ask it: SOURce:FAULt?"
        tell(findings.Finding("devices", words))
    elif config is not None:
        if trouble := findings.line_trouble("SCPI line", config.scpi.serial):
            tell(trouble)
        asyncio.run(check_devices(config, {}, tell))


def _configuration(path: Path | None, tell: "Tell") -> "Config | None":
    """What it says, with every mistake told."""
    from controller.config import load
    from controller.findings import Finding
    from controller.records import ConfigMistakes

    if path is None:
        tell(Finding("configuration", "none given: `gansource run` would start the embedded rig"))
        return None
    try:
        config = load(path)
    except ConfigMistakes as err:
        remedy = "correct it; every setting is in controller/config.py"
        for mistake in err.mistakes:
            tell(Finding("configuration", mistake, remedy, BAD_INPUT))
        return None
    tell(Finding("configuration", f"{path}: without mistakes"))
    return config


def _line(finding: "Finding") -> str:
    advice = f"; {finding.remedy}" if finding.remedy else ""
    return f"{finding.verdict:8s} {finding.what:14s} {finding.words}{advice}"
