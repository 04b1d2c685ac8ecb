"""Whether one emitter shines or several, by the time tagger."""

import math

from controller.arriving import arrived
from controller.desk import Desk
from controller.figures import Purity
from controller.wishes import Unable
from mapping.catalogue import Kind
from optics.devices import Detector
from optics.faults import DeviceLost
from optics.live_purity import LivePurity, Look, PurityNow
from optics.singleness import SinglenessTest, Verdict

RUN_S = 0.2
LONGEST_S, MEASURED_S = 8.0, 5.0
KINDS = {
    Verdict.SINGLE: Kind.SINGLE,
    Verdict.SEVERAL: Kind.SEVERAL,
    Verdict.UNDECIDED: Kind.UNDECIDED,
}


async def singleness(desk: Desk, longest_s: float = LONGEST_S) -> tuple[Kind, Purity | None]:
    """From photons counted now, as soon as the statistics allow; lit and pointed already."""
    tagger = await _tagger(desk)
    if tagger is None:
        return Kind.UNDECIDED, None
    test, verdict, counted_s = (
        SinglenessTest(Look(delay_ps=desk.config.tagger.delay_ps)),
        Verdict.UNDECIDED,
        0.0,
    )
    while verdict is Verdict.UNDECIDED and counted_s < longest_s:
        run = await tagger.tags(RUN_S)
        counted_s += run.counted_s
        verdict = await desk.compute(test.add, run, desk.now_s())
    return KINDS[verdict], _told(test)


async def measured(desk: Desk, for_s: float | None) -> Purity:
    """From photons counted from now on, so long, or until single or several is decided."""
    tagger = await _tagger(desk)
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
    purity = _purity(now)
    desk.news.publish(purity=purity)
    return purity


async def _tagger(desk: Desk) -> Detector | None:
    """The one there is; it is waited for where it came late."""
    if "tagger" in desk.late:
        await arrived(desk, "tagger")
        desk.late.discard("tagger")
    return desk.devices.tagger


def _told(test: SinglenessTest) -> Purity | None:
    if test.purity is None:
        return None
    return _purity(test.purity)


def _purity(now: PurityNow) -> Purity:
    """Uncorrected: what an eavesdropper gets includes the background."""
    raw = now.statistics.measured.raw
    return Purity(raw.value, raw.error, raw.upper_95, now.until_s)
