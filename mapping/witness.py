"""What was observed, in the terms in which a loss is judged."""

import math
from collections.abc import Sequence

from mapping.causes import Around, Counted, Framed, Usual
from mapping.outlook import outlook
from mapping.peak import Peak
from mapping.scan import Centred
from mapping.sight import WideSpot
from mapping.tremor import tremor
from optics.quantities import CountGate, StagePoint


def usual(
    channels_cps: tuple[float, float], ground_cps: float, saturation: float, flicker: float
) -> Usual:
    """From what both detectors counted, and the ground of both together."""
    total = sum(channels_cps)
    shares = [cps / total if total else 0.5 for cps in channels_cps]
    grounds = [min(ground_cps, total) * share for share in shares]
    a, b = (cps - ground for cps, ground in zip(channels_cps, grounds, strict=True))
    return Usual((a, b), (grounds[0], grounds[1]), saturation, flicker)


def counted(gates: Sequence[CountGate], age_s: float, *, lit: bool = True) -> Counted:
    """Of gates that followed each other."""
    a = sum(gate.clicks[0] for gate in gates)
    b = sum(gate.clicks[1] for gate in gates)
    counted_s = sum(gate.counted_s for gate in gates)
    if not lit:
        return Counted(age_s, (a, b), counted_s, lit=False)
    found = tremor([sum(gate.clicks) for gate in gates])
    return Counted(age_s, (a, b), counted_s, True, found.scatter, len(gates), found.beat)


def framed(
    spots: Sequence[WideSpot],
    known: tuple[StagePoint, Sequence[StagePoint]],
    stands: StagePoint,
    age_s: float,
) -> Framed:
    """`known` are the emitter and its neighbours, as they lay before."""
    found = outlook(spots, *known)
    if found.moved_um is None:
        return Framed(age_s, None, None)
    x, y = (k + m - s for k, m, s in zip(known[0][:2], found.moved_um, stands[:2], strict=True))
    return Framed(age_s, math.hypot(x, y), found.own, (x, y))


def searched(found: Centred, before: Peak, age_s: float) -> Around:
    """The peak of a search, beside the one that was lost."""
    if found.doubt:
        return Around(age_s, found=False)
    side_um = math.dist(found.peak.at[:2], before.at[:2])
    depth_um = abs(found.peak.at.z_um - before.at.z_um)
    widths = depth_um * before.response.side_um / before.response.depth_um  # as so far aside
    ground = found.peak.ground_cps / before.ground_cps if before.ground_cps else 1.0
    height = found.peak.height_cps / before.height_cps
    return Around(age_s, True, math.hypot(side_um, widths), height, ground)
