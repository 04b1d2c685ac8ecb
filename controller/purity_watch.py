"""g2(0) while light is lit: told again and again, and the end of the light if it is of several."""

import asyncio
import logging
import math
from typing import NoReturn

from controller.desk import Desk, Locked
from controller.locking import failure
from controller.looking import judge
from controller.purity import tagger_of, told
from mapping.peak import Peak
from optics.corrections import Lights
from optics.devices import Detector
from optics.faults import DeviceFault
from optics.live_purity import LivePurity, Look
from optics.photon_statistics import Known
from optics.singleness import SinglenessTest, Verdict

log = logging.getLogger(__name__)

RUN_S = 0.5
TOLD_OFTEN = 4  # times in what an estimate is of
AGAIN_S = 5.0  # after the tagger failed
MOST_GROUND = 0.9  # of all light


async def watch(desk: Desk, locked: Locked) -> NoReturn:
    """Until it is called off; Unable once the photons are those of several."""
    tagger = await tagger_of(desk)
    while tagger is None:
        await asyncio.sleep(math.inf)
    while True:
        try:
            await _watch(desk, tagger, locked)
        except DeviceFault as fault:
            log.warning("g2(0) is not measured: %s", fault)
            desk.late.add("tagger")
            await asyncio.sleep(AGAIN_S)
            await tagger_of(desk)


async def _watch(desk: Desk, tagger: Detector, locked: Locked) -> NoReturn:
    over_s, look = desk.config.tagger.g2_over_s, _look(desk, locked.peak)
    test, live, told_s = SinglenessTest(look), LivePurity(look, over_s), desk.now_s()
    while True:
        run = await tagger.tags(RUN_S)
        await desk.compute(live.add, run, desk.now_s())
        if test.verdict is Verdict.UNDECIDED:
            verdict = await desk.compute(test.add, run, desk.now_s())
            if verdict is Verdict.SEVERAL:
                raise failure(desk, locked.site, "its photons are not those of one emitter")
        if desk.now_s() - told_s >= over_s / TOLD_OFTEN:
            now = await desk.compute(live.purity)
            if now is not None:
                told_s = desk.now_s()
                desk.news.publish(purity=told(now))
                await judge(desk)
        await asyncio.sleep(desk.config.tagger.g2_rest_s)


def _look(desk: Desk, peak: Peak) -> Look:
    """Where the tagger's pairs are to be found, and what of the light is not the emitter's."""
    tagger, dark_cps = desk.config.tagger, desk.config.output.dark_cps
    all_cps = peak.height_cps + peak.ground_cps
    ground = (peak.ground_cps - sum(dark_cps)) / all_cps if all_cps > 0 else 0.0
    lights = Lights(dark_cps, min(max(ground, 0.0), MOST_GROUND))
    return Look(tagger.delay_ps, known=Known(tagger.jitter_ps, lights))
