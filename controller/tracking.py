"""Keeps an emitter in the focus while it emits: gates in, nudges out, and figures told."""

import math

from controller.desk import Desk, Locked
from controller.figures import Busy, Figure, Pointing
from controller.going_rate import GoingRate, Monitor, Usual
from controller.limits import Readings
from controller.looking import judge, look_at_laser
from mapping.hold import Gate, Hold, Pointed
from mapping.start import held, start
from optics.quantities import CountGate, StagePoint

TELL_EVERY_S, LASER_EVERY_S = 0.1, 0.5
DARK_S = 1.0  # so long nothing is seen of it, and it is asked why
LOW_S = 5.0  # the same of a rate that is low: whether it has moved the law finds out by itself
NOTHING_LEFT_S = 10.0  # in the dark there are no photons that a host could hold care off for
LEAST_PUMP = 0.2  # of the usual; with less, counts tell nothing of the place
LOSS_SIGMA = 0.24  # of the share lost by tracking: widths are known to 12 %


class Tracking:
    """Of one emission. The stage is where it was told to be, as long as nobody else moves it."""

    def __init__(self, desk: Desk, locked: Locked) -> None:
        self._desk, self._lay_at = desk, locked.peak.at
        self._told_at_s, self._is_still = -math.inf, False
        self.begin(locked)

    def begin(self, locked: Locked) -> None:
        """Hold that from now on."""
        self.locked = self._desk.locked = locked
        self._hold = Hold(start(locked.peak, locked.site.seen, locked.power_uw))
        self._expected_cps = locked.peak.height_cps + locked.peak.ground_cps
        self._monitor, self._read_at_s = Monitor(), -math.inf
        self._forget_gates()

    def resume(self, locked: Locked) -> None:
        """After somebody has looked: as before where it is the same, else from what was found."""
        if locked is self.locked:
            self._forget_gates()
        else:
            self.begin(locked)

    def _forget_gates(self) -> None:
        """What was counted by now is about something else."""
        self._going, self._told_of_s = GoingRate(), self._desk.now_s()
        self._told: Pointed | None = None
        self._stands: StagePoint | None = None
        self._since_s = math.inf  # gates that began earlier are not of this place

    @property
    def usual(self) -> Usual:
        """Of the light, while all was well."""
        ground_cps = self.locked.peak.ground_cps
        each_cps = self._expected_cps / 2
        channels_cps = self._going.usual_cps or (each_cps, each_cps)
        return Usual(channels_cps, ground_cps, self._monitor.usual)

    @property
    def seems_lost(self) -> bool:
        """Whether somebody should find out what has become of the light."""
        now, told = self._desk.news.latest, self._told
        if told is None or not now.tracking:
            return False
        if self._desk.now_s() < now.hold_off_until_s:
            return told.dark_s >= NOTHING_LEFT_S
        return told.dark_s >= DARK_S or self._going.low_s >= LOW_S

    async def turn(self) -> None:
        """Take what was counted, and stand where the law says."""
        if self._desk.now_s() - self._read_at_s >= LASER_EVERY_S:
            await self._read_laser()
        for gate in await self._desk.counter.fresh():
            self._take(gate)
        await self._stand()
        if self._desk.now_s() - self._told_at_s >= TELL_EVERY_S:
            await self._tell()

    def believed(self) -> Locked:
        """What is held, as it is known by now; the chip lies where the emitter went."""
        if self._told is not None:
            peak = held(self.locked.peak, self._hold.place, self._told)
            self.locked = Locked(self.locked.site, peak, self.locked.power_uw)
            self._desk.locked = self.locked
            self._lay(peak.at)
        return self.locked

    def leave(self) -> None:
        """It ends; what is known of it is kept."""
        self.believed()
        self._desk.news.publish(busy=self._desk.news.latest.busy & ~Busy.TRACKING)

    def _lay(self, at: StagePoint) -> None:
        desk, ways_um = self._desk, zip(self._lay_at, at, strict=True)
        if desk.lying is not None:
            desk.lying = desk.lying.shifted(*(after - before for before, after in ways_um))
            self._lay_at = at

    async def _read_laser(self) -> None:
        """The pump as a share of what it was when this hold began."""
        self._monitor.add(await look_at_laser(self._desk))
        self._read_at_s = self._desk.now_s()

    def _take(self, gate: CountGate) -> None:
        if gate.began_s < self._since_s or self._stands is None:
            return
        self._going.add(gate)
        pump = self._monitor.share
        if pump >= LEAST_PUMP:
            clicks = sum(gate.clicks)
            seen = Gate(self._stands, clicks, gate.counted_s, gate.ended_s, pump)
            self._told = self._hold.add(seen)
            self._told_of_s = gate.ended_s

    async def _stand(self) -> None:
        """At the law's next place; still, where the emitter is now, while nobody wants tracking."""
        is_still = not self._desk.news.latest.tracking
        if is_still and self._is_still and self._stands is not None:
            return
        to = self._hold.place if is_still else self._hold.target
        self._is_still = is_still
        if to != self._stands:
            await self._desk.probe.nudge(to)
            self._stands = to
            self._since_s = self._desk.now_s() + self._desk.config.board.offsets_settle_s

    async def _tell(self) -> None:
        self._told_at_s, told, rate_cps = self._desk.now_s(), self._told, self._going.cps
        if told is None:
            return
        busy = self._desk.news.latest.busy
        lost = 0.0 if self._is_still else self._hold.tracking_share
        walk = self._hold.walk_um2_per_s
        self._desk.news.publish(
            pointing=Pointing(told.error_um, told.sigma_um, told.share, self._told_of_s, walk),
            tracking_loss=Figure(lost, LOSS_SIGMA * lost, self._told_of_s),
            busy=busy & ~Busy.TRACKING if self._is_still else busy | Busy.TRACKING,
        )
        readings = Readings(
            laser_share=self._monitor.now / self.locked.power_uw,
            brightness_share=None if rate_cps is None else rate_cps / self._expected_cps,
            pointing_share=0.0 if told.dark_s >= DARK_S else told.share,
        )
        await judge(self._desk, readings)
