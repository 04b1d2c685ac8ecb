"""Randomness that depends on what is asked, not on when or in what order.

The same question gives the same answer, so the world needs no tick and two observers of
one instant agree. Mixing function: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
"""

import math

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def keyed_bits(*key: int) -> int:
    """64 bits that follow from the key alone."""
    state = 0
    for part in key:
        state = (state + (part & _MASK) + _GOLDEN) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def keyed_uniform(*key: int) -> float:
    """Evenly spread in [0, 1)."""
    return (keyed_bits(*key) >> 11) * 2.0**-53


def keyed_normal(*key: int) -> float:
    """Standard normal, by Box and Muller from two halves of one key."""
    bits = keyed_bits(*key)
    radius = math.sqrt(-2.0 * math.log(((bits >> 32) + 1) * 2.0**-32))
    return radius * math.cos(2.0 * math.pi * (bits & 0xFFFFFFFF) * 2.0**-32)
