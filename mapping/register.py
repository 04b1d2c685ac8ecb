"""Where the stored sites are now: ChipPose from spots against the map, or NoMatch with the reason.

A pose is believed only where everything else that could have made the field is improbable: chance,
another place on the same map, and, for a periodic map, another chip with the same lattice.
"""

import math
from typing import NamedTuple

import numpy as np

from mapping.evidence import Stored, Verdict, grown
from mapping.field import Field, field_of
from mapping.grid import Floats, Grid, Ints
from mapping.hypotheses import Guesses, guesses
from mapping.lattice import Lattice, lattice_of
from mapping.lattice_search import ideal_fit, places
from mapping.pose_fit import HYSTERESIS, affine_of, fitted, frame_of, ground_of

BELIEVED = 1e-3  # of being false; the odds of a field that holds about seven nats
CERTAIN_NATS = 22.0  # beyond this no further guesses are made
LEAST_P_FALSE = 1e-9  # nothing measured is surer than the model it rests on
PAIRS_NEEDED = 4
TOO_FEW = f"fewer than {PAIRS_NEEDED} spots or sites cannot prove a place"
SAME_SD = 3.5  # of both; two entries of one emitter lie farther apart once in 500
LIKE = 0.7  # another place explaining this share of the pairs explains the field as well
BAD_FIT_SD = 5.0
CHANCE = "the likeness is no better than chance can make it"
TRIES = 400  # of a batch, over the number of spots
LEAST_TRIES, MOST_TRIES = 2, 12


class Points(NamedTuple):
    """Places in one plane with their standard deviations per axis."""

    at_um: Floats
    sigma_um: Floats


class ChipPose(NamedTuple):
    """Where the chip lies: the pairs, the transform, every site's place now, and the risk."""

    affine: Floats
    pairs: list[tuple[int, int]]
    p_false: float
    at_um: Floats
    sigma_um: Floats
    log_factor: float


class NoMatch(NamedTuple):
    """No pose can be trusted."""

    why: str
    p_false: float


def registered(stored: Points, spots: Points) -> ChipPose | NoMatch:
    """The one pose that explains the spots by the stored points, or why there is none."""
    if len(spots.at_um) < PAIRS_NEEDED or len(stored.at_um) < PAIRS_NEEDED:
        return NoMatch(TOO_FEW, 1.0)
    kept, shown = _told_apart(stored), _told_apart(spots)
    if len(kept) < PAIRS_NEEDED or len(shown) < PAIRS_NEEDED:
        return NoMatch(TOO_FEW, 1.0)
    field = field_of(*_of(spots, shown))
    sites = site_grid(_of(stored, kept), field)
    lattice = lattice_of(sites.at_um)
    found, rival = _on_lattice(lattice, sites, field) if lattice else (_search(sites, field), 0.0)
    if not found:
        return NoMatch("nothing stored looks like this field", 1.0)
    named = [one._replace(sites=kept[one.sites], spots=shown[one.spots]) for one in found]
    return _decided(named, rival, stored, spots)


def _told_apart(points: Points) -> Ints:
    """One for each emitter: of several that their errors cannot tell apart, the best known."""
    order = np.argsort(points.sigma_um, kind="stable")
    at, sigma = points.at_um[order], points.sigma_um[order]
    reach = np.full(len(at), SAME_SD * math.sqrt(2) * float(np.median(sigma)))
    cell = math.sqrt(float(np.maximum(np.ptp(at, axis=0), 1e-3).prod()) / len(at))
    one, other = Grid(at, max(cell, float(reach[0]))).near(at, reach)
    apart = np.linalg.norm(at[one] - at[other], axis=1)
    worse = (other < one) & (apart < SAME_SD * np.hypot(sigma[one], sigma[other]))
    kept: Ints = np.sort(np.delete(order, one[worse]))
    return kept


def _of(points: Points, which: Ints) -> Points:
    return Points(points.at_um[which], points.sigma_um[which])


def site_grid(stored: Points, field: Field) -> Stored:
    """The sites, and the area over which such a field may lie."""
    extent = np.maximum(np.ptp(stored.at_um, axis=0), field.half_um)
    cell = math.sqrt(float(extent.prod()) / len(stored.at_um))
    grid = Grid(stored.at_um, cell)
    return Stored(stored.at_um, stored.sigma_um, math.log(float(extent.prod())), grid)


def _on_lattice(lattice: Lattice, stored: Stored, field: Field) -> tuple[list[Verdict], float]:
    """Poses on a periodic map, and the log factor of another chip with the same lattice."""
    laid = ideal_fit(lattice, field)
    if laid is None:
        return [], 0.0
    rival, top = max(laid[0].log_factor, 0.0), 0.0
    found: list[Verdict] = []
    for rating, sites, spots in places(lattice, stored, field, *laid):
        top = max(top, rating)
        certain = bool(found) and found[0].log_factor > rival + CERTAIN_NATS
        if certain and rating < LIKE * top:
            break
        if any(_holds(other, sites, spots) for other in found):
            continue
        verdict = _tried(stored, field, sites, spots)
        if verdict:
            found = sorted(_with(found, verdict), key=lambda one: -one.log_factor)
    return found, rival


def _search(stored: Stored, field: Field) -> list[Verdict]:
    """Different poses, the best first."""
    found: list[Verdict] = []
    for batch in guesses(stored, field):
        found = _grown_from(batch, found, stored, field)
        if found and found[0].log_factor > CERTAIN_NATS:
            break
    return found


def _with(found: list[Verdict], verdict: Verdict) -> list[Verdict]:
    """Of two descriptions of one place only the likelier is kept."""
    same = [other for other in found if _same(verdict, other)]
    if any(other.log_factor >= verdict.log_factor for other in same):
        return found
    return [other for other in found if all(other is not one for one in same)] + [verdict]


def _grown_from(
    batch: Guesses, found: list[Verdict], stored: Stored, field: Field
) -> list[Verdict]:
    """The best few are followed, and of the others those that could show a place as good."""
    top, tries = batch.score.max(initial=0.0), 0
    patience = min(max(TRIES // len(field.at_um), LEAST_TRIES), MOST_TRIES)
    for sites, spots, score in zip(*batch, strict=True):
        certain = bool(found) and found[0].log_factor > CERTAIN_NATS
        if tries >= patience and not (certain and score > LIKE * top):
            break
        if any(_holds(v, sites, spots) for v in found):
            continue
        tries += 1
        verdict = _tried(stored, field, sites, spots)
        if verdict:
            found = sorted(_with(found, verdict), key=lambda one: -one.log_factor)
    return found


def _holds(verdict: Verdict, sites: Ints, spots: Ints) -> bool:
    """Whether the pose already rests on these pairs."""
    met = (verdict.sites[:, None] == sites) & (verdict.spots[:, None] == spots)
    return bool(met.any(axis=0).all())


def _tried(stored: Stored, field: Field, sites: Ints, spots: Ints) -> Verdict | None:
    at, seen = stored.at_um[sites], field.at_um[spots]
    frame = frame_of(at, seen, field.centre_um, field.half_um)
    sd = np.sqrt(stored.sigma_um[sites] ** 2 + field.sigma_um[spots] ** 2)
    return grown(stored, field, fitted(ground_of(frame, at), seen, sd, HYSTERESIS))


def _same(one: Verdict, other: Verdict) -> bool:
    """Two descriptions of one place agree on where the middle of the field is stored."""
    turn = one.fit.frame.turn_rad - other.fit.frame.turn_rad
    apart = one.fit.frame.origin_um - other.fit.frame.origin_um
    pairs = set(zip(one.sites.tolist(), one.spots.tolist(), strict=True))
    shared = pairs & set(zip(other.sites.tolist(), other.spots.tolist(), strict=True))
    near = math.hypot(*apart) < 0.05 * one.fit.frame.half_um and abs(math.sin(turn / 2)) < 0.05
    return near or len(shared) > len(pairs) / 2


def _decided(
    found: list[Verdict], rival: float, stored: Points, spots: Points
) -> ChipPose | NoMatch:
    """Believe the best pose, or say what speaks against it."""
    best, others = found[0], found[1:]
    factors = np.array([verdict.log_factor for verdict in found])
    against = float(np.logaddexp.reduce(np.append(factors[1:], rival)))
    p_false = max(1 / (1 + math.exp(min(best.log_factor - against, 700.0))), LEAST_P_FALSE)
    if any(_explains_as_well(other, best, rival) for other in others):
        return NoMatch("the field fits two places of the map", max(p_false, 0.5))
    if p_false > BELIEVED or len(best.sites) < PAIRS_NEEDED:
        why = "another chip with the same lattice looks like this" if rival > 0 else CHANCE
        return NoMatch(why, max(p_false, BELIEVED))
    if best.worst > BAD_FIT_SD:
        return NoMatch("the spots lie farther off than their sigmas allow", p_false)
    at, sigma = _places(best, stored, spots)
    pairs = list(zip(best.sites.tolist(), best.spots.tolist(), strict=True))
    return ChipPose(affine_of(best.fit), pairs, p_false, at, sigma, best.log_factor)


def _explains_as_well(other: Verdict, best: Verdict, rival: float) -> bool:
    """Trusted by itself, and with as good a fit: then luck decides between them."""
    alike = len(other.sites) >= LIKE * len(best.sites)
    return alike and other.worst < BAD_FIT_SD and other.log_factor - rival > -math.log(BELIEVED)


def _places(best: Verdict, stored: Points, spots: Points) -> tuple[Floats, Floats]:
    """Every site now: as predicted, and where its own spot was seen, fused with that."""
    at, covariance = best.fit.predicted(ground_of(best.fit.frame, stored.at_um))
    of_pose = covariance.trace(axis1=1, axis2=2) / 2
    own, seen = stored.sigma_um[best.sites] ** 2, spots.sigma_um[best.spots] ** 2
    weight = own / (own + seen)
    at[best.sites] += weight[:, None] * (spots.at_um[best.spots] - at[best.sites])
    variance = stored.sigma_um**2 + of_pose
    variance[best.sites] = own * (1 - weight) + (1 - weight) ** 2 * of_pose[best.sites]
    return at, np.sqrt(variance)
