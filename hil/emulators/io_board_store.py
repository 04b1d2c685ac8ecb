"""The board's flash and its ticks in memory. Runs on CPython and on MicroPython."""

import binascii
import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TICK_WRAP = 1 << 30  # of MicroPython's ticks on a 32-bit chip


class PowerCut(BaseException):
    """The power goes while the flash is being written."""


class Ticks:
    """MicroPython's `time`, as far as the firmware uses it."""

    def __init__(self, clock: "Callable[[], float]") -> None:
        self._clock = clock

    def ticks_us(self) -> int:
        return int(self._clock() * 1e6) % TICK_WRAP

    def ticks_diff(self, later: int, earlier: int) -> int:
        return (later - earlier + TICK_WRAP // 2) % TICK_WRAP - TICK_WRAP // 2


class FlashImage:
    """Files in memory; `cut_in` writes from now the power goes, in the middle of one."""

    def __init__(self, files: "Mapping[str, bytes]") -> None:
        self.files = dict(files)
        self.writes = 0
        self.cut_in: int | None = None

    def read(self, path: str) -> "bytes | None":
        return self.files.get(path)

    def write(self, path: str, data: bytes) -> None:
        self._step()
        self.files[path] = bytes(data)

    def append(self, path: str, data: bytes) -> None:
        before = self.files.get(path, b"")
        try:
            self._step()
        except PowerCut:
            self.files[path] = before + data[: len(data) // 2]
            raise
        self.files[path] = before + data

    def remove(self, path: str) -> None:
        self._step()
        del self.files[path]

    def names(self, folder: str) -> "list[str]":
        inside = folder + "/"
        return sorted(path[len(inside) :] for path in self.files if path.startswith(inside))

    def digest(self, path: str) -> str:
        if path not in self.files:
            return ""
        return binascii.hexlify(hashlib.sha256(self.files[path]).digest()).decode()

    def _step(self) -> None:
        """One write; the one at which the power goes does nothing, or half of it."""
        self.writes += 1
        if self.cut_in is not None:
            self.cut_in -= 1
            if self.cut_in < 0:
                self.cut_in = None
                raise PowerCut
