"""What drivers ask of any answer before they believe it, and of any wish before they send it."""

import math
from collections.abc import Iterable

from optics.faults import DeviceGarbled, OutOfReach


def finite(device: str, texts: Iterable[bytes]) -> list[float]:
    """The numbers that the texts are; DeviceGarbled when one is none, or not finite."""
    texts = list(texts)
    try:
        numbers = [float(text) for text in texts]
    except ValueError as err:
        raise DeviceGarbled(device, f"expected numbers, got {texts!r}") from err
    if not all(map(math.isfinite, numbers)):
        raise DeviceGarbled(device, f"expected finite numbers, got {texts!r}")
    return numbers


def in_reach(device: str, wish: float, limits: tuple[float, float], unit: str) -> None:
    """OutOfReach when the wish lies outside the limits, or is no number."""
    low, high = limits
    if not low <= wish <= high:
        raise OutOfReach(device, f"{wish:g} {unit} lies outside {low:g} to {high:g} {unit}")
