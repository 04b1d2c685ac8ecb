"""The only file that names concrete drivers; opens them, makes them safe, closes them."""

import contextlib
import logging
from collections.abc import Mapping

from controller.config import StageConfig
from optics.devices import Stage
from optics.faults import DeviceFault
from optics.link import Patience
from optics.pi_stage import PiStage, PiStageSettings
from optics.quantities import StageBox, StagePoint
from optics.transports import Opener, opener_for

log = logging.getLogger(__name__)


class Hardware:
    """The rack's devices, behind their shapes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def make_safe(self) -> None:
        """Still, whatever still answers. A light source, once there is one, goes first here."""
        with contextlib.suppress(DeviceFault):  # a device that is gone cannot be told anything
            await self.stage.halt()

    async def aclose(self) -> None:
        await self.stage.aclose()


def build(config: StageConfig, in_memory: Mapping[str, Opener]) -> Hardware:
    """Drivers as configured; nothing is opened yet. ValueError for an address that is none."""
    settings = PiStageSettings(
        axes=config.axes,
        travel=StageBox(StagePoint(*config.low_um), StagePoint(*config.high_um)),
        velocity_um_per_s=config.velocity_um_per_s or None,
        settle_within_s=config.settle_within_s,
        settled_within_um=config.settled_within_um,
    )
    opener = opener_for(config.address, in_memory)
    return Hardware(PiStage(opener, settings, Patience(reply_s=config.reply_within_s)))
