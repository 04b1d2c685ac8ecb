"""Trouble by name: what it is, how bad and how long when nobody says, and what begins it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from hil import mischief as acts
from hil.mischief import End, Ground, Order


class Trouble(NamedTuple):
    """A row of the table; `severity_is` gives unit and meaning."""

    meaning: str
    severity_is: str
    severity: float
    for_s: float
    begin: Callable[[Ground, Order], End]
    on_device: bool = False
    on_axis: bool = False


PERMANENT_S = 1e9
_NO = "no meaning"

TROUBLES: Mapping[str, Trouble] = {
    "cable-cut": Trouble("a cable is out, and back", _NO, 1, 3, acts.cut, on_device=True),
    "power-loss": Trouble(
        "a device without power; it forgets what such a device forgets",
        *(_NO, 1, 2, acts.power_loss),
        on_device=True,
    ),
    "hang": Trouble("a device is deaf and dumb", _NO, 1, 3, acts.hang, on_device=True),
    "garble": Trouble(
        "bytes arrive as others",
        *("share of the bytes", 0.01, 5, acts.manner("garble")),
        on_device=True,
    ),
    "drop-bytes": Trouble(
        "bytes are lost", "share of the bytes", 0.01, 5, acts.manner("drop"), on_device=True
    ),
    "split-bytes": Trouble(
        "bytes come one by one", "chance of a cut", 0.95, 10, acts.manner("split"), on_device=True
    ),
    "slow-wire": Trouble(
        "bytes take their time",
        *("longest delay of a piece, s", 0.05, 10, acts.manner("most_delay_s")),
        on_device=True,
    ),
    "late-answer": Trouble("one answer is late", "s", 1, 0, acts.late, on_device=True),
    "stuck-axis": Trouble("an axis stands still", _NO, 1, 5, acts.stick, on_axis=True),
    "runaway-axis": Trouble("an axis runs to its end", "um/s", 50, 5, acts.run_away, on_axis=True),
    "piezo-limit": Trouble(
        "the voltage no longer reaches the ends",
        *("um at each end", 60, 60, acts.narrow),
        on_axis=True,
    ),
    "lost-reference": Trouble("all servos drop out", _NO, 1, 0, acts.lose_reference),
    "laser-trip": Trouble("the laser trips by heat, until it is cleared", _NO, 1, 0, acts.trip),
    "laser-key": Trouble("the laser's key is off", _NO, 1, 5, acts.key),
    "interlock-open": Trouble("the door is open", _NO, 1, 5, acts.door),
    "laser-sag": Trouble("the laser's power sags", "share that is left", 0.7, 300, acts.sag),
    "path-loss": Trouble(
        "less light arrives than leaves the laser", "share that is left", 0.7, 300, acts.path_loss
    ),
    "camera-freeze": Trouble("the camera hangs", _NO, 1, 10, acts.camera_hang),
    "camera-drops": Trouble("frames get lost", "share", 0.3, 60, acts.sensor("dropping", 0.0)),
    "camera-tears": Trouble("frames come torn", "share", 0.3, 60, acts.sensor("tearing", 0.0)),
    "camera-dark": Trouble("the camera sees nothing", _NO, 1, 60, acts.sensor("dark", False)),
    "camera-overexposed": Trouble(
        "frames are too bright", "times", 50, 60, acts.sensor("overexposed", 1.0)
    ),
    "counter-saturated": Trouble("so much light that detectors shut off", "cps", 2e8, 5, acts.lamp),
    "detector-dead": Trouble("a detector is dead", "1 is a, 2 is b", 1, 300, acts.detector_dies),
    "lamp-on": Trouble("a lamp was left on", "cps, both detectors", 2e5, 60, acts.lamp),
    "emitter-blinks": Trouble("the emitter in the focus is dark", _NO, 1, 1, acts.blink),
    "emitter-bleaches": Trouble("it is dark for ever", _NO, 1, 0, acts.bleach),
    "emitter-jumps": Trouble("its line jumps, and back", "meV", 60, 300, acts.jump),
    "chip-swapped": Trouble("another chip is in the holder", _NO, 1, 0, acts.swap),
    "temperature-step": Trouble("the room is warmer for a while", "K", 2, PERMANENT_S, acts.warm),
    "vibration": Trouble("somebody drills", "um", 0.2, 10, acts.shake),
    "controller-killed": Trouble("the controller dies, and starts again", _NO, 1, 1, acts.kill),
    "power-cut": Trouble("rack and computer lose power", _NO, 1, 5, acts.power_cut),
    "disk-full": Trouble("nothing can be written", _NO, 1, 30, acts.fill),
    "clock-jump": Trouble("the wall clock jumps, perhaps back", "s", -3600, 0, acts.shift),
}


def ordered(name: str, for_s: float, severity: float, device: str, axis: str) -> Order:
    """With the trouble's own duration and severity where 0 is given."""
    trouble = TROUBLES[name]
    return Order(for_s or trouble.for_s, severity or trouble.severity, device, axis)
