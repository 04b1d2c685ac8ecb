"""What the controller takes of the computer it runs on: cores, and threads for numeric work."""

import os
import re

SPAN = re.compile(r"(\d+)(?:-(\d+))?")
FORM = "cores as the kernel lists them: 0,2-3; empty for all"
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""Each library reads its own when it is first imported."""


def cores(text: str) -> set[int]:
    """The cores of a list; ValueError for one that is none."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        span = SPAN.fullmatch(part.strip())
        if span is None or int(span[2] or span[1]) < int(span[1]):
            raise ValueError(part)
        found |= set(range(int(span[1]), int(span[2] or span[1]) + 1))
    return found


def no_cores(text: str) -> str:
    """What is wrong with a list, or nothing."""
    try:
        missing = cores(text) - set(range(os.cpu_count() or 1))
    except ValueError:
        return f"is no list of {FORM}"
    return f"names cores that are not here: {sorted(missing)}" if missing else ""


def take(wanted: str, threads: int) -> None:
    """Keep to these cores and so many threads (0: as the libraries like), from now on."""
    if wanted:
        os.sched_setaffinity(0, cores(wanted))
    if threads:
        os.environ |= dict.fromkeys(LIBRARIES, str(threads))
