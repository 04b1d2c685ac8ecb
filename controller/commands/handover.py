"""Hands the process over to the rig, which the product never imports."""

import os
import sys
from pathlib import Path

from controller.commands.terminal import USAGE, complain


def to_rig(home: Path) -> int:  # noqa: RET503 - the last line never returns
    """In a clone the rig lies beside us and takes the very words we were given."""
    if not (home / "hil" / "__main__.py").exists():
        return complain("no rig here, it lives in a clone; give --config FILE", USAGE)
    search = os.pathsep.join([str(home), *filter(None, [os.environ.get("PYTHONPATH")])])
    words = [sys.executable, "-m", "hil", *sys.argv[1:]]
    os.execve(sys.executable, words, {**os.environ, "PYTHONPATH": search})  # noqa: S606
