"""gansource hil: the whole controller through scenarios on the emulated rack, with a verdict."""

import argparse
from pathlib import Path
from typing import Any

from controller.commands.handover import to_rig

EXAMPLE = "example: gansource hil hold-6h power-cycle --seed 1..20 --out report.json"


def add_to(commands: Any, home: Path) -> None:
    """Join the command line."""
    parser = commands.add_parser(
        "hil",
        help="run the controller through scenarios on the emulated rack",
        description=__doc__,
        epilog=EXAMPLE,
    )
    add_arguments(parser)
    parser.set_defaults(execute=lambda _options: to_rig(home), hands_on=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `hil` takes."""
    parser.add_argument("scenarios", nargs="+", metavar="SCENARIO", help="a name, or a TOML file")
    parser.add_argument("--seed", default="1", metavar="A..B", help="one, or a span (default 1)")
    parser.add_argument(
        "--speed",
        default="max",
        help="max: deterministic, as fast as it goes (default); N: real wires, N times the wall",
    )
    parser.add_argument("--out", type=Path, metavar="REPORT.json", help="where the report goes")
    parser.add_argument("--jobs", type=int, default=0, help="runs at once; 0 is one for each core")
    parser.add_argument("--json", action="store_true", help="print the report")
