"""Raw frames and counts, compressed, beside the store: every map can be made from them again."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = "recordings"
SENSOR = "sensor.npz"


class Recordings:
    """Synchronous; for the compute thread. A file is whole or absent."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def keep(self, name: str, arrays: Mapping[str, NDArray[np.generic]]) -> str:
        """Lossless; returns the name under which `read` finds it after a power cut too."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        with beside.open("wb") as file:
            np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _flush(path.parent)
        return name

    def read(self, name: str) -> dict[str, NDArray[np.generic]] | None:
        """None where there is none, or none that can be read."""
        try:
            with np.load(self._folder / name) as found:
                return {key: found[key] for key in found.files}
        except (OSError, ValueError, KeyError):
            return None


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
