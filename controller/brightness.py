"""From clicks of both detectors to what outsiders are told of the light."""

import logging
import math

from controller.config import OutputConfig
from controller.figures import Figure, PhotonNumber
from optics.photon_number import Calibrated, Impossible, LightPath, mean_photons
from optics.quantities import CountGate

log = logging.getLogger(__name__)


class Clicks:
    """Of both detectors, over gates that need not follow each other."""

    def __init__(self) -> None:
        self.of_each, self.counted_s = (0, 0), 0.0

    def add(self, gate: CountGate) -> None:
        first, second = self.of_each
        self.of_each = first + gate.clicks[0], second + gate.clicks[1]
        self.counted_s += gate.counted_s

    def brightness_cps(self, at_s: float) -> Figure:
        """Of both together."""
        clicks, for_s = sum(self.of_each), self.counted_s or math.inf
        return Figure(clicks / for_s, max(clicks, 1) ** 0.5 / for_s, at_s)

    def photons(self, path: LightPath | None, at_s: float) -> PhotonNumber | None:
        """Per trigger at the output; None where the way there is not calibrated."""
        if path is None:
            return None
        try:
            low, value, high = mean_photons(self.of_each, self.counted_s, path)
        except Impossible as why:
            log.warning("no photon number: %s", why)
            return None
        return PhotonNumber(low, value, high, at_s)


def light_path(config: OutputConfig) -> LightPath | None:
    """As configured; None where part of it is not known."""
    if not config.is_known:
        return None
    first, second = (
        Calibrated(value, value * sigma)
        for value, sigma in zip(config.efficiency, config.efficiency_sigma, strict=True)
    )
    return LightPath(
        triggers_hz=config.trigger_hz,
        efficiency=(first, second),
        tap=Calibrated(config.tap, config.tap * config.tap_sigma),
        onward=Calibrated(config.onward, config.onward * config.onward_sigma),
        halves=config.first_share,
        dead_s=config.dead_s,
        dark_cps=config.dark_cps,
        afterpulsing=config.afterpulsing,
    )
