"""What outsiders may ask of the controller: the seam between SCPI, the page, and the work.

A wish that cannot be granted is refused at once by an exception that says why: NotNow for what
the present state does not allow, OutOfReach for what cannot be, NoSuchSite, DeviceLost for what
needs a device that is not there. What is granted ends when it is fulfilled, or with its fault.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import NamedTuple, Protocol

from controller.figures import Purity
from mapping.catalogue import SiteState
from optics.quantities import StagePoint

Outcome = asyncio.Future[None]


class NotNow(Exception):
    """What the table does not hold is refused at once, never queued."""


class Overtaken(Exception):
    """A wish was granted, but another event came before it was fulfilled."""


class Unable(Exception):
    """The devices are well, and yet it cannot be done; the words say why."""


class Tripped(Exception):
    """The interlock, or a laser that will not: there is no light until somebody has looked."""


class NoSuchSite(Exception):
    """Nothing in the catalogue has this name."""


class BadCatalogue(Exception):
    """What should be imported is no catalogue; nothing was changed."""


class Area(NamedTuple):
    """A rectangle under the stage, by its low corner and its sides."""

    x_um: float
    y_um: float
    width_um: float
    height_um: float


class Granted(Protocol):
    """A wish of the hardware: when it is begun, which the next snapshot shows, and how it went."""

    @property
    def begun(self) -> Outcome:
        """The work has begun, or was overtaken before it could."""

    @property
    def ended(self) -> Outcome:
        """It is fulfilled; an exception says why not."""


class Check(NamedTuple):
    """One line of the self-test; what passed has no complaint."""

    name: str
    complaint: str = ""


class Wishes(Protocol):
    """What may be wished. A setting is done once it is on the disk and on its device."""

    def set_output(self, *, on: bool) -> Awaitable[None]:
        """Whether the source may emit; kept over power cycles."""

    def set_power(self, power_uw: float) -> Awaitable[None]:
        """What the laser is to give; OutOfReach and nothing sent beyond its range."""

    def hold_off(self, for_s: float) -> Awaitable[None]:
        """No recalibration from now for so long; 0 ends it."""

    def select_site(self, name: str) -> Granted:
        """Go to the site, lock on it, verify it."""

    def set_site_state(self, name: str, state: SiteState) -> Awaitable[None]:
        """What the site is for from now on."""

    def export_catalogue(self) -> bytes:
        """The whole catalogue as JSON."""

    def import_catalogue(self, document: bytes) -> Awaitable[None]:
        """Take over what `export_catalogue` gave; BadCatalogue changes nothing."""

    def survey(self, area: Area | None) -> Granted:
        """Look for sites there, or in all the field."""

    def abort_survey(self) -> Awaitable[None]:
        """End it; what it has recorded stays."""

    def register(self) -> Granted:
        """Find anew where the chip lies."""

    def track(self, *, on: bool) -> Awaitable[None]:
        """Whether the focus follows the site."""

    def set_gate(self, gate_s: float) -> Awaitable[None]:
        """How long one gate counts."""

    def measure_purity(self, for_s: float | None) -> Awaitable[Purity]:
        """From photons counted from now on, for so long or until it is known well enough."""

    def serve(self, *, on: bool) -> Granted | None:
        """Service mode, for an operator's hands; None where nothing changes."""

    def move(self, target: StagePoint) -> Granted:
        """Move the stage, in service mode alone."""

    def set_label(self, label: str) -> Awaitable[None]:
        """A name for the instrument, kept over power cycles."""

    def save(self, slot: int, settings: str) -> Awaitable[None]:
        """Keep these settings over power cycles."""

    def saved(self, slot: int) -> str:
        """What was kept there, or an empty text."""

    def audit(self, who: str, what: str) -> Awaitable[None]:
        """Write down who did what, or was not let to."""

    def self_test(self) -> Awaitable[Sequence[Check]]:
        """Every check that disturbs nobody, each with what is wrong."""
