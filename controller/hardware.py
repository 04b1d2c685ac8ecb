"""The only file that names concrete drivers; opens them, makes them safe, closes them."""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from controller.config import (
    BoardConfig,
    CameraConfig,
    Config,
    LaserConfig,
    StageConfig,
    TaggerConfig,
)
from controller.lease_keeper import LeaseKeeper
from optics.cobolt_laser import CoboltLaser
from optics.devices import Board, Camera, Detector, Laser, Stage
from optics.faults import DeviceFault
from optics.frame_camera import CameraSettings, FrameCamera
from optics.frame_process import camera_opener
from optics.idq_detector import IdqDetector, IdqSettings, IdqSockets
from optics.io_board import IoBoard, IoBoardSettings
from optics.link import Patience
from optics.obis_laser import ObisLaser
from optics.pi_stage import PiStage, PiStageSettings
from optics.quantities import StageBox, StagePoint
from optics.transports import Opener, opener_for

log = logging.getLogger(__name__)

Crunch = Callable[..., Awaitable[Any]]
T = TypeVar("T")


WITHIN_S, PAUSE_S = 0.75, 0.25
"""Of one try to open a device, and between two: one that starts is found soon after."""


class Hardware:
    """The rack's devices, behind their shapes; all but the stage may be absent."""

    def __init__(
        self,
        stage: Stage,
        board: Board | None = None,
        laser: Laser | None = None,
        camera: Camera | None = None,
        tagger: Detector | None = None,
        lease_s: float = 0.25,
    ) -> None:
        self.stage, self.board, self.laser = stage, board, laser
        self.camera, self.tagger = camera, tagger
        self.keeper = LeaseKeeper(board, lease_s) if board else None

    @property
    def missing(self) -> list[str]:
        """Devices that this rack would need for light and has not."""
        needed = {"board": self.board, "laser": self.laser, "camera": self.camera}
        return [name for name, device in needed.items() if device is None]

    async def make_safe(self) -> None:
        """Dark first, then still, whatever still answers; never for long."""
        if self.keeper is not None:
            with contextlib.suppress(DeviceFault):  # its lease ends by itself all the same
                await self.keeper.darken()
        with contextlib.suppress(DeviceFault):  # a device that is gone cannot be told anything
            await self.stage.halt()
        if self.laser is not None:
            with contextlib.suppress(DeviceFault):
                await self.laser.switch(on=False)

    async def aclose(self) -> None:
        for device in (self.board, self.laser, self.camera, self.tagger, self.stage):
            if device is not None:
                await device.aclose()


def build(config: Config, in_memory: Mapping[str, Opener], crunch: Crunch) -> Hardware:
    """Drivers as configured; nothing is opened yet. ValueError for an address that is none."""

    def made(address: str, make: Callable[[Opener], T]) -> T | None:
        return make(opener_for(address, in_memory)) if address else None

    return Hardware(
        stage=_stage(config.stage, opener_for(config.stage.address, in_memory)),
        board=made(config.board.address, lambda opener: _board(config.board, opener)),
        laser=made(config.laser.address, lambda opener: _laser(config.laser, opener)),
        camera=_camera(config.camera, in_memory, crunch),
        tagger=_tagger(config.tagger, in_memory, crunch),
        lease_s=config.board.lease_s,
    )


def _patience(reply_s: float) -> Patience:
    return Patience(reply_s, open_s=max(WITHIN_S, 2 * reply_s), longest_pause_s=PAUSE_S)


def _stage(config: StageConfig, opener: Opener) -> Stage:
    settings = PiStageSettings(
        axes=config.axes,
        travel=StageBox(StagePoint(*config.low_um), StagePoint(*config.high_um)),
        velocity_um_per_s=config.velocity_um_per_s or None,
        settle_within_s=config.settle_within_s,
        settled_within_um=config.settled_within_um,
    )
    return PiStage(opener, settings, _patience(config.reply_within_s))


def _board(config: BoardConfig, opener: Opener) -> Board:
    settings = IoBoardSettings(
        um_per_code=config.um_per_code,
        codes_per_rad=config.codes_per_rad,
        lease_s=config.lease_s,
        window_s=config.window_s,
        lens_travel_s=config.lens_travel_s,
        port=config.address,
    )
    return IoBoard(opener, settings, _patience(config.reply_within_s))


def _laser(config: LaserConfig, opener: Opener) -> Laser:
    patience, range_uw = _patience(config.reply_within_s), (config.low_uw, config.high_uw)
    if config.driver == "obis":
        return ObisLaser(opener, patience, range_uw)
    return CoboltLaser(opener, patience, range_uw)


def _camera(config: CameraConfig, in_memory: Mapping[str, Opener], crunch: Crunch) -> Camera | None:
    if not config.address:
        return None
    opener = camera_opener(config.address, in_memory)
    return FrameCamera(opener, CameraSettings(), Patience(reply_s=config.reply_within_s), crunch)


def _tagger(
    config: TaggerConfig, in_memory: Mapping[str, Opener], crunch: Crunch
) -> Detector | None:
    if not config.address:
        return None
    addresses = (config.address, config.service, config.first, config.second)
    sockets = IdqSockets(*(opener_for(address, in_memory) for address in addresses))
    settings = IdqSettings(address=config.device)
    return IdqDetector(sockets, settings, _patience(config.reply_within_s), crunch)
