"""The law that keeps a site in the focus: counts of a gate in, the next place of the stage out.

The stage steps around the place where the emitter is thought to be; what the counts answer tells
where it is. Gates in which the emitter is off tell nothing of its place and are left out.
"""

import math
from typing import NamedTuple

from mapping.dither import CORNERS, best_um, dwell_s, memory_s
from mapping.drift_filter import AXES, LOG, DriftFilter, Dwell, Known, Three
from mapping.walk import Walk
from optics.quantities import StagePoint

CERTAIN_COUNTS = 40.0  # expected, before it is judged whether the emitter is on
OFF_SHARE, OFF_SD = 0.5, 4.0
WALK_UM2_PER_S: Three = (4e-7, 4e-7, 4e-7)


class Start(NamedTuple):
    """What is known of the emitter when holding begins."""

    at: StagePoint
    sigma_um: Three
    height_cps: float
    height_sigma_cps: float
    known: Known


class Gate(NamedTuple):
    """One interval of counting: where the stage stood, and the pump as a share of the usual."""

    at: StagePoint
    clicks: int
    counted_s: float
    ended_s: float
    power: float = 1.0


class Pointed(NamedTuple):
    """How well it is pointed now, and how much the latest counts were a surprise."""

    error_um: Three  # of the stage as it stood in the gate
    sigma_um: Three
    share: float  # of the peak's brightness
    brightness_cps: float  # as at the peak and at usual power
    brightness_sigma_cps: float
    surprise_sd: float
    dark_s: float  # since when nothing was seen of the emitter; 0 while it shines


class Hold:
    """`add` gates; go to `target` when it has become another."""

    def __init__(self, start: Start, walk_um2_per_s: Three = WALK_UM2_PER_S) -> None:
        log_sd = start.height_sigma_cps / start.height_cps
        at = (start.at.x_um, start.at.y_um, start.at.z_um)
        self._drift = DriftFilter(
            start.known, at, start.sigma_um, math.log(start.height_cps), log_sd
        )
        self._walk = Walk(walk_um2_per_s)
        self._widths = tuple(math.sqrt(square) for square in self._drift.width2)
        self._corner, self._surprise, self._dark_s = 0, 0.0, 0.0
        self._stepped_s: float | None = None
        self._glimpse, self._dwell = _Sum(), _Sum()
        self._aim()

    def add(self, gate: Gate) -> Pointed:
        """Take a gate in."""
        self._glimpse.add(gate)
        signal, ground = self._expected(self._glimpse)
        if signal + ground >= CERTAIN_COUNTS:
            self._judge(signal, ground)
        if self._dwell.counted_s >= self._dwell_s:
            self._conclude(gate.ended_s)
        return self._pointed(gate)

    def shifted(self, by_um: Three) -> None:
        """It is known from elsewhere that the emitter has moved so far."""
        for i in AXES:
            self._drift.mean[i] += by_um[i]

    @property
    def place(self) -> StagePoint:
        """Where the emitter is thought to be."""
        return StagePoint(*self._drift.mean[:3])

    @property
    def tracking_share(self) -> float:
        """Of the photons, what stepping aside costs."""
        sides = zip(self._amplitudes, self._drift.width2, strict=True)
        return 1 - math.exp(-sum(a * a / square for a, square in sides) / 2)

    @property
    def walk_um2_per_s(self) -> Three:
        x, y, z = self._walk.um2_per_s
        return x, y, z

    def _judge(self, signal: float, ground: float) -> None:
        """Is the emitter on? Only then does the glimpse belong to the dwell."""
        seen = self._glimpse
        missing = signal + ground - seen.clicks
        is_clear = missing > OFF_SD * math.sqrt(signal + ground)
        if is_clear and seen.clicks < ground + OFF_SHARE * signal:
            self._dark_s += seen.counted_s
        else:
            self._dark_s = 0.0
            self._dwell.join(seen)
        self._glimpse = _Sum()

    def _conclude(self, now_s: float) -> None:
        if self._stepped_s is None:
            self._stepped_s = now_s - self._dwell.counted_s
        self._drift.step(now_s - self._stepped_s, self._walk.um2_per_s)
        self._surprise = self._drift.see(self._dwell.mean())
        self._stepped_s, self._dwell = now_s, _Sum()
        self._walk.look(now_s, self._memories_s, self._drift)
        self._corner = (self._corner + 1) % len(CORNERS)
        self._aim()

    def _aim(self) -> None:
        drift, walk = self._drift, self._walk.um2_per_s
        signal, ground = drift.expected(_three(drift.mean), 1.0, 1.0)
        rate = signal * signal / (signal + ground) / drift.misfit
        self._amplitudes = [
            best_um(self._widths[i], math.sqrt(drift.cov[i][i]), rate, walk[i]) for i in AXES
        ]
        self._memories_s = [
            memory_s(self._widths[i], self._amplitudes[i], rate, walk[i]) for i in AXES
        ]
        self._dwell_s = dwell_s(min(self._memories_s))
        ahead_s, corner = self._dwell_s / 2, CORNERS[self._corner]
        self.target = StagePoint(
            *(
                drift.mean[i] + drift.mean[i + 3] * ahead_s + corner[i] * self._amplitudes[i]
                for i in AXES
            )
        )

    def _variance(self, axis: int, now_s: float) -> float:
        """Of the place; it grows while nothing is learned."""
        for_s = 0.0 if self._stepped_s is None else now_s - self._stepped_s
        cov, walk = self._drift.cov, self._walk.um2_per_s[axis]
        return cov[axis][axis] + for_s * (walk + for_s * cov[axis + 3][axis + 3])

    def _expected(self, seen: "_Sum") -> tuple[float, float]:
        mean = seen.mean()
        return self._drift.expected(mean.at, mean.counted_s, mean.power)

    def _pointed(self, gate: Gate) -> Pointed:
        drift = self._drift
        x, y, z = (at - mean for at, mean in zip(gate.at, drift.mean, strict=False))
        a, b, c = (math.sqrt(self._variance(i, gate.ended_s)) for i in AXES)
        cps = math.exp(drift.mean[LOG])
        sigma_cps = cps * math.sqrt(drift.cov[LOG][LOG])
        share = drift.share(_three(gate.at))
        return Pointed((x, y, z), (a, b, c), share, cps, sigma_cps, self._surprise, self._dark_s)


class _Sum:
    """Of gates."""

    __slots__ = ("clicks", "counted_s", "power_s", "xyz_s")

    def __init__(self) -> None:
        self.clicks, self.counted_s, self.power_s = 0, 0.0, 0.0
        self.xyz_s = [0.0, 0.0, 0.0]

    def add(self, gate: Gate) -> None:
        self.clicks += gate.clicks
        self.counted_s += gate.counted_s
        self.power_s += gate.power * gate.counted_s
        for i in AXES:
            self.xyz_s[i] += gate.at[i] * gate.counted_s

    def join(self, other: "_Sum") -> None:
        self.clicks += other.clicks
        self.counted_s += other.counted_s
        self.power_s += other.power_s
        for i in AXES:
            self.xyz_s[i] += other.xyz_s[i]

    def mean(self) -> Dwell:
        x, y, z = (um_s / self.counted_s for um_s in self.xyz_s)
        return Dwell((x, y, z), self.clicks, self.counted_s, self.power_s / self.counted_s)


def _three(numbers: "list[float] | StagePoint") -> Three:
    x, y, z = numbers[:3]
    return x, y, z
