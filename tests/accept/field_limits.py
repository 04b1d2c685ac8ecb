"""What a field allows at best: how much it tells of its true pose, and how well places follow.

Both know the true pairs and the true shape of the bend; nothing here is shared with the solver.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.accept.field_maker import Floats, Kind, Trial

SCALE_SD, SHEAR_SD, EXPONENT_SD = 0.02 / math.sqrt(3), 0.01 / math.sqrt(3), 0.5 / math.sqrt(12)
BEND_SD = 0.01 / math.sqrt(3)  # of the width of the field
FLAT = 3  # shift and turn
STEP = 1e-4


TURNS_OF_A_SQUARE = 4


class Limit(NamedTuple):
    """The log Bayes factor of the true pose, and every site's best place.

    It is against chance, or, where that is likelier, against another chip with the same lattice.
    """

    nats: float
    at_um: Floats


class Known(NamedTuple):
    """True pairs under the true model of the pose, linear about the truth."""

    design: Floats
    prior_sd: Floats
    sites: NDArray[np.intp]
    seen_um: Floats
    seen_variance: Floats

    def fitted(self, laid_um: Floats, own_sd: Floats) -> tuple[Floats, float]:
        """The values of the pose, and the log likelihood with all of them integrated out."""
        variance = own_sd[self.sites] ** 2 + self.seen_variance
        design = self.design[self.sites] / np.sqrt(variance)[:, None, None]
        weighted = design.reshape(-1, design.shape[2])
        aim = ((self.seen_um - laid_um[self.sites]) / np.sqrt(variance)[:, None]).ravel()
        tight = np.append(np.full(FLAT, 1e-12), self.prior_sd**-2)
        normal = weighted.T @ weighted + np.diag(tight)
        values = np.linalg.solve(normal, weighted.T @ aim).astype(np.float64)
        log_like = -0.5 * float(aim @ aim - values @ normal @ values)
        log_like -= float(np.log(2 * math.pi * variance).sum() + np.log(self.prior_sd).sum())
        log_like -= 0.5 * float(np.linalg.slogdet(normal)[1]) - 0.5 * FLAT * math.log(2 * math.pi)
        return values, log_like - math.log(2 * math.pi)


def limit_of(made: Trial, kind: Kind) -> Limit:
    """From the spots of sites that are seen, each with the site it truly is."""
    own, seen, observed = sigmas(made)
    sites = np.array([int(name[1:]) for name in made.seen], np.intp)
    spots = np.array(list(made.seen.values()), np.intp)
    design = _design(made, kind)
    known = Known(design, _prior_sd(kind), sites, observed[spots], seen[spots] ** 2)
    values, log_like = known.fitted(made.laid_um, own)
    at = made.laid_um + design @ values
    share = own[sites] ** 2 / (own[sites] ** 2 + known.seen_variance)
    at[sites] += share[:, None] * (known.seen_um - at[sites])
    area = float(np.prod(np.maximum(np.ptp(made.laid_um, axis=0), kind.field_um)))
    nats = log_like - math.log(area) + len(sites) * 2 * math.log(kind.field_um)
    nats += _counting(made, kind, len(sites), len(observed))
    return Limit(min(nats, _over_lattice(made, kind, known, log_like - math.log(area))), at)


def _over_lattice(made: Trial, kind: Kind, known: Known, log_true: float) -> float:
    """Nats above the same spots on ideal nodes, each scattered as placement scatters them."""
    if not len(made.nodes_um):
        return math.inf
    spread = np.full(len(made.nodes_um), max(kind.placement_um, 1e-3))
    alike = known.fitted(made.nodes_um, spread)[1]
    return log_true - alike + math.log(kind.pitch_um**2 / TURNS_OF_A_SQUARE)


def sigmas(made: Trial) -> tuple[Floats, Floats, Floats]:
    """Of all stored points, marks first, and of the spots; and where the spots are."""
    marks = len(made.map_json.get("fiducials", []))
    rows = made.map_json["sites"]
    named = np.array([row["sigma"] for row in rows])
    own = np.concatenate([np.full(marks, named.min()), named])
    spots = made.obs_json["spots"]
    at = np.array([(spot["x"], spot["y"]) for spot in spots]).reshape(-1, 2)
    return own, np.array([spot["sigma"] for spot in spots]), at


def _design(made: Trial, kind: Kind) -> Floats:
    """(n, 2, 9): by what shift, turn, scale, shear and bend move each place."""
    x, y = made.sites_um.T
    one, nil = np.ones_like(x), np.zeros_like(x)
    straight = made.sites_um + kind.field_um / 2
    shape = made.bend.shape(straight)
    steeper = made.bend._replace(exponent=made.bend.exponent + STEP).shape(straight)
    steeper = made.bend.amplitudes_um * (steeper - shape) / STEP
    along_x = [one, nil, -y, x, x, y, shape[:, 0], nil, steeper[:, 0]]
    along_y = [nil, one, x, y, -y, x, nil, shape[:, 1], steeper[:, 1]]
    return np.stack([np.array(along_x).T, np.array(along_y).T], axis=1)


def _prior_sd(kind: Kind) -> NDArray[np.float64]:
    bend = BEND_SD * kind.field_um
    half = SHEAR_SD / 2 / math.sqrt(2)  # a shear is half a turn, and half a stretch along any line
    return np.array([SCALE_SD, half, half, bend, bend, EXPONENT_SD])


def _counting(made: Trial, kind: Kind, matched: int, seen: int) -> float:
    """Which sites show and which spots are theirs; share and rate integrated."""
    half = kind.field_um / 2
    in_view = max(int((np.abs(made.sites_um) < half).all(axis=1).sum()), matched)
    strays = seen - matched
    shows = math.lgamma(matched + 1) + math.lgamma(in_view - matched + 1) - math.lgamma(in_view + 2)
    return shows + math.lgamma(strays + 1) - math.lgamma(seen + 1)
