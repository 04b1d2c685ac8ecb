"""The translator of loops: what it knows, and that it refuses what it does not."""

import numpy as np
import pytest

from optics.native import Int64s, Native, UInt8s


@Native
def everything(a: Int64s, bits: UInt8s, n: int) -> int:
    """Each kind of statement and expression once."""
    total = 0
    for i in range(1, n):
        if (a[i] > 3) & (bits[i] == 1):
            total += a[i] * 2 - (a[i] >> 1)
        else:
            total -= a[i] // 2 | 1
        a[i] += 1
    while total > 100:
        total = total - (1 << 5)
    return total


def test_every_statement_does_what_python_does() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, bits = rng.integers(0, 50, 30), rng.integers(0, 2, 30).astype(np.uint8)
        plain = a.tolist()
        expected = everything.plain(plain, bits.tolist(), 30)
        assert everything(a, bits, 30) == expected
        assert a.tolist() == plain


def test_small_elements_are_cut_and_not_signed() -> None:
    @Native
    def stored(into: UInt8s, value: int) -> int:
        into[0] = value
        value = into[0]
        return value  # noqa: RET504 - a bare element is an array, to the type checker

    into = np.zeros(1, np.uint8)
    assert stored(into, 300) == 44
    assert stored(into, 255) == 255


def test_arrays_of_another_kind_are_refused() -> None:
    """Nothing checks an index behind this door, so the types must be right."""
    good = np.zeros(4, np.int64), np.zeros(4, np.uint8)
    for a, bits in (
        (good[0].astype(np.int32), good[1]),
        (np.zeros(8, np.int64)[::2], good[1]),
        (good[0].astype(np.float64), good[1]),
    ):
        with pytest.raises(TypeError, match="expected contiguous int64"):
            everything(a, bits, 4)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="by position"):
        everything(*good, n=4)
    with pytest.raises(TypeError):
        everything(*good, 4.0)  # type: ignore[arg-type]


def test_what_it_does_not_know_is_named() -> None:
    @Native
    def powers(n: int) -> int:
        n **= 2
        return n

    with pytest.raises((TypeError, KeyError)):
        powers(3)

    @Native
    def calls(n: int) -> int:
        print(n)  # noqa: T201
        return n

    with pytest.raises(TypeError, match="no native code for print"):
        calls(3)
