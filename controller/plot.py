"""Plain pictures of curves, fit for a data sheet: axes with units, legend, marks; PNG."""

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]  # blue, green, red, as OpenCV has them
Place: TypeAlias = tuple[int, int]

BLUE, ORANGE, GREEN = (178, 90, 20), (30, 110, 225), (90, 140, 20)
INK, FAINT, PAPER = (40, 40, 40), (225, 225, 225), (255, 255, 255)

FINER = 2  # drawn so many times larger, then averaged down: smooth at any viewer's size
WIDTH, HEIGHT = 960 * FINER, 600 * FINER
LEFT, RIGHT, TOP, BOTTOM = 100 * FINER, 930 * FINER, 76 * FINER, 530 * FINER
TITLE, TEXT, SMALL = 0.62 * FINER, 0.48 * FINER, 0.36 * FINER


class Axis(NamedTuple):
    """What is drawn along it, in its unit, from where to where."""

    label: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value lies, 0 to 1; a logarithm's impossible lies far below."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        if value <= 0:
            return -1.0
        return math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self) -> list[float]:
        """Round values, some five to ten of them."""
        if self.log:
            first, last = (math.log10(end) for end in (self.low, self.high))
            step = max(1, math.ceil((last - first) / 9))
            return [
                10.0**n for n in range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1, step)
            ]
        rough = (self.high - self.low) / 8
        decade = 10.0 ** math.floor(math.log10(rough))
        step_size = next(n * decade for n in (1, 2, 5, 10) if n * decade >= rough)
        first_n, last_n = math.ceil(self.low / step_size), math.floor(self.high / step_size)
        return [n * step_size for n in range(first_n, last_n + 1)]


class Curve(NamedTuple):
    """A line, or a band where low and high differ; the lower end is drawn firmly."""

    label: str
    colour: Colour
    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


class Mark(NamedTuple):
    """One point that matters."""

    label: str
    x: float
    y: float


def draw(
    title: str, note: str, x: Axis, y: Axis, curves: Sequence[Curve], mark: Mark | None = None
) -> bytes:
    """The whole picture as PNG."""
    image = np.full((HEIGHT, WIDTH, 3), PAPER, np.uint8)
    _axes(image, x, y)
    field = image[TOP:BOTTOM, LEFT:RIGHT]  # what is drawn here stays inside the axes
    for curve in curves:
        _curve(field, x, y, curve)
    cv2.rectangle(image, (LEFT, TOP), (RIGHT, BOTTOM), INK, FINER, cv2.LINE_AA)
    if mark is not None:
        _mark(image, _at(x, y, mark.x, mark.y))
    _legend(image, curves, mark)
    write(image, title, (LEFT, 34 * FINER), TITLE, weight=FINER)
    write(image, note, (LEFT, 60 * FINER), SMALL * 1.1)
    small = cv2.resize(image, (WIDTH // FINER, HEIGHT // FINER), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", small)[1].tobytes()


def _at(x: Axis, y: Axis, x_value: float, y_value: float, parts: int = 1) -> Place:
    """Where a point lies inside the axes, in parts of a pixel from their upper left."""
    across, down = x.share(x_value), 1 - y.share(y_value)
    return round(across * (RIGHT - LEFT) * parts), round(down * (BOTTOM - TOP) * parts)


def _axes(image: Image, x: Axis, y: Axis) -> None:
    for value in x.ticks():
        at = LEFT + _at(x, y, value, y.high)[0]
        cv2.line(image, (at, TOP), (at, BOTTOM), FAINT, FINER)
        _tick_label(image, x, value, (at, BOTTOM + 22 * FINER), 0.5)
    for value in y.ticks():
        at = TOP + _at(x, y, x.low, value)[1]
        cv2.line(image, (LEFT, at), (RIGHT, at), FAINT, FINER)
        _tick_label(image, y, value, (LEFT - 10 * FINER, at + 5 * FINER), 1.0)
    middle = ((LEFT + RIGHT) // 2, (TOP + BOTTOM) // 2)
    write(image, x.label, (middle[0] - width(x.label, TEXT) // 2, HEIGHT - 18 * FINER), TEXT)
    _write_upwards(image, y.label, (30 * FINER, middle[1]))


def _tick_label(image: Image, axis: Axis, value: float, at: Place, leftwards: float) -> None:
    """On a logarithmic axis a power of ten with its exponent raised."""
    text, raised = f"{value:.6g}".replace("-", "\N{MINUS SIGN}"), ""
    if axis.log:
        text, raised = "10", str(round(math.log10(value))).replace("-", "\N{MINUS SIGN}")
    wide, extra = width(text, TEXT), width(raised, SMALL)
    left = at[0] - round((wide + extra) * leftwards)
    write(image, text, (left, at[1]), TEXT)
    write(image, raised, (left + wide, at[1] - 7 * FINER), SMALL)


def _curve(field: Image, x: Axis, y: Axis, curve: Curve) -> None:
    parts, bits = 16, 4  # OpenCV counts in powers of two of a pixel
    lower, upper = (
        np.array(
            [_at(x, y, *point, parts) for point in zip(curve.x, values, strict=True)], np.int32
        )
        for values in (curve.low, curve.high)
    )
    if curve.low != curve.high:
        veil = field.copy()
        cv2.fillPoly(veil, [np.concatenate([lower, upper[::-1]])], curve.colour, shift=bits)
        field[:] = cv2.addWeighted(veil, 0.18, field, 0.82, 0)
        cv2.polylines(field, [upper], False, curve.colour, 1, cv2.LINE_AA, bits)
    cv2.polylines(field, [lower], False, curve.colour, 2 * FINER, cv2.LINE_AA, bits)


def _mark(image: Image, at: Place) -> None:
    """A ring on a dashed line down to the axis; on the axis itself if it belongs below."""
    across, down = LEFT + at[0], min(TOP + at[1], BOTTOM)
    for top in range(down, BOTTOM, 10 * FINER):
        bottom = min(top + 5 * FINER, BOTTOM)
        cv2.line(image, (across, top), (across, bottom), INK, FINER, cv2.LINE_AA)
    _ring(image, (across, down))


def _ring(image: Image, at: Place) -> None:
    cv2.circle(image, at, 6 * FINER, PAPER, -1, cv2.LINE_AA)
    cv2.circle(image, at, 6 * FINER, INK, 2 * FINER, cv2.LINE_AA)


def _legend(image: Image, curves: Sequence[Curve], mark: Mark | None) -> None:
    labels = [curve.label for curve in curves] + [mark.label for mark in [mark] if mark]
    if not labels:
        return
    row, pad, key = 24 * FINER, 12 * FINER, 34 * FINER
    left = RIGHT - 3 * pad - key - max(width(label, TEXT) for label in labels)
    right, top = RIGHT - pad, TOP + pad
    bottom = top + row * len(labels) + pad
    cv2.rectangle(image, (left, top), (right, bottom), PAPER, -1)
    cv2.rectangle(image, (left, top), (right, bottom), FAINT, FINER)
    for n, label in enumerate(labels):
        y, start = top + row * n + pad + row // 4, left + pad
        if n < len(curves):
            end = (start + key - pad, y)
            cv2.line(image, (start, y), end, curves[n].colour, 2 * FINER, cv2.LINE_AA)
        else:
            _ring(image, (start + (key - pad) // 2, y))
        write(image, label, (start + key, y + 5 * FINER), TEXT)


def _write_upwards(image: Image, text: str, at: Place) -> None:
    """Turned by a quarter, its middle at the place."""
    length, height = width(text, TEXT), 24 * FINER
    strip = np.full((height, length, 3), PAPER, np.uint8)
    write(strip, text, (0, height - 7 * FINER), TEXT)
    left, top = at[0] - height // 2, at[1] - length // 2
    image[top : top + length, left : left + height] = np.rot90(strip)


def write(image: Image, text: str, at: Place, size: float, weight: int = 1) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, INK, weight, cv2.LINE_AA)


def width(text: str, size: float) -> int:
    return cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)[0][0] if text else 0
