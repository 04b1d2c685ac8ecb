"""What a user should know of a spot beyond its figures, and of pixels that no light made."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from mapping.crowd import Places
from mapping.measure import Measured
from mapping.verdict import groups
from optics.psf import Psf
from optics.quantities import PixelPoint

if TYPE_CHECKING:
    from mapping.localise import Rejected

Flags = NDArray[np.bool_]

EDGE_SIGMAS = 2.0
CORE_SIGMAS = 1.5
NEIGHBOUR_SIGMAS = 4.0
FOCUS_SD = 3.0


def flags(seen: Measured, psf: Psf, shape: tuple[int, int]) -> list[tuple[str, ...]]:
    """Per spot: edge, neighbour, out of focus; empty where there is nothing to say."""
    places = seen.places
    reach = EDGE_SIGMAS * psf.sigma
    edge = (places.x < reach) | (places.x > shape[1] - 1 - reach)
    edge |= (places.y < reach) | (places.y > shape[0] - 1 - reach)
    _, size = groups(seen.places, psf, NEIGHBOUR_SIGMAS)
    wider = seen.form[:, 0] + seen.form[:, 1]
    spread = seen.form_covariance
    sd = np.sqrt(spread[:, 0, 0] + spread[:, 1, 1] + 2 * spread[:, 0, 1])
    names = ("edge", "neighbour", "out of focus")
    told = zip(edge, size > 1, wider > FOCUS_SD * sd, strict=True)
    return [tuple(name for name, so in zip(names, row, strict=True) if so) for row in told]


def saturated(full: Flags, places: Places, psf: Psf) -> Flags:
    """Spots with a pixel in their core that holds all it can."""
    told = np.zeros(len(places.y), bool)
    frame = np.flatnonzero(full.any(axis=(1, 2)))
    if not len(frame):
        return told
    reach = CORE_SIGMAS * psf.sigma
    height, width = full.shape[1:]
    near = np.zeros(full.shape, np.uint8)
    size = 2 * round(reach) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    for number in frame:
        near[number] = cv2.dilate(full[number].astype(np.uint8), disc)
    y = np.clip(np.rint(places.y), 0, height - 1).astype(np.int64)
    x = np.clip(np.rint(places.x), 0, width - 1).astype(np.int64)
    return np.asarray(near[places.frame, y, x] > 0)


def lying_spots(lying: Flags) -> list["Rejected"]:
    """Single pixels are hot, several together are a particle's track."""
    from mapping.localise import Rejected

    if not lying.any():
        return []
    count, _, stats, middle = cv2.connectedComponentsWithStats(lying.astype(np.uint8))
    return [
        Rejected(
            PixelPoint(float(middle[i, 0]), float(middle[i, 1])),
            "hot pixel" if stats[i, cv2.CC_STAT_AREA] == 1 else "particle hit",
        )
        for i in range(1, count)
    ]
