"""How a stage and its fine offsets share the way to a place."""

import math

from optics.quantities import StagePoint

USED = 0.5  # of an offset's reach; what lies beyond is the stage's own to go
STEP_UM = 0.03  # so far at once, that the light hardly flickers while both move


def shared(stands: StagePoint, to: StagePoint, reach_um: tuple[float, float, float]) -> StagePoint:
    """Where the stage itself should stand, one small step from where it does at most.

    ValueError where its offsets could not bring the focus from there to the place.
    """
    axes = []
    for stand_um, to_um, most_um in zip(stands, to, reach_um, strict=True):
        off_um = to_um - stand_um
        if abs(off_um) > most_um:
            raise ValueError(f"offsets reach {most_um} um, not {off_um:.3f}")
        step_um = min(STEP_UM, abs(off_um)) if abs(off_um) > USED * most_um else 0.0
        axes.append(stand_um + math.copysign(step_um, off_um))
    return StagePoint(*axes)
