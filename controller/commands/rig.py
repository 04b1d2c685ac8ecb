"""gansource rig: the emulated rack alone, for a controller or a stranger's client elsewhere."""

import argparse
from pathlib import Path
from typing import Any

from controller.commands.handover import to_rig

EXAMPLE = "example: gansource rig --scenario hot-night --seed 3 --endpoints rig.json"


def add_to(commands: Any, home: Path) -> None:
    """Join the command line."""
    parser = commands.add_parser(
        "rig",
        help="the emulated rack alone, on pseudo-terminals and TCP",
        description=__doc__,
        epilog=EXAMPLE,
    )
    add_arguments(parser)
    parser.set_defaults(execute=lambda _options: to_rig(home), hands_on=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rig` takes."""
    parser.add_argument("--scenario", help="a shipped one's name, or a TOML file")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (default 1)")
    parser.add_argument(
        "--gige",
        nargs="?",
        const="127.0.0.1",
        default="",
        metavar="ADDRESS",
        help="a real GigE Vision camera at this address of ours (127.0.0.1), by libaravis",
    )
    parser.add_argument(
        "--endpoints", type=Path, metavar="FILE", help="write where the devices are found, as JSON"
    )
