"""The little that a test needs to talk to the board; written from the README of its folder."""

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping

from hil.emulators.io_board_flash import slot_files

VERSION_LINE = re.compile(rb'^VERSION = "(.*)"$', re.MULTILINE)
GOOD = b'0,"No error"\n'
BLOCK = 192  # bytes of a file in one line


def sealed(text: str) -> bytes:
    """A line with its checksum and its end."""
    return b"%s *%08X\n" % (text.encode(), zlib.crc32(text.encode()))


def identity(files: Mapping[str, bytes]) -> str:
    """By which a slot's content is known: the hash over names and hashes."""
    lines = [f"{name} {hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def update(files: Mapping[str, bytes]) -> Iterator[str]:
    """Every command of an update, in order."""
    yield "FIRM:BEG"
    for name, content in sorted(files.items()):
        for start in range(0, len(content), BLOCK):
            yield f'FIRM:DATA "{name}",{start},"{content[start : start + BLOCK].hex()}"'
    yield f'FIRM:COMM "{identity(files)}"'
    yield "FIRM:SWIT"


def version(files: Mapping[str, bytes]) -> str:
    """What the firmware calls itself."""
    found = VERSION_LINE.search(files["firmware.py"])
    assert found
    return found[1].decode()


VERSION = version(slot_files())


def newer(number: str) -> dict[str, bytes]:
    """Firmware that differs from the clone's in its version only."""
    files = slot_files()
    line = b'VERSION = "%s"' % number.encode()
    return files | {"firmware.py": VERSION_LINE.sub(line, files["firmware.py"])}
