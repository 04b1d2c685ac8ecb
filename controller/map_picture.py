"""A picture of the field: what was seen, the sites with their uncertainty and rank, a scale bar."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from controller.plot import (
    BLUE,
    FAINT,
    FINER,
    GREEN,
    INK,
    ORANGE,
    PAPER,
    SMALL,
    TEXT,
    TITLE,
    Colour,
    Image,
    Place,
    width,
    write,
)

SIDE = 900 * FINER
TOP, EDGE = 80 * FINER, 24 * FINER
SMALLEST_RING = 7 * FINER
SHOWN_SIGMAS = 3
COLOURS: dict[str, Colour] = {"ACTIVE": ORANGE, "RESERVE": BLUE, "RETIRED": (150, 150, 150)}
DARKEST, BRIGHTEST = 2.0, 99.8  # percentiles of a frame that become black and white


class View(NamedTuple):
    """The part of a plane that is shown."""

    left_um: float
    top_um: float
    side_um: float

    @property
    def scale(self) -> float:
        """Parts of a pixel per um."""
        return (SIDE - 2 * EDGE) / self.side_um

    def place(self, x_um: float, y_um: float) -> Place:
        across, down = x_um - self.left_um, y_um - self.top_um
        return round(EDGE + across * self.scale), round(TOP + EDGE + down * self.scale)


class MapMark(NamedTuple):
    """One site on the picture."""

    x_um: float
    y_um: float
    sigma_um: float
    label: str
    state: str
    chosen: bool


def around(marks: Sequence[MapMark]) -> View:
    """All of them, with some air; never less than ten micrometres."""
    xs, ys = [mark.x_um for mark in marks] or [0.0], [mark.y_um for mark in marks] or [0.0]
    side = max(max(xs) - min(xs), max(ys) - min(ys), 10.0) * 1.15
    return View((min(xs) + max(xs) - side) / 2, (min(ys) + max(ys) - side) / 2, side)


def drawn(
    title: str,
    note: str,
    marks: Sequence[MapMark],
    view: View,
    ground: NDArray[np.uint16] | None = None,
) -> bytes:
    """As PNG; `ground` is a frame that fills the view."""
    image = np.full((SIDE + TOP, SIDE, 3), PAPER, np.uint8)
    low, high = view.place(view.left_um, view.top_um), (SIDE - EDGE, SIDE + TOP - EDGE)
    if ground is not None:
        image[low[1] : high[1], low[0] : high[0]] = _spread(ground, high[1] - low[1])
    cv2.rectangle(image, low, high, FAINT if ground is None else INK, FINER)
    for mark in marks:
        _site(image, mark, view)
    _scale_bar(image, view)
    write(image, title, (EDGE, 34 * FINER), TITLE, weight=FINER)
    write(image, note, (EDGE, 60 * FINER), SMALL * 1.1)
    small = cv2.resize(image, None, fx=1 / FINER, fy=1 / FINER, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", small)[1].tobytes()


def _spread(frame: NDArray[np.uint16], side: int) -> Image:
    dark, bright = np.percentile(frame, (DARKEST, BRIGHTEST))
    grey = np.clip((frame - dark) / max(bright - dark, 1.0), 0.0, 1.0)
    faint = (255 - 200 * grey).astype(np.uint8)  # dark light on paper: marks stay legible
    large = cv2.resize(faint, (side, side), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), np.uint8)


def _site(image: Image, mark: MapMark, view: View) -> None:
    at, colour = view.place(mark.x_um, mark.y_um), COLOURS.get(mark.state, INK)
    sure = round(SHOWN_SIGMAS * mark.sigma_um * view.scale)
    cv2.circle(image, at, max(sure, FINER), colour, -1, cv2.LINE_AA)
    ring = max(SMALLEST_RING, sure + 3 * FINER)
    cv2.circle(image, at, ring, colour, FINER, cv2.LINE_AA)
    if mark.chosen:
        cv2.circle(image, at, ring + 4 * FINER, GREEN, 2 * FINER, cv2.LINE_AA)
    if mark.label:
        write(image, mark.label, (at[0] + ring + 3 * FINER, at[1] - 3 * FINER), SMALL)


def _scale_bar(image: Image, view: View) -> None:
    """A round length of about a fifth of the width."""
    rough = view.side_um / 5
    decade = 10.0 ** math.floor(math.log10(rough))
    length_um = max(n * decade for n in (1, 2, 5) if n * decade <= rough)
    label, long = f"{length_um:g} um", round(length_um * view.scale)
    left, down = EDGE + 14 * FINER, SIDE + TOP - EDGE - 16 * FINER
    wide = max(long, width(label, TEXT)) + 16 * FINER
    corner = (left - 8 * FINER, down - 28 * FINER)
    cv2.rectangle(image, corner, (corner[0] + wide, down + 8 * FINER), PAPER, -1)
    cv2.line(image, (left, down), (left + long, down), INK, 3 * FINER)
    write(image, label, (left, down - 8 * FINER), TEXT)
