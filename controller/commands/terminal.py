"""What commands say to whoever called them, and with which exit status they end."""

import sys

DONE = 0
USAGE = 2
REFUSED = 3
BAD_INPUT = 4
OUT_OF_REACH = 5
DAMAGED = 6


def say(text: str) -> None:
    """A command's result, on standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: object, status: int) -> int:
    """What went wrong and what to do, on standard error; returns the status to exit with."""
    for line in str(text).splitlines():
        sys.stderr.write(f"gansource: {line}\n")
    return status
