"""Pairs and tags bit by bit: against brute force, over all record types."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from optics import clicks, close_pairs, correlator, decay_fit, ptu_records, rate_trace
from optics.clicks import Clicks, Separator
from optics.close_pairs import ClosePairs, Pairs
from optics.correlator import Binning, PairCounter
from optics.native import Native
from optics.tag_files import open_tags
from optics.tags import SYNC_RECORD, Tags
from tests.accept.ptu_maker import BY_NAME, FORMATS, Format, file, marker, records

Ints = NDArray[np.int64]


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def brute(a: Ints, b: Ints, bin_ps: int, window_ps: int, delay_ps: int) -> list[int]:
    """Every pair of all, in whole numbers: twice tau, so that halves are exact."""
    reach = -(-window_ps // bin_ps)
    twice = 2 * (b[None, :] - a[:, None] - delay_ps) + bin_ps
    k = (twice // (2 * bin_ps)).ravel()
    counts: list[int] = np.bincount(k[np.abs(k) <= reach] + reach, minlength=2 * reach + 1).tolist()
    return counts


def in_chunks(a: Ints, b: Ints, edges: list[int], counter: PairCounter) -> list[int]:
    """Fed as a stream, cut at these times."""
    for low, high in zip([-(1 << 62), *edges], [*edges, 1 << 62], strict=True):
        inside = [part[(part >= low) & (part < high)] for part in (a, b)]
        counter.add(inside[0], inside[1], min(high, 1 << 61))
    return [int(n) for n in counter.finish()]


def merged(a: Ints, b: Ints, edges: list[int]) -> Iterator[Clicks]:
    """Both arms as one stream with syncs and a stranger's clicks in between, cut at these times."""
    times = np.concatenate([a, b, a, b])
    channels = np.repeat(np.array([4, 1, 64, 9], np.uint8), [len(a), len(b), len(a), len(b)])
    order = np.argsort(times, kind="stable")
    times, channels = times[order], channels[order]
    separator = Separator(4, 1, 64, sync_counts=False)
    for low, high in zip([-(1 << 62), *edges], [*edges, 1 << 62], strict=True):
        inside = (times >= low) & (times < high)
        yield separator.take(Tags(times[inside], channels[inside]))


@pytest.mark.parametrize("bin_ps", [1, 2, 3, 7, 100, 101, 4096])
@pytest.mark.parametrize("density", ["sparse", "dense", "equal"])
@pytest.mark.parametrize("late_ps", [0, -(10**12), 10**17])
def test_pairs_are_those_of_brute_force(
    bin_ps: int, density: str, late_ps: int, rng: np.random.Generator
) -> None:
    """Few and crowded bins, tags that are equal, clocks that are late or below zero."""
    span = {"sparse": 400 * bin_ps, "dense": 12 * bin_ps, "equal": 3}[density]
    a, b = (np.sort(rng.integers(0, span + 1, 90)) + late_ps for _ in range(2))
    window_ps = int(rng.integers(1, 12 * bin_ps))
    delay_ps = int(rng.integers(-1, 2)) if density == "equal" else 3 * bin_ps - 1
    expected = brute(a, b, bin_ps, window_ps, delay_ps)
    edges = sorted({int(x) for x in rng.integers(late_ps, late_ps + span + 2, 4)})
    for cuts in ([], edges):
        counter = PairCounter(Binning(bin_ps, window_ps), delay_ps)
        assert in_chunks(a, b, cuts, counter) == expected
        close = ClosePairs(Binning(bin_ps, window_ps), delay_ps)
        for piece in merged(a, b, cuts):
            close.add(piece)
        assert close.finish().tolist() == expected
    assert sum(expected) > 0


def test_pairs_are_counted_in_the_quicker_way(rng: np.random.Generator) -> None:
    """Both ways give the same; what is left of one stretch makes no pairs with the next."""
    for span_ps, way in ((10**6, ClosePairs), (10**4, PairCounter)):
        a, b = (np.sort(rng.integers(0, span_ps, 50)) for _ in range(2))
        pairs = Pairs(Binning(10, 1000), 15)
        for piece in merged(a, b, [span_ps // 3]):
            pairs.add(piece)
        once = pairs.finish().tolist()
        assert isinstance(pairs.way, way)
        assert once == brute(a, b, 10, 1000, 15)
        for piece in merged(a, b, []):
            pairs.add(piece)
        assert pairs.finish().tolist() == [2 * n for n in once]


def test_windows_of_seconds_and_long_delays_count_too(rng: np.random.Generator) -> None:
    """Where a multiplication in place of the division would overflow."""
    a, b = (np.sort(rng.integers(0, 10**14, 60)) for _ in range(2))
    for bin_ps, window_ps, delay_ps in ((10**9, 10**13, 10**12), (1, 10**5, -(10**13))):
        counter = PairCounter(Binning(bin_ps, window_ps), delay_ps)
        assert in_chunks(a, b, [10**13, 5 * 10**13], counter) == brute(
            a, b, bin_ps, window_ps, delay_ps
        )


NATIVES = [
    value
    for module in (clicks, close_pairs, correlator, decay_fit, ptu_records, rate_trace)
    for value in vars(module).values()
    if isinstance(value, Native)
]


def arguments(native: Native[..., int], rng: np.random.Generator) -> list[object]:
    """Some that make sense, for each loop by the names of what it takes."""
    n = 64
    times = np.sort(rng.integers(0, 2000, n))
    never = np.append(np.sort(rng.integers(0, 2000, n)), np.iinfo(np.int64).max)
    known: dict[str, object] = {
        "n": n, "a": times, "b": never, "times": times, "start": 0, "first": -50, "last": 51,
        "multiplier": (1 << 50) // 7 + 1, "shift": 50, "bin_ps": 7, "n_edges": 5,
        "edges": np.arange(-20, 30, 10), "at": np.zeros(5, np.int64), "origin": 3, "previous": -3,
        "records": rng.integers(0, 1 << 32, n).astype(np.uint32), "wrap": 1 << 10, "counted": 1,
        "latest": 1 << 40, "width": 3, "since": rng.integers(-1, 300, n), "channel": 1, "sync": 2,
        "channels": rng.integers(0, 3, n).astype(np.uint8), "reach": 60,
        "second": rng.integers(0, 2, n).astype(np.uint8), "near": np.arange(n),
    }  # fmt: skip
    if native.plain.__name__ == "pick":
        known |= {"a": 0, "b": 1}
    if native.plain.__name__ == "separate":
        known |= {"a": np.zeros(n, np.int64), "b": np.zeros(n, np.int64)}
    if native.plain.__name__ == "find_close":
        known |= {"start": 1}
    if native.plain.__name__ == "time_since":
        known |= {"last": np.zeros(2, np.int64)}
    if native.plain.__name__ == "count_in_slices":
        known |= {"shift": 4}
    if native.plain.__name__ in {"hydra_t2", "hydra_t3", "pico_t2", "pico_t3"}:
        known |= {"channels": np.zeros(n, np.uint8)}
    names = list(native.plain.__annotations__)[:-1]
    return [known.get(name, np.zeros(600, np.int64)) if name != "bins" else 100 for name in names]


def as_lists(values: list[object]) -> list[object]:
    """Python's own numbers, which know no overflow."""
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in values]


@pytest.mark.parametrize("native", NATIVES, ids=lambda native: native.plain.__name__)
def test_machine_code_does_what_the_loop_says(
    native: Native[..., int], rng: np.random.Generator
) -> None:
    """Each loop once compiled and once as Python: the same result in every array."""
    for _ in range(5):
        given = arguments(native, rng)
        slow = as_lists(given)
        assert native.plain(*slow) == native(*given)
        assert slow == as_lists(given)


def read(path: Path) -> list[tuple[int, int]]:
    """All tags, in the order in which they come."""

    def tags() -> Iterator[tuple[int, int]]:
        for chunk in open_tags(path).chunks():
            yield from zip(chunk.time_ps.tolist(), chunk.channel.tolist(), strict=True)

    return list(tags())


def long_pauses(kind: Format, rng: np.random.Generator) -> Ints:
    """Ticks with pauses of none, one, 127, 128 and thousands of wraps between them."""
    pauses = rng.choice([0, 1, 2, 127, 128, 5000], 100) * kind.wrap + rng.integers(
        0, kind.wrap, 100
    )
    return np.cumsum(pauses)


T2 = [kind for kind in FORMATS if not kind.t3]
T3 = [kind for kind in FORMATS if kind.t3]


@pytest.mark.parametrize("kind", T2, ids=lambda kind: kind.name)
def test_t2_tags_are_what_was_recorded(
    kind: Format, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Clicks on many inputs, syncs between them, overflows of any number, markers left out."""
    ticks = long_pauses(kind, rng)
    channels = rng.integers(0, 4 if kind.pico else 64, len(ticks))
    sync = 200 if kind.pico else 63
    words = records(kind, ticks, channels, sync=sync)
    words = np.insert(words, rng.integers(0, len(words), 20), marker(kind)).astype(np.uint32)
    path = tmp_path / "t2.ptu"
    path.write_bytes(file(kind, words, 4e-12))
    told = np.where(channels == sync, SYNC_RECORD, channels)
    assert read(path) == list(zip((4 * ticks).tolist(), told.tolist(), strict=True))


@pytest.mark.parametrize("kind", T3, ids=lambda kind: kind.name)
@pytest.mark.parametrize("period_ps", [25_000, 12_345.678])
def test_t3_tags_are_what_was_recorded(
    kind: Format, period_ps: float, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Syncs and decay times, also longer than a period, so that tags come out of order."""
    syncs = long_pauses(kind, rng)
    delays = rng.integers(1, 4000, len(syncs))
    channels = rng.integers(0, 4, len(syncs))
    words = records(kind, syncs, channels, delays)
    words = np.insert(words, rng.integers(0, len(words), 20), marker(kind)).astype(np.uint32)
    path = tmp_path / "t3.ptu"
    path.write_bytes(file(kind, words, period_ps * 1e-12, 16e-12))
    exact = [
        round(n * period_ps + 16 * d) for n, d in zip(syncs.tolist(), delays.tolist(), strict=True)
    ]
    found = read(path)
    assert [time for time, _ in found] == sorted(time for time, _ in found)
    if period_ps == round(period_ps):
        assert sorted(found) == sorted(zip(exact, channels.tolist(), strict=True))
    else:  # a double holds such a product to a picosecond or so
        near = zip(sorted(time for time, _ in found), sorted(exact), strict=True)
        assert max(abs(time - wanted) for time, wanted in near) <= 1


def test_overflow_records_of_zero_stand_for_one(tmp_path: Path) -> None:
    """As older firmware writes them, in T2 and in T3."""
    for name, period_s in (("MultiHarp T2", 1e-12), ("MultiHarp T3", 1e-8)):
        kind = BY_NAME[name]
        words = np.array([127 << 25, (1 << 25) | 7, 127 << 25, (127 << 25) | 1, 5], np.uint32)
        if kind.t3:
            words[[1, 4]] |= 3 << 10
        path = tmp_path / f"{name}.ptu"
        path.write_bytes(file(kind, words, period_s, 1e-12))
        tick, late = round(period_s * 1e12), 3 if kind.t3 else 0
        assert read(path) == [
            ((kind.wrap + 7) * tick + late, 1),
            ((3 * kind.wrap + 5) * tick + late, 0),
        ]


@pytest.mark.parametrize("count", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_blocks_end_anywhere(count: int, tmp_path: Path, rng: np.random.Generator) -> None:
    kind = BY_NAME["MultiHarp T2"]
    ticks = np.cumsum(rng.integers(0, 10_000, count))
    channels = rng.integers(0, 2, count)
    path = tmp_path / "long.ptu"
    path.write_bytes(file(kind, records(kind, ticks, channels), 1e-12))
    assert read(path) == list(zip(ticks.tolist(), channels.tolist(), strict=True))
