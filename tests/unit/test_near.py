"""Neighbours by a grid: the same as by comparing all with all."""

import numpy as np

from mapping.near import groups, pairs


def test_pairs_are_those_of_all_with_all(seed: int) -> None:
    dice = np.random.default_rng(seed)
    frame, (y, x) = dice.integers(0, 2, 200), dice.uniform(-3, 40, (2, 200))
    close = (np.hypot(y[:, None] - y, x[:, None] - x) <= 2.5) & (frame[:, None] == frame)
    expected = np.argwhere(np.triu(close, 1)).tolist()
    assert sorted(pairs(frame, y, x, 2.5).tolist()) == expected
    assert len(expected) > 20


def test_chains_are_one_group() -> None:
    group = groups(6, np.array([[4, 5], [0, 2], [2, 4]]))
    assert group.tolist() == [0, 1, 0, 2, 0, 0]


def test_nobody_is_near_one() -> None:
    assert len(pairs(np.zeros(1, np.int64), np.ones(1), np.ones(1), 2.0)) == 0
