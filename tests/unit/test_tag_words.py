"""From the blocks of several streams to one run of tags."""

import numpy as np
import pytest

from optics.tag_words import BadWords, merged


def words(*times_ps: int) -> bytes:
    return np.array(times_ps, "<i8").tobytes()


def test_streams_are_merged_in_time_and_keep_their_channel() -> None:
    time_ps, channel = merged([[words(1, 5), words(9)], [words(0, 5, 7)]], 10)
    assert time_ps.tolist() == [0, 1, 5, 5, 7, 9]
    assert channel.tolist() == [1, 0, 0, 1, 1, 0]
    assert (time_ps.dtype.name, channel.dtype.name) == ("int64", "uint8")


def test_a_word_may_be_cut_between_two_blocks_of_its_stream() -> None:
    whole = words(3, 400)
    assert merged([[whole[:5], whole[5:]], []], 1000)[0].tolist() == [3, 400]


def test_nothing_is_a_run_too() -> None:
    time_ps, channel = merged([[], []], 1000)
    assert (len(time_ps), len(channel)) == (0, 0)


@pytest.mark.parametrize(
    "block", [words(1, 2)[:-1], words(2, 1), words(1, 2001), words(-1, 5), b"\xff" * 16]
)
def test_what_cannot_be_a_run_is_refused(block: bytes) -> None:
    with pytest.raises(BadWords):
        merged([[words(1, 2)], [block]], 2000)


def test_random_runs_lose_nothing(rng_np: np.random.Generator) -> None:
    first, second = (np.sort(rng_np.integers(0, 10**12, n)) for n in (5000, 8000))
    time_ps, channel = merged([[first.tobytes()], [second.tobytes()]], 10**12)
    assert np.array_equal(time_ps[channel == 0], first)
    assert np.array_equal(time_ps[channel == 1], second)
    assert (np.diff(time_ps) >= 0).all()


@pytest.fixture
def rng_np(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
