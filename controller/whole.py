"""Files that appear whole or not at all."""

import errno
import os
from pathlib import Path


def save(path: Path, data: bytes) -> None:
    """The whole file or, with an OSError, none: written beside and put in place in one step."""
    place = path.resolve()  # a link is kept and what it points to replaced
    if place.exists() and not place.is_file():
        raise OSError(errno.EINVAL, "is no regular file")
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
