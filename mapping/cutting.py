"""Windows cut out of frames: a native loop."""

from optics.native import Float32s, Int64s, Native, UInt8s

LEAST_COUNTS = 1e-3


@Native
def cuts(
    counts: Float32s,
    ground: Float32s,
    good: UInt8s,
    photons: Float32s,
    level: Float32s,
    noise: Float32s,
    bad: UInt8s,
    height: int,
    width: int,
    frame: Int64s,
    row: Int64s,
    column: Int64s,
    count: int,
    half: int,
) -> int:
    """Photons and ground with the variance of the noise added to both, which makes them Poisson;
    only a disc is good, since in the corners there is little to learn but of neighbours."""
    into = 0
    for one in range(count):
        for y in range(row[one] - half, row[one] + half + 1):
            for x in range(column[one] - half, column[one] + half + 1):
                counts[into] = 1.0
                ground[into] = 1.0
                if (y >= 0) & (y < height) & (x >= 0) & (x < width):
                    pixel = y * width + x
                    at = frame[one] * height * width + pixel
                    counts[into] = max(photons[at] + noise[pixel], LEAST_COUNTS)
                    ground[into] = level[at] + noise[pixel]
                    away = (y - row[one]) * (y - row[one]) + (x - column[one]) * (x - column[one])
                    if away <= half * half + half:
                        good[into] = 1 - bad[at]
                into += 1
    return 0
