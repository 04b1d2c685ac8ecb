"""Images of emitters on small windows of pixels, and how they change: native loops.

The image is that of `optics/psf.py`. Places are counted from the middle pixel of a window.
"""

import math

from optics.native import Float32s, Float64s, Int64s, Native

ROOT_HALF = math.sqrt(0.5)
BELL = 1 / math.sqrt(2 * math.pi)


@Native
def bells(along: Float64s, first: int, place: float, sigma: float, width: int, orders: int) -> int:
    """The Gaussian's derivatives 0 to orders - 1 over the pixels along one axis, each in a row of
    width + 1, the last of which means nothing."""
    for edge in range(width + 1):
        far = (edge - width // 2 - 0.5 - place) / sigma
        along[first + edge] = 0.5 * math.erf(ROOT_HALF * far)
        before = 0.0
        now = BELL * math.exp(-0.5 * far * far)
        for order in range(1, orders):
            along[first + order * (width + 1) + edge] = now
            later = -far * now - (order - 1) * before
            before = now
            now = later
    for order in range(orders):
        row = first + order * (width + 1)
        for pixel in range(width):
            along[row + pixel] = along[row + pixel + 1] - along[row + pixel]
    return 0


@Native
def image(
    picture: Float64s,
    first: int,
    along: Float64s,
    y: int,
    x: int,
    shape: Float64s,
    begin: int,
    size: int,
    width: int,
    light: float,
) -> int:
    """The picture that a shape (size, size) makes of the derivatives along both axes, which begin
    at y and x of `along`; `first` and `begin` are where picture and shape begin in their arrays."""
    for row in range(width):
        start = first + row * width
        for pixel in range(width):
            picture[start + pixel] = 0.0
        for right in range(size):
            share = 0.0
            for down in range(size):
                share += shape[begin + down * size + right] * along[y + down * (width + 1) + row]
            if share != 0.0:
                share *= light
                across = x + right * (width + 1)
                for pixel in range(width):
                    picture[start + pixel] += share * along[across + pixel]
    return 0


@Native
def slopes_of(
    slopes: Float64s,
    along: Float64s,
    emitters: Float64s,
    first: int,
    members: int,
    width: int,
    sigmas: Float64s,
    shape: Float64s,
    size: int,
) -> int:
    """By y, x and photons of each emitter of a window, then by light everywhere."""
    pixels = width * width
    step = width + 1
    x = (size + 1) * step
    for member in range(members):
        at = 3 * (first + member)
        own = 3 * member * pixels
        photons = emitters[at + 2]
        bells(along, 0, emitters[at], sigmas[0], width, size + 1)
        bells(along, x, emitters[at + 1], sigmas[1], width, size + 1)
        image(slopes, own, along, step, x, shape, 0, size, width, -photons / sigmas[0])
        image(slopes, own + pixels, along, 0, x + step, shape, 0, size, width, -photons / sigmas[1])
        image(slopes, own + 2 * pixels, along, 0, x, shape, 0, size, width, 1.0)
    for pixel in range(pixels):
        slopes[3 * members * pixels + pixel] = 1.0
    return 0


@Native
def shone(
    light: Float32s,
    into: Int64s,
    emitters: Float64s,
    count: int,
    width: int,
    sigmas: Float64s,
    shape: Float64s,
    size: int,
    along: Float64s,
    picture: Float64s,
) -> int:
    """Emitters' light added, each to the window that `into` names."""
    for one in range(count):
        bells(along, 0, emitters[3 * one], sigmas[0], width, size)
        bells(along, size * (width + 1), emitters[3 * one + 1], sigmas[1], width, size)
        photons = emitters[3 * one + 2]
        image(picture, 0, along, 0, size * (width + 1), shape, 0, size, width, photons)
        start = into[one] * width * width
        for pixel in range(width * width):
            light[start + pixel] += picture[pixel]
    return 0


@Native
def painted(
    light: Float32s,
    height: int,
    breadth: int,
    emitters: Float64s,
    count: int,
    width: int,
    sigmas: Float64s,
    shape: Float64s,
    size: int,
    along: Float64s,
    picture: Float64s,
) -> int:
    """Emitters' light added to a whole frame, each as far as a window reaches."""
    for one in range(count):
        row = int(emitters[3 * one] + 0.5)
        column = int(emitters[3 * one + 1] + 0.5)
        bells(along, 0, emitters[3 * one] - row, sigmas[0], width, size)
        across = size * (width + 1)
        bells(along, across, emitters[3 * one + 1] - column, sigmas[1], width, size)
        image(picture, 0, along, 0, across, shape, 0, size, width, emitters[3 * one + 2])
        top = row - width // 2
        left = column - width // 2
        for y in range(max(-top, 0), min(height - top, width)):
            for x in range(max(-left, 0), min(breadth - left, width)):
                light[(top + y) * breadth + left + x] += picture[y * width + x]
    return 0
