"""The sharpest height is found wherever it lies, in few looks, and nothing is found in nothing."""

import math

import numpy as np
import pytest

from mapping.focus import FINE_UM, focusing, sharpness
from mapping.scan import Ended, advanced

TRAVEL_UM = (0.0, 200.0)
PSF_PX, SIDE_PX = 2.3, 256
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def sharp(z_um: float, focus_um: float, rng: np.random.Generator) -> float:
    """As a camera of the rig gave it: 0.35 um wide, over light that does not get sharp."""
    peak = 150.0 * math.exp(-(((z_um - focus_um) / 0.35) ** 2) / 2)
    return float(peak + 15.0 + 4.0 * rng.standard_normal())


def looked(
    focus_um: float,
    near_um: float,
    rng: np.random.Generator,
    reach_um: float = 15.0,
    travel_um: tuple[float, float] = TRAVEL_UM,
) -> tuple[float | None, list[float]]:
    """What the plan concludes, and where it looked."""
    plan, heights = focusing(near_um, reach_um, travel_um), list[float]()
    step = advanced(plan, None)
    while not isinstance(step, Ended):
        heights.append(step)
        step = advanced(plan, sharp(step, focus_um, rng))
    return step.value, heights


@pytest.mark.parametrize("off_um", [-13.7, -4.2, -0.6, 0.0, 0.3, 0.6, 5.9, 14.1])
def test_found_wherever_it_is_within_reach(seed: int, off_um: float) -> None:
    found_um, heights = looked(100.0 + off_um, 100.0, np.random.default_rng(seed))
    assert found_um is not None
    assert abs(found_um - 100.0 - off_um) < 0.15
    assert len(heights) <= 2 * abs(off_um) / 1.2 + 12
    assert len(set(heights)) == len(heights), "none is looked at twice"


def test_near_a_known_height_five_looks_do(seed: int) -> None:
    found_um, heights = looked(100.2, 100.0, np.random.default_rng(seed), reach_um=0.0)
    assert found_um == pytest.approx(100.2, abs=0.1)
    assert len(heights) == 5
    assert max(abs(z_um - 100.0) for z_um in heights) == pytest.approx(2 * FINE_UM)


def test_out_of_reach_is_not_found_and_the_travel_is_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert looked(120.0, 100.0, rng)[0] is None
    found_um, heights = looked(6.0, 3.0, rng, travel_um=(2.0, 200.0))
    assert found_um == pytest.approx(6.0, abs=0.15)
    assert min(heights) >= 2.0


def frame(spots: int, blur_px: float, rng: np.random.Generator) -> Floats:
    """Points of 900 electrons each on even ground, with hits; a disk of light when defocused."""
    row, column = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(float)
    light = np.full((SIDE_PX, SIDE_PX), 2.0)
    width_px = math.hypot(PSF_PX, blur_px)
    for x, y in rng.uniform(20, SIDE_PX - 20, (spots, 2)):
        away = ((column - x) ** 2 + (row - y) ** 2) / width_px**2
        light += 900.0 / (2 * math.pi * width_px**2) * np.exp(-away / 2)
    seen = rng.poisson(light) + 2.4 * rng.standard_normal(light.shape) + 100.0
    seen[rng.integers(0, SIDE_PX, 30), rng.integers(0, SIDE_PX, 30)] = 4000.0
    return np.asarray(np.clip(seen, 0, 4095).astype(np.uint16))


def test_sharp_points_stand_out_and_hits_do_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = {blur: sharpness(frame(6, blur, rng), PSF_PX) for blur in (0.0, 4.0, 30.0)}
    assert values[0.0] > 2 * values[4.0] > 20 * max(values[30.0], 1.0)
    assert sharpness(frame(0, 0.0, rng), PSF_PX) < 10.0
