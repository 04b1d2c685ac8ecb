"""Time tags in numpy's .npz: `time_ps` and `channel`, read side by side as a stream."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from optics.tags import BadTags, Tags

CHUNK_TAGS = 1 << 16
READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


class NpzTags:
    """A .npz file; never more of it in memory than a chunk."""

    sync_record: int | None = None
    sync_period_ps: float | None = None
    since_sync_step_ps = 1.0

    def __init__(self, path: Path) -> None:
        self.warnings: list[str] = []
        self.tags_promised = 0
        self._path = path

    def chunks(self) -> Iterator[Tags]:
        """All tags; every byte is checked against the checksums in the file."""
        try:
            with ExitStack() as opened:
                archive = opened.enter_context(zipfile.ZipFile(self._path))
                times = opened.enter_context(_Column(archive, "time_ps", np.int64))
                channels = opened.enter_context(_Column(archive, "channel", np.uint8))
                self.tags_promised = times.length
                if times.length != channels.length:
                    raise BadTags(
                        f"{times.length} values in time_ps but {channels.length} in"
                        " channel; save both from the same tags"
                    )
                for start in range(0, times.length, CHUNK_TAGS):
                    count = min(CHUNK_TAGS, times.length - start)
                    yield Tags(times.take(start, count), channels.take(start, count))
        except DAMAGE as err:
            raise BadTags(f"damaged archive ({err}); copy it again") from err


class _Column:
    """One array of the archive, taken from its start to its end."""

    def __init__(self, archive: zipfile.ZipFile, name: str, dtype: DTypeLike) -> None:
        self._where, self._dtype = name, np.dtype(dtype)
        if f"{name}.npy" not in archive.namelist():
            found = ", ".join(member.removesuffix(".npy") for member in archive.namelist()[:6])
            raise BadTags(f"{self._where} is missing (found: {found or 'nothing'})")
        self._stream: IO[bytes] = archive.open(f"{name}.npy")
        try:
            self.length, self._stored = self._header()
        except ValueError as err:
            self._stream.close()
            reason = str(err).splitlines()[0]
            raise BadTags(f"{self._where} is no numpy array ({reason}); save it again") from err
        except BadTags:
            self._stream.close()
            raise

    def __enter__(self) -> "_Column":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def _header(self) -> tuple[int, np.dtype[np.integer]]:
        version = npy.read_magic(self._stream)
        if version not in READERS:
            raise ValueError(f"format version {version}")
        shape, _, dtype = READERS[version](self._stream)
        if len(shape) != 1:
            raise BadTags(f"{self._where} has shape {shape}; save one row of numbers")
        if dtype.kind not in "iu":
            raise BadTags(f"{self._where} is {dtype}; save it as {self._dtype}")
        return shape[0], dtype

    def take(self, start: int, count: int) -> NDArray[Any]:
        """The next so many values, which begin at `start`, as the type that is asked for."""
        raw = self._stream.read(count * self._stored.itemsize)
        if len(raw) < count * self._stored.itemsize:
            held = start + len(raw) // self._stored.itemsize
            raise BadTags(
                f"{self._where} promises {self.length} values, holds {held}; copy it again"
            )
        values = np.frombuffer(raw, self._stored)
        if self._stored == self._dtype:
            return values
        limits = np.iinfo(self._dtype)
        if int(values.min()) < limits.min or int(values.max()) > limits.max:
            at = start + int(np.argmax((values < limits.min) | (values > limits.max)))
            raise BadTags(
                f"{self._where}[{at}] does not fit {self._dtype}; save it as {self._dtype}"
            )
        return values.astype(self._dtype)
