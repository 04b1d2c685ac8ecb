"""OpenCV's RANSAC as registration: beside ours on the same fields, and given our first guesses.

A match is believed with six inliers within 0.3 um, and two fifths of the spots: fewer make it wrong
more often, more make it miss more.
"""

import cv2
import numpy as np

from mapping.field import field_of
from mapping.grid import Floats
from mapping.hypotheses import guesses
from mapping.register import Points, site_grid

TOLERANCE_UM = 0.3
NEAR_UM = 2.0
LEAST_INLIERS, LEAST_SHARE = 6, 0.4
GUESSES = 40


def ransac(stored: Points, seen: Points) -> Floats | None:
    """Every site's place by the affine map with most inliers, if they are enough."""
    if min(len(stored.at_um), len(seen.at_um)) < LEAST_INLIERS:
        return None
    field = field_of(*seen)
    sites = site_grid(stored, field)
    best, matrix = 0, None
    for batch in guesses(sites, field):
        for three, spots in list(zip(batch.sites, batch.spots, strict=True))[:GUESSES]:
            count, found = _refined(stored, seen, three, spots)
            if count > best:
                best, matrix = count, found
        if _enough(best, seen):
            break
    if matrix is None or not _enough(best, seen):
        return None
    placed: Floats = stored.at_um @ matrix[:, :2].T + matrix[:, 2]
    return placed


def _enough(inliers: int, seen: Points) -> bool:
    return inliers >= max(LEAST_INLIERS, LEAST_SHARE * len(seen.at_um))


def _refined(stored: Points, seen: Points, sites: Floats, spots: Floats) -> tuple[int, Floats]:
    """Each spot with its nearest site under a guess, sorted out by RANSAC."""
    guess = cv2.getAffineTransform(
        seen.at_um[spots].astype(np.float32), stored.at_um[sites].astype(np.float32)
    )
    on_map = seen.at_um @ guess[:, :2].T + guess[:, 2]
    apart = np.linalg.norm(on_map[:, None] - stored.at_um, axis=2)
    nearest, near = apart.argmin(axis=1), apart.min(axis=1) < NEAR_UM
    if near.sum() < LEAST_INLIERS:
        return 0, np.empty((0, 0))
    matrix, kept = cv2.estimateAffine2D(
        stored.at_um[nearest[near]], seen.at_um[near], ransacReprojThreshold=TOLERANCE_UM
    )
    if matrix is None:
        return 0, np.empty((0, 0))
    return len(np.unique(nearest[near][np.ravel(kept) > 0])), matrix
