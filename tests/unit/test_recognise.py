"""A chip is known again by its lights wherever it lies, and another one is not."""

import math

import numpy as np
import pytest

from mapping.placement import Placement
from mapping.recognise import Landmark, recognised, united
from mapping.sight import WideSpot
from optics.quantities import ChipPoint, StagePoint

HEIGHT_UM, NOISE_UM = 101.5, 0.006


def chip(seed: int) -> list[Landmark]:
    places = np.random.default_rng(seed).uniform(-50, 50, (120, 2))
    return [(ChipPoint(x, y, 0.0), NOISE_UM) for x, y in places.tolist()]


def lain(turn_rad: float, x_um: float, y_um: float) -> Placement:
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    return Placement((cos, -sin, x_um, sin, cos, y_um))


def spots(landmarks: list[Landmark], lying: Placement, rng: np.random.Generator) -> list[WideSpot]:
    """A field of 33 um about the travel's middle: some are dark now, some are new."""
    seen = [lying.on_stage(place) for place, _ in landmarks if rng.random() > 0.2]
    seen = [at for at in seen if max(abs(at.x_um - 100), abs(at.y_um - 100)) < 16.5]
    new = rng.uniform(83.5, 116.5, (3, 2)).tolist()
    places = [(at.x_um, at.y_um) for at in seen] + [(x, y) for x, y in new]
    off = NOISE_UM * rng.standard_normal((len(places), 2))
    return [
        WideSpot(StagePoint(x + dx, y + dy, HEIGHT_UM), NOISE_UM, 500.0)
        for (x, y), (dx, dy) in zip(places, off.tolist(), strict=True)
    ]


@pytest.mark.parametrize("turn_rad", [0.0, 0.05, -3.0])
def test_known_again_wherever_it_lies(seed: int, turn_rad: float) -> None:
    rng, truth, landmarks = np.random.default_rng(seed), lain(turn_rad, 104.0, 97.0), chip(seed)
    target = min((place for place, _ in landmarks), key=lambda p: math.hypot(p.x_um, p.y_um))
    found = recognised(landmarks, spots(landmarks, truth, rng), HEIGHT_UM, (0.0, 0.0), target)
    assert isinstance(found, Placement)
    assert found.p_false < 2e-4
    assert math.dist(found.on_stage(target)[:2], truth.on_stage(target)[:2]) < 5 * found.sigma_um
    assert found.on_stage(target).z_um == pytest.approx(HEIGHT_UM)


def test_another_chip_is_refused_with_words(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = spots(chip(seed + 1), lain(0.0, 100.0, 100.0), rng)
    assert isinstance(recognised(chip(seed), seen, HEIGHT_UM, (0.0, 0.0)), str)
    assert recognised([], seen, HEIGHT_UM, (0.0, 0.0)) == "there is nothing to compare"


def test_of_overlapping_frames_the_better_spot_is_kept() -> None:
    at = StagePoint(1.0, 2.0, 3.0)
    rough, fine = WideSpot(at, 0.02, 100.0), WideSpot(at._replace(x_um=1.1), 0.005, 900.0)
    other = WideSpot(at._replace(x_um=2.0), 0.03, 50.0)
    assert united([rough, fine, other]) == [fine, other]
