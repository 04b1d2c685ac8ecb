"""The part of an emulated controller that moves one axis: servo, open loop, runs, a stuck stage.

Everything here is in µm of the stage's own frame; state is what is wanted, and `_obey` makes
the motion follow it.
"""

from collections import deque
from collections.abc import Callable
from functools import partial

from hil.emulators.pi_gcs_models import AxisModel
from hil.motion import Axis
from hil.trail import Trail

Step = Callable[[float], None]


class Servo:
    def __init__(self, model: AxisModel, seed: int) -> None:
        self._model, self._motion = model, Axis(model.nature, seed, model.rest_um)
        self.on, self.speed = False, model.speed
        self.target_um = self.level_um = model.rest_um
        self.offset_um = 0.0  # by the analogue input, on top of whatever is asked for
        self._ends_um = model.nature.low_um, model.nature.high_um
        self._runs_away = False
        self._since_s = 0.0
        self._run: deque[tuple[float, Step]] = deque()

    def place_um(self, now_s: float) -> float:
        """The truth."""
        return self._motion.true_um(now_s)

    def sensed_um(self, now_s: float) -> float:
        return self._motion.sensed_um(now_s)

    @property
    def trail(self) -> Trail:
        """Where it has been."""
        return self._motion.trail

    @property
    def is_busy(self) -> bool:
        """A run of several steps, a reference move or an autozero, has not ended."""
        return bool(self._run)

    def catch_up(self, now_s: float) -> None:
        """Take the steps of a run that are due by now."""
        while self._run and self._run[0][0] <= now_s:
            due_s, step = self._run.popleft()
            step(due_s)

    def is_on_target(self, now_s: float) -> bool:
        """Within the window for the settling time."""
        earlier_s = now_s - self._model.settling_s
        settled = earlier_s >= self._since_s and self.is_near(earlier_s)
        return self.on and settled and self.is_near(now_s)

    def is_near(self, now_s: float) -> bool:
        off_um = self.place_um(now_s) - self.target_um - self.offset_um
        return abs(off_um) <= self._model.window_um

    def is_moving(self, now_s: float) -> bool:
        return self.is_busy or (self.on and not self.is_near(now_s))

    def overflows(self, now_s: float) -> bool:
        """The servo pushes in vain."""
        return self.on and self._motion.is_jammed and not self.is_near(now_s)

    def switch(self, now_s: float, *, on: bool) -> None:
        """On, the target is where the stage is (unconfirmed); off, the voltage stays."""
        if on != self.on:
            self.on = on
            self._let_go(now_s)
            self.halt(now_s)

    def aim(self, now_s: float, target_um: float) -> None:
        self.target_um = target_um
        self._obey(now_s)

    def hurry(self, now_s: float, speed: float) -> None:
        """Another speed, also for a move under way."""
        self.speed = speed
        if self.on and not self.is_near(now_s):
            self._obey(now_s)

    def drive(self, now_s: float, level_um: float) -> None:
        """The voltage that an ideal piezo would need for that place."""
        self.level_um = level_um
        self._obey(now_s)

    def halt(self, now_s: float) -> None:
        """Stand still; a run is given up."""
        if self.is_busy:
            self._run.clear()
            self._let_go(now_s)
        self.aim(now_s, self.place_um(now_s) - self.offset_um)

    def push(self, now_s: float, offset_um: float) -> None:
        """Another voltage at the analogue input; a move under way goes on from there."""
        since_s, self.offset_um = self._since_s, offset_um
        self._obey(now_s)
        self._since_s = since_s

    def seek(self, now_s: float, switch_um: float, found: Step) -> None:
        """Go to a switch; `found` is called there, or where the way would have ended."""
        way_um = abs(switch_um - self.place_um(now_s))
        there_s = now_s + way_um / self.speed + 20 * self._model.nature.lag_s
        self._run = deque([(there_s, found)])
        self.aim(now_s, switch_um)

    def sweep(self, now_s: float, ended: Step) -> None:
        """Through the full range and back to rest, with the servo off."""
        self.on = False
        leg_s = self._model.autozero_s / 3
        ends_um = self._model.high_um, self._model.low_um, self._model.rest_um
        for leg, end_um in enumerate(ends_um):
            self._run.append((now_s + leg * leg_s, partial(self._go, end_um, leg_s)))
        self._run.append((now_s + 3 * leg_s, partial(self._rest, ended)))
        self.catch_up(now_s)

    def power_cycle(self, now_s: float) -> None:
        """A piezo falls back by as much as its hysteresis lets it; a motor stays."""
        self._run.clear()
        self.on, self.speed = False, self._model.speed
        self.target_um = self.place_um(now_s)
        self.drive(now_s, self._model.rest_um)

    def run_away(self, now_s: float, speed: float) -> None:
        """To its upper end, whatever it is told, until it is freed."""
        self._motion.move(now_s, self._model.nature.high_um, speed)
        self._runs_away = True

    def narrow(self, now_s: float, by_um: float) -> None:
        """The voltage no longer reaches that much of either end."""
        nature = self._model.nature
        self._ends_um = nature.low_um + by_um, nature.high_um - by_um
        self._obey(now_s)

    def stick(self, now_s: float) -> None:
        """From now on it stays where it is."""
        self._motion.jam(now_s)

    def free(self, now_s: float) -> None:
        """It can move again, and does what is wanted by now."""
        self._runs_away = False
        self._motion.free(now_s)
        self._obey(now_s)

    def _let_go(self, now_s: float) -> None:
        if self._model.piezo and not self._runs_away:
            self._motion.let_go(now_s)
            self.level_um = self._motion.level_um

    def _go(self, end_um: float, within_s: float, now_s: float) -> None:
        way_um = abs(end_um - self.place_um(now_s))
        if way_um:
            self._motion.move(now_s, end_um, 1.1 * way_um / within_s)

    def _rest(self, ended: Step, now_s: float) -> None:
        self.drive(now_s, self._model.rest_um)
        ended(now_s)

    def _obey(self, now_s: float) -> None:
        self._since_s = now_s
        if self._runs_away:
            return
        if self.on:
            self._motion.move(now_s, self._reachable_um(self.target_um), self.speed)
        elif self._model.piezo:
            self._motion.drive(now_s, self._reachable_um(self.level_um))
        else:
            self._motion.stop(now_s)

    def _reachable_um(self, wanted_um: float) -> float:
        low_um, high_um = self._ends_um
        return min(max(wanted_um + self.offset_um, low_um), high_um)
