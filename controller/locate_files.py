"""What `gansource locate` reads: frames and the calibration, checked to the last number."""

import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.json_file import BadFile, json_in
from optics.sensor import Calibration

LEAST_PX, MOST_PX = 8, 16384
WIDTHS_PX = (0.3, 20.0)
KINDS = ".npy, .npz (one array) or .tif"


def frames_from(path: Path, *, counts: bool) -> NDArray[Any]:
    """A stack (n, h, w): of camera counts, or of counted photons."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise BadFile(f"{path}: no kind of file we read; give {KINDS}")
    try:
        stack = reader(path)
    except OSError as err:
        raise BadFile(f"{path}: {err.strerror or err}; give a file that can be read") from err
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile) as err:
        reason = str(err).partition("\n")[0]
        raise BadFile(f"{path}: damaged or no array ({reason:.80}); write it anew") from err
    return _checked(path, stack, counts=counts)


def _npy(path: Path) -> NDArray[Any]:
    return np.asarray(np.load(path, allow_pickle=False))


def _npz(path: Path) -> NDArray[Any]:
    with np.load(path, allow_pickle=False) as stored:
        names = list(getattr(stored, "files", []))
        if len(names) != 1:
            raise BadFile(f"{path}: {len(names)} arrays in it; give one")
        return np.asarray(stored[names[0]])


def _tif(path: Path) -> NDArray[Any]:
    import cv2

    path.read_bytes()[:1]  # OpenCV does not say why it cannot read
    good, pages = cv2.imreadmulti(str(path), flags=cv2.IMREAD_UNCHANGED)
    if not good or not pages or len({page.shape for page in pages}) > 1:
        raise BadFile(f"{path}: no TIFF pages of one size; write the stack anew")
    return np.asarray(pages)


READERS: dict[str, Callable[[Path], NDArray[Any]]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".tif": _tif,
    ".tiff": _tif,
}


def _checked(path: Path, stack: NDArray[Any], *, counts: bool) -> NDArray[Any]:
    if stack.ndim not in (2, 3):
        raise BadFile(f"{path}: shape {stack.shape}; give (H,W) or (N,H,W)")
    if not counts and stack.dtype not in (np.uint8, np.uint16):
        raise BadFile(f"{path}: numbers of type {stack.dtype}; give uint16 camera counts")
    if stack.dtype.kind not in "uif":
        raise BadFile(f"{path}: numbers of type {stack.dtype}; give counts per pixel")
    if counts and stack.size and not (np.isfinite(stack).all() and stack.min() >= 0):
        at = tuple(int(i) for i in np.argwhere(~(np.isfinite(stack) & (stack >= 0)))[0])
        raise BadFile(f"{path}: {stack[at]} at {at}; counts are finite and not below zero")
    height, width = stack.shape[-2:]
    if not (LEAST_PX <= height <= MOST_PX and LEAST_PX <= width <= MOST_PX):
        raise BadFile(f"{path}: {height} x {width} pixels; give {LEAST_PX} to {MOST_PX} a side")
    return stack[None] if stack.ndim == 2 else stack


def camera_from(path: Path, shape: tuple[int, int]) -> Calibration:
    """For frames of that height and width."""
    told = json_in(path)
    if not isinstance(told, dict):
        raise BadFile(f'{path}: no object; give {{"gain_e_per_adu":…,"offset_adu":…,…}}')
    number = _Reader(path, told, shape)
    number.scalar("pixel_nm", 1.0, 1e6, None)
    return Calibration(
        number.map("gain_e_per_adu", 1e-6, 1e6),
        number.map("offset_adu", -65535.0, 65535.0),
        number.map("read_noise_e", 0.0, 1e6),
        number.scalar("psf_sigma_px", *WIDTHS_PX, None),
        number.scalar("saturation_adu", 1.0, 1e9, 65535.0) or 65535.0,
        number.hot_pixels(),
    )


class _Reader:
    """Values of one CAMERA.json by their keys."""

    def __init__(self, path: Path, told: dict[str, Any], shape: tuple[int, int]) -> None:
        self._path, self._told, self._shape = path, told, shape

    def scalar(self, key: str, low: float, high: float, default: float | None) -> float | None:
        value = self._told.get(key)
        if value is None:
            return default
        if not _is_number(value) or not low <= value <= high:
            raise self._bad(key, f"{value!r:.60}; give a number from {low:g} to {high:g}")
        return float(value)

    def map(self, key: str, low: float, high: float) -> float | NDArray[np.float64]:
        """A number, or an array from the .npy that is named."""
        value = self._told.get(key)
        if not isinstance(value, str):
            if value is None:
                raise self._bad(key, "missing; give a number or the name of a .npy map")
            return self.scalar(key, low, high, None) or 0.0
        path = self._path.parent / value
        try:
            values = np.asarray(np.load(path, allow_pickle=False))
        except OSError as err:
            raise self._bad(key, f"{path}: {err.strerror or err}; give a .npy map") from err
        except (ValueError, EOFError) as err:
            raise self._bad(key, f"{path}: no array; give a .npy map") from err
        if values.shape != self._shape or values.dtype.kind not in "uif":
            want = "{} x {}".format(*self._shape)
            raise self._bad(key, f"{path}: {values.dtype} {values.shape}; give numbers, {want}")
        wrong = np.argwhere(~((values >= low) & (values <= high)))
        if len(wrong):
            y, x = (int(i) for i in wrong[0])
            raise self._bad(key, f"{path}: {values[y, x]} at [{y}, {x}]; give {low:g} to {high:g}")
        return values.astype(float)

    def hot_pixels(self) -> tuple[tuple[int, int], ...]:
        value = self._told.get("hot_pixels") or []
        if not isinstance(value, list):
            raise self._bad("hot_pixels", f"{value!r:.60}; give [[x,y],…] or null")
        for index, pair in enumerate(value):
            inside = isinstance(pair, list) and len(pair) == 2 and all(type(v) is int for v in pair)
            if not inside or not (0 <= pair[0] < self._shape[1] and 0 <= pair[1] < self._shape[0]):
                raise self._bad(f"hot_pixels[{index}]", f"{pair!r:.60}; give [x,y] in the frame")
        return tuple((x, y) for x, y in value)

    def _bad(self, key: str, what: str) -> BadFile:
        return BadFile(f"{self._path}: {key}: {what}")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
