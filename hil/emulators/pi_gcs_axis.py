"""One axis of an emulated GCS controller, in the controller's units: what it answers and takes.

A setter looks before it leaps: it refuses, or returns the act, so that a line of several
axes is done as a whole or not at all.
"""

from collections.abc import Callable
from functools import partial

from hil.emulators.pi_gcs_models import AxisModel
from hil.emulators.pi_gcs_servo import Servo
from hil.emulators.pi_gcs_syntax import Code, GcsError, written

Act = Callable[[], None]


class GcsAxis:
    def __init__(self, model: AxisModel, seed: int) -> None:
        self.servo = Servo(model, seed)
        self._model = model
        self._forget(0.0)

    def _forget(self, now_s: float) -> None:
        self.autozeroed, self.referenced, self.by_moving = False, self._model.piezo, True
        self._zero_um = 0.0 if self._model.piezo else self.servo.place_um(now_s)

    def power_cycle(self, now_s: float) -> None:
        self.servo.power_cycle(now_s)
        self._forget(now_s)

    def lose_reference(self, now_s: float) -> None:
        """The servo drops out and what was learned of zero is gone."""
        self.servo.switch(now_s, on=False)
        self._forget(now_s)

    # Answers

    def position(self, now_s: float) -> str:
        return self._written(self.servo.sensed_um(now_s) - self._zero_um)

    def target(self, _now_s: float) -> str:
        return self._written(self.servo.target_um - self._zero_um)

    def lowest(self, _now_s: float) -> str:
        return self._written(self._model.low_um)

    def highest(self, _now_s: float) -> str:
        return self._written(self._model.high_um)

    def velocity(self, _now_s: float) -> str:
        return self._written(self.servo.speed)

    def level(self, _now_s: float) -> str:
        """The open-loop value; 0 is where the stage rests without voltage."""
        return self._written(self.servo.level_um - self._model.rest_um)

    # Orders

    def set_servo(self, now_s: float, on: float) -> Act:
        self._must_not_autozero()
        return partial(self.servo.switch, now_s, on=bool(on))

    def move(self, now_s: float, to: float) -> Act:
        return self._move(now_s, self._um(to))

    def shift(self, now_s: float, by: float) -> Act:
        """Relative to the target, not to the place (unconfirmed)."""
        return self._move(now_s, self.servo.target_um - self._zero_um + self._um(by))

    def set_velocity(self, now_s: float, velocity: float) -> Act:
        if not 0.0 < self._um(velocity) <= self._model.highest_speed:
            raise GcsError(Code.VELOCITY_OUT_OF_LIMITS)
        return partial(self.servo.hurry, now_s, self._um(velocity))

    def drive(self, now_s: float, level: float) -> Act:
        """Open loop; whether the unit is µm or V depends on the stage, here it is µm."""
        return self._drive(now_s, self._model.rest_um + self._um(level))

    def drive_further(self, now_s: float, by: float) -> Act:
        return self._drive(now_s, self.servo.level_um + self._um(by))

    def autozero(self, now_s: float, _low_voltage: float) -> Act:
        """The servo is off afterwards (unconfirmed; clients switch it on again)."""
        self._must_not_autozero()
        return partial(self._begin_autozero, now_s)

    def find_switch(self, now_s: float) -> Act:
        return self._find(now_s, self._model.switch_um)

    def find_low_end(self, now_s: float) -> Act:
        return self._find(now_s, self._model.low_um)

    def find_high_end(self, now_s: float) -> Act:
        return self._find(now_s, self._model.high_um)

    def choose_referencing(self, _now_s: float, by_moving: float) -> Act:
        return partial(setattr, self, "by_moving", bool(by_moving))

    def declare(self, now_s: float, position: float) -> Act:
        """It is there, says the host; only without referencing by moves (MS249E, p. 181)."""
        if self.by_moving:
            raise GcsError(Code.REFERENCING_ENABLED)  # unconfirmed: the code is PI's
        return partial(self._refer, self.servo.place_um(now_s) - self._um(position))

    # What stands behind them

    def _move(self, now_s: float, to_um: float) -> Act:
        self._must_not_autozero()
        if not (self.servo.on and self.referenced):
            raise GcsError(Code.NO_REFERENCE_OR_SERVO)
        if not self._model.low_um <= to_um <= self._model.high_um:
            raise GcsError(Code.POSITION_OUT_OF_LIMITS)
        return partial(self.servo.aim, now_s, to_um + self._zero_um)

    def _drive(self, now_s: float, level_um: float) -> Act:
        self._must_not_autozero()
        if self.servo.on:
            raise GcsError(Code.SERVO_IS_ON)  # unconfirmed: the code is PI's, its use here a guess
        if not self._model.nature.low_um <= level_um <= self._model.nature.high_um:
            raise GcsError(Code.OUT_OF_RANGE)  # unconfirmed: 66, voltage out of limits, fits too
        return partial(self.servo.drive, now_s, level_um)

    def _find(self, now_s: float, switch_um: float) -> Act:
        if not self.by_moving:
            raise GcsError(Code.REFERENCING_DISABLED)
        if not self.servo.on:
            raise GcsError(Code.NO_REFERENCE_OR_SERVO)  # unconfirmed; PI's client allows for it
        return partial(self._begin_finding, now_s, switch_um)

    def _begin_finding(self, now_s: float, switch_um: float) -> None:
        self.referenced = False
        self.servo.seek(now_s, switch_um, self._end_finding)

    def _end_finding(self, now_s: float) -> None:
        if self.servo.is_near(now_s):
            self._refer(0.0)

    def _begin_autozero(self, now_s: float) -> None:
        self.autozeroed = False
        self.servo.sweep(now_s, self._end_autozero)

    def _end_autozero(self, _now_s: float) -> None:
        self.autozeroed = True

    def _refer(self, zero_um: float) -> None:
        self._zero_um, self.referenced = zero_um, True

    def _must_not_autozero(self) -> None:
        if self._model.piezo and self.servo.is_busy:
            raise GcsError(Code.AUTOZERO_RUNNING)

    def _um(self, value: float) -> float:
        return value * self._model.um_per_unit

    def _written(self, um: float) -> str:
        return written(um / self._model.um_per_unit, self._model.form)
