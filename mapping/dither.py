"""Around the place where it is thought to be: how far to step aside, in which order, how long."""

import math

Three = tuple[float, float, float]

CORNERS: tuple[Three, ...] = (
    (1, 1, 1),
    (1, -1, -1),
    (-1, -1, 1),
    (-1, 1, -1),
    (-1, -1, -1),
    (-1, 1, 1),
    (1, 1, -1),
    (1, -1, 1),
)
"""Two tetrahedra in turn: in each the three axes and the mean are told apart by four places; the
second, the first's mirror image, takes out what an oblique response mixes into them."""

LEAST_UM = 3e-4  # what an analogue input resolves
WIDEST = 0.35  # of a width
DOUBTED = 0.5  # of what is not known of the place
STEPS_PER_MEMORY = 32.0
SHORTEST_S, LONGEST_S = 0.1, 2.0


def best_um(width_um: float, sigma_um: float, rate_cps: float, walk_um2_per_s: float) -> float:
    """The amplitude that loses least in the long run, or more while the place is in doubt."""
    settled = math.cbrt(width_um**2 * math.sqrt(walk_um2_per_s / rate_cps) / 2)
    return min(max(settled, DOUBTED * sigma_um, LEAST_UM), WIDEST * width_um)


def least_loss(width_um: float, rate_cps: float, walk_um2_per_s: float) -> float:
    """Share of photons lost along one axis when the amplitude is best."""
    noise = width_um**2 * math.sqrt(walk_um2_per_s / rate_cps)
    amplitude = math.cbrt(noise / 2)
    return (amplitude**2 + noise / amplitude) / (2 * width_um**2)


def memory_s(width_um: float, amplitude_um: float, rate_cps: float, walk_um2_per_s: float) -> float:
    """How long counts are remembered in an estimate of the place."""
    return width_um**2 / (amplitude_um * math.sqrt(rate_cps * walk_um2_per_s))


def dwell_s(memory_s: float) -> float:
    """At each corner."""
    return min(max(memory_s / STEPS_PER_MEMORY, SHORTEST_S), LONGEST_S)
