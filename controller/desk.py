"""What all activities share: the devices with their helpers, and what is known since power-up."""

import asyncio
from dataclasses import dataclass, field

from controller.archive import Archive
from controller.brightness import light_path
from controller.compute import Compute
from controller.config import Config
from controller.counter import Counter
from controller.eye import Eye
from controller.hardware import Hardware
from controller.journey import Journey
from controller.knowledge import Knowledge
from controller.light import Light
from controller.probe import Probe
from controller.recordings import Recordings
from controller.snapshot import Newsstand
from controller.store import Store
from controller.wishes import Unable
from mapping.catalogue import Site
from mapping.doubt import Verdict
from mapping.peak import Peak
from mapping.placement import Placement
from optics.devices import Board
from optics.faults import DeviceLost

OFFSET_CODES = 0x7FFF  # of the board's converter, to either side


@dataclass(frozen=True)
class Locked:
    """A site in the focus, and its peak as it was found under so much pump."""

    site: Site
    peak: Peak
    power_uw: float


@dataclass
class Desk:
    """One for a running controller; the supervisor lets one activity at a time work at it."""

    config: Config
    devices: Hardware
    news: Newsstand
    store: Store
    archive: Archive
    compute: Compute
    recordings: Recordings
    knowledge: Knowledge
    lying: Placement | None = None  # where the chip is, since this power-up
    locked: Locked | None = None
    failed: dict[str, str] = field(default_factory=dict)  # sites lost since the last proof, why
    verdict: Verdict | None = None  # on a light that was lost, until it is acted on
    late: set[str] = field(default_factory=set)  # devices that were not waited for
    journey: Journey = field(default_factory=Journey)

    def __post_init__(self) -> None:
        self.light = Light(self.devices, self.config.laser)
        self._counter: Counter | None = None
        self._probe: Probe | None = None
        self._eye: Eye | None = None

    @property
    def board(self) -> Board:
        return self.light.board

    @property
    def counter(self) -> Counter:
        if self._counter is None:
            self._counter = Counter(self.board, self.news, light_path(self.config.output))
        return self._counter

    @property
    def probe(self) -> Probe:
        if self._probe is None:
            x_um, y_um, z_um = (OFFSET_CODES * abs(um) for um in self.config.board.um_per_code)
            self._probe = Probe(
                self.devices.stage, self.light, self.counter, self.compute, (x_um, y_um, z_um)
            )
        return self._probe

    @property
    def eye(self) -> Eye:
        """Unable while there is no camera to see with."""
        if self.devices.camera is None:
            raise Unable("no camera is configured, so the chip cannot be seen")
        if self._eye is None:
            laser, camera = self.config.laser, self.config.camera
            self._eye = Eye(self.devices.camera, camera, self, laser.wide_uw)
        return self._eye

    def eye_or_lost(self) -> None:
        """DeviceLost while there is no camera."""
        if self.devices.camera is None:
            raise DeviceLost("camera", "there is none to see the chip with")

    @property
    def power_uw(self) -> float:
        """Of the pump in the focus, as wished."""
        return self.news.latest.power_set_uw or self.config.laser.power_uw

    def forget(self) -> None:
        """The devices were away: nothing is known of how they stand."""
        self.lying = self.locked = self.verdict = None
        self.late.clear()
        self.light.forget()
        self.stage_moves()

    def stage_moves(self) -> None:
        """By other hands than the probe's: it must not think that it stands anywhere."""
        if self._probe is not None:
            self._probe.forget()

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()
