"""What the fits of windows leave over, and what they gain: native loops."""

import math

from optics.native import Float32s, Float64s, Int64s, Native, UInt8s

LEAST_SHARE = 0.05  # of the ground, that any model keeps
LEAST = 1e-12
ROUNDS = 2


@Native
def highest(
    best: Int64s,
    height: Float64s,
    photons: Float64s,
    counts: Float32s,
    ground: Float32s,
    good: UInt8s,
    model: Float32s,
    emitters: Float64s,
    count: int,
    members: int,
    width: int,
    bands: Float64s,
    share: float,
    reach_px: float,
    weight: Float64s,
    off: Float64s,
    across: Float64s,
    known: Float64s,
) -> int:
    """Per window the pixel around its emitter where one more would be most significant, how much
    that is, and its photons. `bands` is the point image along y and x about every pixel."""
    pixels = width * width
    for one in range(count):
        start = one * pixels
        for pixel in range(pixels):
            own = share * (model[start + pixel] - ground[start + pixel])
            weight[pixel] = good[start + pixel] / (model[start + pixel] + own * own)
            off[pixel] = weight[pixel] * (counts[start + pixel] - model[start + pixel])
        _along_x(across, known, off, weight, bands, width)
        height[one] = 0.0
        best[one] = 0
        for row in range(width):
            far_y = row - width // 2 - emitters[3 * one * members]
            for column in range(width):
                far_x = column - width // 2 - emitters[3 * one * members + 1]
                if far_y * far_y + far_x * far_x <= reach_px * reach_px:
                    score = 0.0
                    information = LEAST
                    for i in range(width):
                        bell = bands[row * width + i]
                        score += bell * across[column * width + i]
                        information += bell * bell * known[column * width + i]
                    if (score > 0.0) & (score * score > height[one] * height[one] * information):
                        height[one] = score / math.sqrt(information)
                        photons[one] = score / information
                        best[one] = row * width + column
    return 0


@Native
def _along_x(
    across: Float64s, known: Float64s, off: Float64s, weight: Float64s, bands: Float64s, width: int
) -> int:
    for column in range(width):
        first = (width + column) * width
        for row in range(width):
            score = 0.0
            information = 0.0
            for i in range(width):
                bell = bands[first + i]
                score += bell * off[row * width + i]
                information += bell * bell * weight[row * width + i]
            across[column * width + row] = score
            known[column * width + row] = information
    return 0


@Native
def gains(
    gained: Float64s,
    counts: Float32s,
    ground: Float32s,
    good: UInt8s,
    model: Float32s,
    slopes: Float32s,
    emitters: Float64s,
    count: int,
    members: int,
    pixels: int,
    dark: Float64s,
) -> int:
    """Twice the log likelihood that each window's first emitter gains, against light everywhere
    in its place."""
    for one in range(count):
        start = one * pixels
        unit = one * (3 * members + 1) * pixels + 2 * pixels
        photons = emitters[3 * one * members + 2]
        for pixel in range(pixels):
            dark[pixel] = model[start + pixel] - photons * slopes[unit + pixel]
        shift = 0.0
        for _ in range(ROUNDS):
            off = 0.0
            known = LEAST
            for pixel in range(pixels):
                now = max(dark[pixel] + shift, LEAST_SHARE * ground[start + pixel])
                ratio = good[start + pixel] * counts[start + pixel] / now
                off += ratio - good[start + pixel]
                known += ratio / now
            shift += off / known
        total = 0.0
        for pixel in range(pixels):
            if good[start + pixel] == 1:
                now = max(dark[pixel] + shift, LEAST_SHARE * ground[start + pixel])
                total += counts[start + pixel] * math.log(model[start + pixel] / now)
                total -= model[start + pixel] - now
        gained[one] = 2 * total
    return 0
