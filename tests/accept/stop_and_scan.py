"""The rival: qudi's legacy optimiser, periodically, and a more careful user of the same scans.

0.6 um box of 10 x 10 points, then 2 um in z of 30 points, 50 points a second, 0.1 s of settling
before each line, every 120 s; the stage goes wherever the fit says (`optimizer_logic.py`).
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import curve_fit

from tests.accept.focus_world import FocusWorld
from tests.unit.dark_room import Floats

PERIOD_S, POINT_S, SETTLE_S = 120.0, 0.02, 0.1
BOX_UM, POINTS, DEPTH_UM, DEPTHS = 0.6, 10, 2.0, 30
GOOD_ENOUGH, ATTEMPTS, CHECK_S = 0.95, 10, 0.5


def stop_and_scan(rack: FocusWorld, for_s: float, *, careful: bool) -> None:
    """Scan, then wait for the period to end, again and again."""
    usual = rack.count(CHECK_S)
    while rack.now_s < for_s:
        began_s = rack.now_s
        if careful:
            usual = _careful(rack, usual)
        else:
            _refocus(rack)
        while rack.now_s < min(began_s + PERIOD_S, for_s):
            rack.stay(2.0)


def _careful(rack: FocusWorld, usual: int) -> int:
    """Until it is as bright as after the last time; else back to where it began."""
    start = rack.at_um.copy()
    for _ in range(ATTEMPTS):
        _refocus(rack)
        seen = rack.count(CHECK_S)
        if seen >= GOOD_ENOUGH * usual:
            return seen
        rack.at_um = start.copy()
    return usual


def _refocus(rack: FocusWorld) -> None:
    start = rack.at_um.copy()
    offsets = np.linspace(-BOX_UM / 2, BOX_UM / 2, POINTS)
    counts = [_line(rack, start + np.array((0.0, y, 0.0)), 0, offsets) for y in offsets]
    x, y = np.meshgrid(offsets, offsets)
    aside = _fitted(_bump, np.vstack((x.ravel(), y.ravel())), np.concatenate(counts), BOX_UM)
    rack.at_um = start + np.array((*aside, 0.0))
    middle, depths = rack.at_um.copy(), np.linspace(-DEPTH_UM / 2, DEPTH_UM / 2, DEPTHS)
    [depth] = _fitted(_hill, depths, _line(rack, middle, 2, depths), DEPTH_UM)
    rack.at_um = middle + np.array((0.0, 0.0, depth))


def _line(rack: FocusWorld, start: Floats, axis: int, offsets: Floats) -> Floats:
    counts = []
    rack.at_um = start.copy()
    rack.at_um[axis] += offsets[0]
    rack.stay(SETTLE_S)
    for offset in offsets:
        rack.at_um = start.copy()
        rack.at_um[axis] += offset
        counts.append(rack.count(POINT_S))
    return np.array(counts, float)


def _fitted(model: Callable[..., Floats], at: Floats, counts: Floats, span: float) -> list[float]:
    """The centre; the middle of the window when the fit raises."""
    places = 2 if at.ndim == 2 else 1
    widths = [span / 10] * places
    guess = [*[0.0] * places, *widths, counts.max(), counts.min()]
    try:
        found, _ = curve_fit(model, at, counts, guess, maxfev=2000)
    except RuntimeError:
        return [0.0] * places
    return [float(value) for value in found[:places]]


def _bump(
    at: Floats, x: float, y: float, wide: float, high: float, height: float, ground: float
) -> Floats:
    square = ((at[0] - x) / wide) ** 2 + ((at[1] - y) / high) ** 2
    return np.asarray(ground + height * np.exp(-square / 2))


def _hill(at: Floats, z: float, wide: float, height: float, ground: float) -> Floats:
    return np.asarray(ground + height * np.exp(-(((at - z) / wide) ** 2) / 2))
