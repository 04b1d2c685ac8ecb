"""Pixels of a frame that stand out, one after another: native loops."""

from optics.native import Float32s, Float64s, Int64s, Native, UInt8s


@Native
def summits(
    found: Int64s, image: Float32s, height: int, width: int, bright: Int64s, count: int, reach: int
) -> int:
    """Which of the bright pixels nothing around outshines; answers how many."""
    many = 0
    for one in range(count):
        row = bright[one] // width
        column = bright[one] - row * width
        own = image[bright[one]]
        higher = 0
        for y in range(max(row - reach, 0), min(row + reach + 1, height)):
            for x in range(max(column - reach, 0), min(column + reach + 1, width)):
                if image[y * width + x] > own:
                    higher = 1
        if higher == 0:
            found[many] = bright[one]
            many += 1
    return many


@Native
def sharp(
    lying: UInt8s,
    photons: Float32s,
    noise: Float32s,
    height: int,
    width: int,
    bright: Int64s,
    count: int,
    level: Float32s,
    down: int,
    right: int,
    sharp_sd: float,
    steps: Int64s,
    shares: Float64s,
    kinds: int,
    brighter: int,
) -> int:
    """Pixels in the bright ones of (down, right) bins whose neighbours are too dark."""
    for one in range(count):
        bin_y = bright[one] // right
        bin_x = bright[one] - bin_y * right
        ground = float(level[bright[one]])
        for y in range(
            max(bin_y * height // down, 1), min((bin_y + 1) * height // down, height - 1)
        ):
            left = max(bin_x * width // right, 1)
            for x in range(left, min((bin_x + 1) * width // right, width - 1)):
                at = y * width + x
                lying[at] = _too_sharp(
                    photons, noise, at, ground, sharp_sd, steps, shares, kinds, brighter
                )
    return 0


@Native
def _too_sharp(
    photons: Float32s,
    noise: Float32s,
    pixel: int,
    level: float,
    sharp_sd: float,
    steps: Int64s,
    shares: Float64s,
    kinds: int,
    brighter: int,
) -> int:
    """Whether two opposite neighbours have less than their least share of a pixel's light in the
    mean; of the first so many kinds the brighter of both counts alone."""
    light = photons[pixel] - level
    own = level + noise[pixel]
    wrong = 0
    if (light > 0.0) & (light * light > sharp_sd * sharp_sd * own):
        for kind in range(kinds):
            expected = shares[kind]
            step = steps[kind]
            one = photons[pixel + step] - level
            other = photons[pixel - step] - level
            beside = (one + other) / 2
            if kind < brighter:
                beside = max(one, other)
            spread = 2 * level + noise[pixel + step] + noise[pixel - step] + 2 * expected * light
            variance = spread / 4 + expected * expected * (light + own)
            left = beside - expected * light
            if (left < 0.0) & (left * left > sharp_sd * sharp_sd * variance):
                wrong = 1
    return wrong
