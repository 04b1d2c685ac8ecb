"""Samples of an image along lines through some of its pixels: native loops."""

from optics.native import Float32s, Float64s, Int64s, Native

MAY_LACK, NEXT = 2, 3  # samples on either side that may show less; nearest ones
EVEN_SHARE = 0.5  # of the middle sample, that the low one has but for its noise
QUANTILE = 7  # lowest of twenty samples: darker ones, so that emitters on the line do not count
NOISE_SD = 1.0  # of a sample


@Native
def sample(
    image: Float32s, height: int, width: int, row: int, column: int, down: int, right: int
) -> float:
    """Of the image so far from a pixel; beyond the border that opposite."""
    y = row + down
    x = column + right
    if (y < 0) | (y >= height) | (x < 0) | (x >= width):
        y = min(max(row - down, 0), height - 1)
        x = min(max(column - right, 0), width - 1)
    return float(image[y * width + x])


@Native
def _placed(ranked: Float64s, count: int, value: float) -> int:
    """One more number put in its place among so many in order."""
    ranked[count] = value
    at = count
    while at > 0:
        if ranked[at - 1] > value:
            ranked[at] = ranked[at - 1]
            ranked[at - 1] = value
            at -= 1
        else:
            at = 0
    return 0


@Native
def levels(
    there: Float64s,
    image: Float32s,
    height: int,
    width: int,
    row: Int64s,
    column: Int64s,
    count: int,
    down: Int64s,
    right: Int64s,
    directions: int,
    samples: int,
    least: float,
    ranked: Float64s,
) -> int:
    """Of every pixel what is in each direction nearly everywhere on both sides, if enough."""
    for one in range(count):
        y = row[one]
        x = column[one]
        for direction in range(directions):
            near = direction * 2 * samples
            far = near + samples
            level = _nearby(image, height, width, y, x, down, right, near)
            if level > least:
                level = min(level, _nearby(image, height, width, y, x, down, right, far))
            if level > least:
                lasting = _lasting(image, height, width, y, x, down, right, near, samples, ranked)
                level = min(level, lasting)
            if level > least:
                lasting = _lasting(image, height, width, y, x, down, right, far, samples, ranked)
                level = min(level, lasting)
            if level > least:
                there[one * directions + direction] = level
    return 0


@Native
def _nearby(
    image: Float32s,
    height: int,
    width: int,
    row: int,
    column: int,
    down: Int64s,
    right: Int64s,
    first: int,
) -> float:
    """The mean of the samples next to the pixel."""
    total = 0.0
    for i in range(first, first + NEXT):
        total += sample(image, height, width, row, column, down[i], right[i])
    return total / NEXT


@Native
def _lasting(
    image: Float32s,
    height: int,
    width: int,
    row: int,
    column: int,
    down: Int64s,
    right: Int64s,
    first: int,
    samples: int,
    ranked: Float64s,
) -> float:
    """What nearly all samples of a side have. A line is even; a row of emitters is not, and counts
    as nothing."""
    for i in range(samples):
        value = sample(image, height, width, row, column, down[first + i], right[first + i])
        _placed(ranked, i, value)
    low = ranked[MAY_LACK]
    if low < EVEN_SHARE * ranked[samples // 2] - NOISE_SD:
        low = 0.0
    return float(low)


@Native
def raised(
    light: Float32s,
    total: Float32s,
    excess: Float32s,
    sd: Float32s,
    height: int,
    width: int,
    row: Int64s,
    column: Int64s,
    best: Int64s,
    count: int,
    down: Int64s,
    right: Int64s,
    samples: int,
    bell: Float64s,
    half: int,
    below_sd: float,
    ranked: Float64s,
) -> int:
    """Around every pixel, what lies along its direction through each pixel of a square, weighed by
    a bell: where lines cross only those next to the crossing know both."""
    for one in range(count):
        first = best[one] * 2 * samples
        for y in range(max(row[one] - half, 0), min(row[one] + half + 1, height)):
            for x in range(max(column[one] - half, 0), min(column[one] + half + 1, width)):
                for i in range(2 * samples):
                    value = sample(excess, height, width, y, x, down[first + i], right[first + i])
                    _placed(ranked, i, value)
                at = y * width + x
                weight = bell[y - row[one] + half] * bell[x - column[one] + half]
                light[at] += weight * max(ranked[QUANTILE] + below_sd * sd[at], 0.0)
                total[at] += weight
    return 0
