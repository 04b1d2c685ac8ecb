"""The steps of a fit in one window after another: native loops."""

from mapping.algebra import inverse
from mapping.drawing import slopes_of
from optics.native import Float32s, Float64s, Native, UInt8s

STEP_PX, FEWER, MORE = 0.6, 0.4, 2.5  # of one iteration at most
LEAST_PHOTONS = 1e-3
LEAST_SHARE = 0.05  # of the ground, that any model keeps
LOWEST = -0.8  # extra light, as a share of the darkest ground
GAINED = 1e-3  # twice the gain in log likelihood that is not worth another step


@Native
def settled(
    counts: Float32s,
    ground: Float32s,
    good: UInt8s,
    emitters: Float64s,
    extra: Float64s,
    model: Float32s,
    slopes: Float32s,
    information: Float64s,
    extra_sd: Float64s,
    count: int,
    members: int,
    width: int,
    iterations: int,
    sigmas: Float64s,
    shape: Float64s,
    size: int,
    slope: Float64s,
    along: Float64s,
    light: Float64s,
    weight: Float64s,
    off: Float64s,
    matrix: Float64s,
    score: Float64s,
    step: Float64s,
    scale: Float64s,
) -> int:
    """Every window's emitters and extra light moved to where they are likeliest."""
    pixels = width * width
    unknowns = 3 * members + 1
    for one in range(count):
        start = one * pixels
        left = iterations
        while left >= 0:
            slopes_of(slope, along, emitters, one * members, members, width, sigmas, shape, size)
            _modelled(
                light, ground, start, pixels, slope, emitters, one * members, members, extra[one]
            )
            _weighed(weight, off, light, counts, good, start, pixels)
            _scored(matrix, score, slope, weight, off, unknowns, pixels)
            prior = 1 / (extra_sd[one] * extra_sd[one])
            matrix[unknowns * unknowns - 1] += prior
            score[unknowns - 1] -= extra[one] * prior
            if left == 0:
                _kept(information, one * unknowns * unknowns, matrix, unknowns * unknowns)
                left = -1
            else:
                left -= 1
                gained = _step(step, matrix, score, unknowns, scale)
                _moved(emitters, one * members, members, step)
                lowest = LOWEST * _darkest(ground, good, start, pixels)
                extra[one] = max(extra[one] + step[unknowns - 1], lowest)
                if gained < GAINED:
                    left = 0
        _put(model, start, light, pixels)
        _put(slopes, start * unknowns, slope, unknowns * pixels)
    return 0


@Native
def _modelled(
    light: Float64s,
    ground: Float32s,
    start: int,
    pixels: int,
    slope: Float64s,
    emitters: Float64s,
    first: int,
    members: int,
    extra: float,
) -> int:
    for pixel in range(pixels):
        light[pixel] = ground[start + pixel] + extra
    for member in range(members):
        photons = emitters[3 * (first + member) + 2]
        unit = (3 * member + 2) * pixels
        for pixel in range(pixels):
            light[pixel] += photons * slope[unit + pixel]
    for pixel in range(pixels):
        light[pixel] = max(light[pixel], LEAST_SHARE * ground[start + pixel])
    return 0


@Native
def _weighed(
    weight: Float64s,
    off: Float64s,
    light: Float64s,
    counts: Float32s,
    good: UInt8s,
    start: int,
    pixels: int,
) -> int:
    for pixel in range(pixels):
        weight[pixel] = good[start + pixel] / light[pixel]
        off[pixel] = weight[pixel] * counts[start + pixel] - good[start + pixel]
    return 0


@Native
def _scored(
    matrix: Float64s,
    score: Float64s,
    slope: Float64s,
    weight: Float64s,
    off: Float64s,
    unknowns: int,
    pixels: int,
) -> int:
    """Fisher's information and the score of all unknowns."""
    for i in range(unknowns):
        own = i * pixels
        total = 0.0
        for pixel in range(pixels):
            total += off[pixel] * slope[own + pixel]
        score[i] = total
        for j in range(i + 1):
            other = j * pixels
            total = 0.0
            for pixel in range(pixels):
                total += weight[pixel] * slope[own + pixel] * slope[other + pixel]
            matrix[i * unknowns + j] = total
            matrix[j * unknowns + i] = total
    return 0


@Native
def _step(
    step: Float64s, matrix: Float64s, score: Float64s, unknowns: int, scale: Float64s
) -> float:
    """Where the score leads, and twice what that gains in log likelihood."""
    inverse(matrix, 0, unknowns, scale)
    gained = 0.0
    for i in range(unknowns):
        total = 0.0
        for j in range(unknowns):
            total += matrix[i * unknowns + j] * score[j]
        step[i] = total
        gained += total * score[i]
    return gained


@Native
def _moved(emitters: Float64s, first: int, members: int, step: Float64s) -> int:
    for member in range(members):
        at = 3 * (first + member)
        for axis in range(2):
            emitters[at + axis] += min(max(step[3 * member + axis], -STEP_PX), STEP_PX)
        photons = emitters[at + 2]
        brighter = min(max(photons + step[3 * member + 2], FEWER * photons), MORE * photons)
        emitters[at + 2] = max(brighter, LEAST_PHOTONS)
    return 0


@Native
def _darkest(ground: Float32s, good: UInt8s, start: int, pixels: int) -> float:
    least = 1e30
    for pixel in range(pixels):
        if good[start + pixel] == 1:
            least = min(least, ground[start + pixel])
    return least


@Native
def _kept(into: Float64s, first: int, what: Float64s, count: int) -> int:
    for i in range(count):
        into[first + i] = what[i]
    return 0


@Native
def _put(into: Float32s, first: int, what: Float64s, count: int) -> int:
    for i in range(count):
        into[first + i] = what[i]
    return 0
