"""What makes a crowd: spots that are surely there, more than chance puts together."""

import numpy as np

from mapping.crowd import Places
from mapping.verdict import packed
from optics.psf import Psf

SIDE = 256
PSF = Psf(1.3, 1.3)


def placed(dice: np.random.Generator, close: int) -> Places:
    """So many close together, and some far from them."""
    y, x = dice.uniform(40, SIDE, (2, 30)) + 10
    y[:close] = x[:close] = 10 + 2.0 * np.arange(close)
    return Places(np.zeros(30, np.int64), y, x, np.full(30, 1e3), np.zeros(30))


def test_four_together_are_a_crowd(seed: int) -> None:
    places = placed(np.random.default_rng(seed), 4)
    assert packed(places, np.ones(30, bool), PSF, SIDE**2, 1)[:4].all()


def test_a_pair_and_what_its_fit_leaves_over_are_none(seed: int) -> None:
    places = placed(np.random.default_rng(seed), 4)
    sure = np.arange(30) >= 2
    assert not packed(places, sure, PSF, SIDE**2, 1)[:4].any()
