"""Whether one emitter shines or several, by the time tagger."""

import math

from controller.arriving import arrived
from controller.desk import Desk
from controller.figures import Purity
from controller.wishes import Unable
from mapping.catalogue import Kind
from optics.devices import Detector
from optics.dip_odds import DipOdds, Filled
from optics.faults import DeviceLost
from optics.live_purity import LivePurity, Look, PurityNow

RUN_S = 0.2
LONGEST_S, MEASURED_S = 20.0, 5.0
SINGLE, SEVERAL = 4.6, -6.0
"""Log odds that settle it: of the places that shine some 4 in 100 are pairs, fewer after what
their shape told, so one site in 1,000 is wrong; of single ones 1 in 400 is given away."""


async def singleness(
    desk: Desk, background: float, longest_s: float = LONGEST_S
) -> tuple[Kind, Purity | None]:
    """From photons counted now, as soon as the odds allow; lit and pointed already.

    `background` is the share of the clicks that were counted beside the emitter as well.
    """
    tagger = await tagger_of(desk)
    if tagger is None:
        return Kind.UNDECIDED, None
    config = desk.config.tagger
    test = DipOdds(Filled(config.jitter_ps, background), config.delay_ps)
    live, odds, counted_s = LivePurity(Look(config.delay_ps), math.inf), 0.0, 0.0
    while SEVERAL < odds < SINGLE and counted_s < longest_s:
        run = await tagger.tags(RUN_S)
        counted_s += run.counted_s
        await desk.compute(live.add, run, desk.now_s())
        odds = await desk.compute(test.add, run)
    now = await desk.compute(live.purity)
    return _kind(odds), None if now is None else told(now)


def _kind(odds: float) -> Kind:
    if SEVERAL < odds < SINGLE:
        return Kind.UNDECIDED
    return Kind.SINGLE if odds > 0.0 else Kind.SEVERAL


async def measured(desk: Desk, for_s: float | None) -> Purity:
    """From photons counted from now on, so long, or until single or several is decided."""
    tagger = await tagger_of(desk)
    if tagger is None:
        raise DeviceLost("tagger", "there is none to count for g2(0)")
    live, counted_s = LivePurity(Look(delay_ps=desk.config.tagger.delay_ps), math.inf), 0.0
    while counted_s < (MEASURED_S if for_s is None else for_s):
        run = await tagger.tags(RUN_S)
        counted_s += run.counted_s
        await desk.compute(live.add, run, desk.now_s())
    now = await desk.compute(live.purity)
    if now is None:
        raise Unable("too few photons for g2(0)")
    purity = told(now)
    desk.news.publish(purity=purity)
    return purity


async def tagger_of(desk: Desk) -> Detector | None:
    """The one there is; it is waited for where it came late."""
    if "tagger" in desk.late:
        await arrived(desk, "tagger")
        desk.late.discard("tagger")
    return desk.devices.tagger


def told(now: PurityNow) -> Purity:
    """Uncorrected: what an eavesdropper gets includes the background."""
    raw = now.statistics.measured.raw
    return Purity(raw.value, raw.error, raw.upper_95, now.until_s)
