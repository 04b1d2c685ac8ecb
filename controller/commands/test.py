"""gansource test: everything that proves it works."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any


def add_to(commands: Any, home: Path) -> None:
    """Join the command line of a clone; an installed package has no tests to run."""
    runner = home / "tests" / "run.py"
    if not runner.exists():
        return
    parser = commands.add_parser(
        "test",
        help="lint, types, import contracts, and every test",
        description=f"{__doc__} Other words go to pytest, which then runs alone.",
        epilog="example: gansource test -k cable",
    )
    parser.add_argument("--full", action="store_true", help="add the heavy statistics")
    parser.set_defaults(execute=lambda options: _execute(options, runner), hands_on=True)


def _execute(options: argparse.Namespace, runner: Path) -> int:
    os.chdir(runner.parent.parent)
    words = [sys.executable, str(runner), *["--full"] * options.full, *options.rest]
    os.execv(sys.executable, words)  # noqa: S606
