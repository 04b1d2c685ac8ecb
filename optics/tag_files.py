"""Opens a recording of time tags, whatever its name, by what it begins with."""

from pathlib import Path

from optics.npz_tags import NpzTags
from optics.ptu_header import MAGIC
from optics.ptu_tags import PtuTags
from optics.tags import BadTags, TagSource

ZIP = (b"PK\3\4", b"PK\5\6")
FOREIGN = {
    b"PQHISTO": "a PicoQuant histogram holds no tags; record in T2 or T3 mode",
    b"PQRESLT": "a PicoQuant result holds no tags; give the .ptu it was made from",
    b"PicoHarp 300": "the older .pt2 and .pt3 are not read; convert to .ptu",
    b"HydraHarp": "the older .ht2 and .ht3 are not read; convert to .ptu",
    b"TimeHarp": "the older .t3r is not read; convert to .ptu",
    b"\x93NUMPY": "one array is not enough; save time_ps and channel with numpy.savez",
    b"\x89HDF": "HDF5 is not read; save time_ps and channel with numpy.savez",
}


def open_tags(path: Path) -> TagSource:
    """The recording in a file; BadTags when it holds none that can be read."""
    try:
        with path.open("rb") as stream:
            beginning = stream.read(16)
        if beginning.startswith(MAGIC):
            return PtuTags(path)
    except OSError as err:
        raise BadTags(f"{err.strerror or err}; give a readable file") from err
    if beginning.startswith(ZIP):
        return NpzTags(path)
    if not beginning:
        raise BadTags("empty file; record or copy it again")
    for magic, advice in FOREIGN.items():
        if beginning.startswith(magic):
            raise BadTags(f"{advice}")
    raise BadTags(f"neither .ptu nor .npz (begins with {beginning[:8]!r}); convert it")
