"""Bytes to counts, and what a sensor's own maps take out."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from optics.pixels import (
    BadPixels,
    Correction,
    corrected,
    dark_of,
    flat_of,
    frame_bytes,
    read_correction,
    unpacked,
    write_correction,
)


@pytest.mark.parametrize(
    ("pixel_format", "raw", "counts"),
    [
        ("Mono8", "00ff", [0x00, 0xFF]),
        ("Mono12", "34120f00", [0x1234, 0x000F]),
        ("Mono16", "3412ffff", [0x1234, 0xFFFF]),
        # USB3 Vision: one stream of bits, the lowest first.
        ("Mono12p", "bc4a12", [0xABC, 0x124]),
        # GigE Vision: the high bits in the outer bytes, the low ones shared in the middle.
        ("Mono12Packed", "ab4c12", [0xABC, 0x124]),
    ],
)
def test_each_format_by_its_description(pixel_format: str, raw: str, counts: list[int]) -> None:
    assert unpacked(bytes.fromhex(raw), 2, 1, pixel_format, None).tolist() == [counts]


@given(st.lists(st.integers(0, 4095), min_size=1, max_size=9))
def test_twelve_bits_survive_packing_by_plain_arithmetic(counts: list[int]) -> None:
    """An odd number of pixels leaves half a group unused."""
    stream = sum(count << 12 * n for n, count in enumerate(counts))
    raw = stream.to_bytes(frame_bytes(len(counts), 1, "Mono12p"), "little")
    assert unpacked(raw, len(counts), 1, "Mono12p", None).tolist() == [counts]


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadPixels, match="5 bytes, not 6"):
        unpacked(bytes(5), 2, 2, "Mono12p", None)
    with pytest.raises(BadPixels, match="none of"):
        unpacked(bytes(4), 2, 2, "RGB8", None)
    maps = Correction(np.zeros((3, 3), np.float32), 100.0, None)
    with pytest.raises(BadPixels, match="do not fit"):
        unpacked(bytes(4), 2, 2, "Mono8", maps)


def test_the_frame_does_not_follow_the_memory_it_came_from() -> None:
    """A slot of shared memory is written again while the frame is still in use."""
    slot = bytearray(b"\x01\x02\x03\x04")
    frames = [unpacked(memoryview(slot), 2, 1, "Mono16", None) for _ in range(2)]
    slot[:] = bytes(4)
    assert frames[0].tolist() == [[0x0201, 0x0403]]


def exposed(
    rng: np.random.Generator, light_e: float, seen: NDArray[np.float64], dark: NDArray[np.float64]
) -> NDArray[np.uint16]:
    counts: NDArray[np.uint16] = np.rint(dark + seen * rng.poisson(light_e, dark.shape)).astype(
        "u2"
    )
    return counts


def test_maps_make_an_uneven_sensor_even(seed: int, tmp_path: Path) -> None:
    """From 64 frames each: what is left of a 10 % unevenness is the noise of the maps."""
    rng = np.random.default_rng(seed)
    shape, frames, light_e = (40, 50), 64, 2000.0
    dark = 100.0 + 8.0 * rng.standard_normal(shape)
    seen = 1.0 + 0.1 * rng.standard_normal(shape)
    maps = dark_of([exposed(rng, 0.0, seen, dark) for _ in range(frames)])
    lit = [exposed(rng, light_e, seen, dark) for _ in range(frames)]
    write_correction(tmp_path / "maps.npz", maps._replace(flat=flat_of(lit, maps)))
    maps = read_correction(tmp_path / "maps.npz")
    even = dark_of([corrected(frame, maps, "Mono12") for frame in lit]).dark_adu
    assert np.std(even) < 0.01 * light_e
    assert np.std(dark_of(lit).dark_adu) > 0.05 * light_e
    nothing = corrected(exposed(rng, 0.0, seen, dark), maps, "Mono12")
    assert np.abs(nothing - maps.pedestal_adu).max() <= 1.0


def test_a_full_pixel_stays_full_and_no_count_leaves_the_range() -> None:
    maps = Correction(np.full((1, 3), 200.0, np.float32), 100.0, np.full((1, 3), 0.5, np.float32))
    counts = np.array([[4095, 0, 4094]], np.uint16)
    assert corrected(counts, maps, "Mono12").tolist() == [[4095, 0, 2047]]
