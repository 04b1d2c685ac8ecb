"""A camera's bytes to an array of counts, and what a calibrated sensor's own maps take out.

Pixel formats are named as in the GenICam Pixel Format Naming Convention 2.1.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.uint16]
Map = NDArray[np.float32]


class Format(NamedTuple):
    """How one pixel format lies in memory."""

    bits: int  # that tell something
    group_bytes: int  # smallest whole group
    group_pixels: int


FORMATS = {
    "Mono8": Format(8, 1, 1),
    "Mono10": Format(10, 2, 1),
    "Mono12": Format(12, 2, 1),
    "Mono14": Format(14, 2, 1),
    "Mono16": Format(16, 2, 1),
    "Mono12p": Format(12, 3, 2),  # USB3 Vision and newer GigE cameras
    "Mono12Packed": Format(12, 3, 2),  # GigE Vision 1.x
}


class BadPixels(ValueError):
    """Bytes that are no picture of that size and format."""


class Correction(NamedTuple):
    """A sensor's own marks: what a dark frame holds above the mean, and how unevenly it sees."""

    dark_adu: Map
    pedestal_adu: float  # the dark level that every pixel is brought to
    flat: Map | None  # multiplies what is above the dark; None for an even sensor


def frame_bytes(width: int, height: int, pixel_format: str) -> int:
    """The size of a picture; a last group may be half used."""
    layout = _layout(pixel_format)
    return -(-width * height // layout.group_pixels) * layout.group_bytes


def unpacked(
    raw: bytes | memoryview, width: int, height: int, pixel_format: str, maps: Correction | None
) -> Counts:
    """Counts of each pixel, in an array of their own."""
    expected = frame_bytes(width, height, pixel_format)
    if len(raw) != expected:
        raise BadPixels(f"{len(raw)} bytes, not {expected}: {width} x {height} {pixel_format}")
    packed = np.frombuffer(raw, np.uint8)
    if pixel_format in ("Mono12p", "Mono12Packed"):
        counts = _pairs(packed, lsb_first=pixel_format == "Mono12p")[: width * height]
    elif _layout(pixel_format).group_bytes == 1:
        counts = packed.astype(np.uint16)
    else:
        counts = packed.view("<u2").astype(np.uint16)
    picture: Counts = counts.reshape(height, width)
    return picture if maps is None else corrected(picture, maps, pixel_format)


def corrected(counts: Counts, maps: Correction, pixel_format: str) -> Counts:
    """As an even sensor would have told it; a full pixel stays full."""
    if maps.dark_adu.shape != counts.shape:
        raise BadPixels(f"maps of {maps.dark_adu.shape} do not fit pictures of {counts.shape}")
    full = np.uint16((1 << _layout(pixel_format).bits) - 1)
    above = counts - maps.dark_adu
    if maps.flat is not None:
        above *= maps.flat
    above += maps.pedestal_adu + 0.5
    even: Counts = np.clip(above, 0.0, float(full)).astype(np.uint16)
    even[counts == full] = full
    return even


def dark_of(frames: list[Counts], flat: Map | None = None) -> Correction:
    """From frames taken in the dark with the exposure and gain that will be used."""
    total = np.zeros(frames[0].shape)
    for frame in frames:
        total += frame
    dark_adu = (total / len(frames)).astype(np.float32)
    return Correction(dark_adu, float(np.median(dark_adu)), flat)


def flat_of(frames: list[Counts], dark: Correction) -> Map:
    """From frames of even light: what each pixel must be multiplied with."""
    above = dark_of(frames).dark_adu - dark.dark_adu
    if not (above > 0.0).all():
        raise BadPixels("a pixel of the flat frames is no brighter than in the dark")
    return np.asarray(above.mean() / above, np.float32)


def read_correction(path: Path) -> Correction:
    """From an .npz with `dark_adu`, `pedestal_adu` and, where it was measured, `flat`."""
    with np.load(path) as stored:
        flat = np.asarray(stored["flat"], np.float32) if "flat" in stored else None
        dark_adu = np.asarray(stored["dark_adu"], np.float32)
        return Correction(dark_adu, float(stored["pedestal_adu"]), flat)


def write_correction(path: Path, maps: Correction) -> None:
    """What `read_correction` reads."""
    known = {key: np.asarray(value) for key, value in maps._asdict().items() if value is not None}
    np.savez(path, allow_pickle=False, **known)


def _layout(pixel_format: str) -> Format:
    if pixel_format not in FORMATS:
        raise BadPixels(f"{pixel_format!r} is none of {', '.join(FORMATS)}")
    return FORMATS[pixel_format]


def _pairs(packed: NDArray[np.uint8], lsb_first: bool) -> Counts:
    """Two pixels in three bytes.

    Mono12p: one stream of bits, lowest first (PFNC 2.1, "lsb packed"). Mono12Packed: the high
    eight bits in bytes 0 and 2, the low four of both in byte 1 (GigE Vision 2.0, GVSP_PIX).
    """
    first, middle, last = packed.astype(np.uint16).reshape(-1, 3).T
    counts = np.empty(2 * len(first), np.uint16)
    if lsb_first:
        counts[::2] = first | (middle & 0xF) << 8
        counts[1::2] = middle >> 4 | last << 4
    else:
        counts[::2] = first << 4 | middle & 0xF
        counts[1::2] = last << 4 | middle >> 4
    return counts
