"""The camera against the stage: how its pixels lie, and which of them is the focus."""

import logging
import math

from controller.desk import Desk
from controller.eye import Pair
from controller.wishes import Unable
from mapping.chart import Chart, View, charted
from mapping.localise import Look
from mapping.scan import Centring, centre, hunt
from mapping.sight import aimed
from optics.quantities import PixelPoint, StagePoint

log = logging.getLogger(__name__)

NEAR_UM, FAR_UM = 4.0, 11.0  # the latter a third of the field
ISOLATED_UM = 1.5
NEEDED, TRIED = 2, 8  # spots that must agree on the focus, of those tried
AGREE_UM = 0.12
HUNT_UM = 2.0


async def chart(desk: Desk, at: StagePoint) -> Chart:
    """As learnt at an earlier time, or now: lit wide, in focus at that place."""
    known = desk.knowledge.chart
    if known is not None:
        return known
    turned = await _turned(desk, at)
    found = await _focused(desk, turned, await desk.eye.pair(at))
    await desk.knowledge.keep_chart(found)
    await desk.eye.open_up()
    log.info("camera charted: %.4f um a pixel, focus at %.1f, %.1f", found.pixel_um, *found.focus)
    return found


async def _turned(desk: Desk, at: StagePoint) -> Chart:
    """From the same spots seen from several places: near ones surely match, far ones measure."""
    ways = [(0.0, 0.0), (NEAR_UM, 0.0), (0.0, NEAR_UM)]
    ways += [(FAR_UM, 0.0), (-FAR_UM, 0.0), (0.0, FAR_UM), (0.0, -FAR_UM)]
    places = [at._replace(x_um=at.x_um + x_um, y_um=at.y_um + y_um) for x_um, y_um in ways]
    views = []
    for place in places:
        look = await desk.eye.look(await desk.eye.pair(place))
        views.append(View(place, [spot.at for spot in look.spots]))
    pixel_um = desk.config.camera.pixel_um
    found = await desk.compute(charted, views, pixel_um, desk.eye.middle)
    if found is None:
        seen = ", ".join(str(len(view.spots)) for view in views)
        raise Unable(f"the camera cannot be charted: {seen} spots do not tell how it lies")
    return found


async def _focused(desk: Desk, turned: Chart, pair: Pair) -> Chart:
    """Put spots under the focus until some agree on the pixel it lies at."""
    look = await desk.eye.look(pair)
    offsets: list[tuple[float, float]] = []
    for aim in _isolated(look, turned, pair.stage)[:TRIED]:
        await desk.light.set(power_uw=desk.power_uw, wide=False)
        place = await desk.probe.perform(hunt(aim, HUNT_UM, Centring()))
        if place is None:
            continue
        found = await desk.probe.perform(centre(place, Centring()))
        if found.doubt:
            continue
        offsets.append((found.peak.at.x_um - aim.x_um, found.peak.at.y_um - aim.y_um))
        agreeing = [o for o in offsets if math.dist(o, offsets[-1]) < AGREE_UM]
        if len(agreeing) >= NEEDED:
            return _shifted(turned, agreeing)
    raise Unable(f"the focus was not found in the camera's field ({len(offsets)} spots found)")


def _isolated(look: Look, turned: Chart, seen_from: StagePoint) -> list[StagePoint]:
    """The brightest first, near ones before: what has a neighbour may be taken for it."""
    spots = aimed(look, turned, seen_from)
    alone = [
        spot
        for spot in spots
        if all(
            other is spot or math.dist(spot.aim[:2], other.aim[:2]) > ISOLATED_UM for other in spots
        )
    ]
    return [spot.aim for spot in alone]


def _shifted(turned: Chart, offsets: list[tuple[float, float]]) -> Chart:
    """With the focus where spots were seen that are found so far from where they were aimed at."""
    dx, dy = (sum(column) / len(offsets) for column in zip(*offsets, strict=True))
    origin = StagePoint(0.0, 0.0, 0.0)
    seen = turned.pixel(StagePoint(-dx, -dy, 0.0), origin)
    return turned._replace(focus=PixelPoint(*seen))
