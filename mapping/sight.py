"""What wide-field frames of one place show together, and where that lies under the stage."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.chart import Chart
from mapping.localise import Look, looks
from optics.quantities import StagePoint
from optics.sensor import Calibration

HIT_SD = 25.0  # a dark frame that a particle struck tells nothing of that pixel
HOT, HOT_ADU = 4.0, 30.0


class WideSpot(NamedTuple):
    """A spot of the wide field: where the stage brings it into the focus."""

    aim: StagePoint
    sigma_um: float  # to either side
    photons: float


def seen(frames: Sequence[NDArray[Any]], camera: Calibration) -> Look:
    """The spots in the sum of frames: what one pump direction misses the other lights."""
    number = len(frames)
    together = camera._replace(
        offset_adu=camera.offset_adu * number,
        read_noise_e=camera.read_noise_e * math.sqrt(number),
    )
    most = np.iinfo(np.uint16).max
    total = np.sum(np.stack(frames).astype(np.uint32), axis=0)
    full = np.max(np.stack(frames), axis=0) >= camera.saturation_adu
    sum_ = np.where(full, most, np.minimum(total, most - 1)).astype(np.uint16)
    [look] = looks(sum_, together._replace(saturation_adu=float(most)))
    return look


def learnt(
    darks: Sequence[NDArray[Any]], gain_e_per_adu: float, saturation_adu: float, psf_px: float
) -> Calibration:
    """Each pixel's own offset and noise, from dark frames exposed as the others will be."""
    stack = np.stack(darks).astype(np.float64)
    offset_adu = np.median(stack, axis=0)
    noise_e = np.sqrt(np.mean(np.square(stack - offset_adu), axis=0)) * gain_e_per_adu
    usual_e = float(np.median(noise_e))
    struck = np.max(stack, axis=0) - offset_adu > HIT_SD * usual_e / gain_e_per_adu
    steady = np.sort(np.square(stack - offset_adu), axis=0)[: len(stack) - 1].mean(axis=0)
    noise_e = np.where(struck, np.sqrt(steady) * gain_e_per_adu, noise_e)
    hot = (noise_e > HOT * usual_e) | (offset_adu - np.median(offset_adu) > HOT_ADU)
    hot_px = tuple((int(x), int(y)) for y, x in np.argwhere(hot))
    floor_e = np.maximum(noise_e, usual_e / 2)  # few frames make some pixels look too good
    return Calibration(gain_e_per_adu, offset_adu, floor_e, psf_px, saturation_adu, hot_px)


def aimed(look: Look, chart: Chart, seen_from: StagePoint) -> list[WideSpot]:
    """The brightest first."""
    scale_um = chart.pixel_um
    spots = [
        WideSpot(
            aim=chart.aim(spot.at, seen_from),
            sigma_um=scale_um * math.sqrt((spot.x_err**2 + spot.y_err**2) / 2),
            photons=spot.photons,
        )
        for spot in look.spots
    ]
    return sorted(spots, key=lambda spot: -spot.photons)
