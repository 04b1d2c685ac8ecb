"""Emitters in a frame: found, placed within their errors, and nothing else taken for one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mapping.localise import looks
from optics.sensor import Calibration
from tests.accept.spot_optics import gaussian, rendered

CAMERA = Calibration(0.5, 100.0, 1.5, psf_sigma_px=1.3)
SIDE = 96


def pictured(
    rng: np.random.Generator, x: list[float], y: list[float], photons: float
) -> NDArray[np.uint16]:
    bright = np.full(len(x), photons)
    light = 10.0 + rendered((SIDE, SIDE), gaussian(1.3, 1.3), np.array(x), np.array(y), bright)
    electrons = rng.poisson(light) + 1.5 * rng.standard_normal(light.shape)
    return np.clip(np.rint(electrons / 0.5 + 100), 0, 65535).astype(np.uint16)


@pytest.fixture
def dice(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_each_emitter_is_found_where_it_is(dice: np.random.Generator) -> None:
    x, y = [20.3, 60.0, 44.4], [30.0, 71.6, 12.2]
    [look] = looks(pictured(dice, x, y, 2000.0), CAMERA)
    assert look.rejected == []
    found = sorted(
        look.spots, key=lambda spot: y.index(min(y, key=lambda v: abs(v - spot.at.y_px)))
    )
    assert len(found) == 3
    for spot, at_x, at_y in zip(found, x, y, strict=True):
        assert abs(spot.at.x_px - at_x) < 5 * spot.x_err < 0.5
        assert abs(spot.at.y_px - at_y) < 5 * spot.y_err < 0.5
        assert abs(spot.photons - 2000) < 5 * spot.photons_err


def test_frames_of_a_stack_are_answered_by_themselves(dice: np.random.Generator) -> None:
    one, none = pictured(dice, [50.0], [40.0], 1000.0), pictured(dice, [], [], 0.0)
    looked = looks(np.array([one, none, one]), CAMERA)
    sure = [sum(spot.snr > 8 for spot in look.spots) for look in looked]
    assert sure == [1, 0, 1]
    assert looked[0] == looked[2]


def test_a_pair_too_close_is_not_taken_for_one(dice: np.random.Generator) -> None:
    [look] = looks(pictured(dice, [50.0, 51.8], [40.0, 40.0], 4000.0), CAMERA)
    assert len(look.spots) != 1
