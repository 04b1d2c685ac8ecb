"""The command line: `gansource COMMAND`, or `python -m controller COMMAND`."""

import argparse
import importlib.util
import sys
from pathlib import Path

from controller import __version__
from controller.commands import (
    doctor,
    flash,
    g2,
    hil,
    keyrate,
    locate,
    register,
    rig,
    run,
    sites,
    test,
)
from controller.commands.terminal import DAMAGED, complain

HOME = Path(__file__).parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the status follows the table in the README."""
    for name in ("optics", "mapping"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or Path(spec.origin).parent.parent != HOME:
            found = spec.origin if spec else "nothing"
            return complain(f"`{name}` should come from {HOME}, not {found}", DAMAGED)
    parser = argparse.ArgumentParser(
        "gansource",
        description="Turns a rack with a gallium-nitride chip into a single-photon source.",
        epilog="example: gansource run",
    )
    parser.add_argument("--version", action="version", version=f"gansource {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (run, doctor, rig, hil, test, sites, locate, register, g2, keyrate, flash):
        module.add_to(commands, HOME)
    options, rest = parser.parse_known_args(arguments)
    if rest and not options.hands_on:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    status: int = options.execute(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
