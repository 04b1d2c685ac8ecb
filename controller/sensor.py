"""The camera's own pixels: learnt from dark frames once, kept beside the store."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from controller.config import CameraConfig
from controller.recordings import SENSOR, Recordings
from mapping.sight import learnt
from optics.devices import Sensor
from optics.sensor import Calibration


def kept(recordings: Recordings, config: CameraConfig, shape: Sensor) -> Calibration | None:
    """What was learnt of a camera of this shape and exposure, or None."""
    found = recordings.read(SENSOR)
    if found is None or found["offset_adu"].shape != (shape.height_px, shape.width_px):
        return None
    if found["exposure_s"] != config.exposure_s or found["gain"] != config.gain:
        return None
    hot = tuple((int(x), int(y)) for x, y in np.asarray(found["hot_px"]))
    offset_adu, noise_e = (np.asarray(found[name], float) for name in ("offset_adu", "noise_e"))
    gain = config.gain_e_per_adu
    return Calibration(gain, offset_adu, noise_e, psf_px(config), config.saturation_adu, hot)


def learn(
    recordings: Recordings, config: CameraConfig, darks: Sequence[NDArray[np.uint16]]
) -> Calibration:
    """From dark frames, and kept."""
    camera = learnt(darks, config.gain_e_per_adu, config.saturation_adu, psf_px(config))
    maps = {
        "offset_adu": np.asarray(camera.offset_adu, np.float32),
        "noise_e": np.asarray(camera.read_noise_e, np.float32),
        "hot_px": np.array(camera.hot_px, np.int32).reshape(-1, 2),
        "exposure_s": np.array(config.exposure_s),
        "gain": np.array(config.gain),
    }
    recordings.keep(SENSOR, maps)
    return camera


def psf_px(config: CameraConfig) -> float:
    return config.psf_um / config.pixel_um
