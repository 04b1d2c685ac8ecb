"""REGISTERING: where the known chip lies since this power-up, or an honest no."""

import logging

from controller.archive import Archive
from controller.charting import chart
from controller.desk import Desk
from controller.figures import PoseTold
from controller.picturing import publish_picture
from controller.states import Event
from controller.wishes import Unable
from mapping.placement import Placement
from mapping.recognise import Landmark, recognised
from mapping.sight import WideSpot, aimed
from optics.quantities import StageBox, StagePoint

log = logging.getLogger(__name__)

LOOKS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))
"""Where to look, in fields from the middle, until the constellation is certain."""
FIELD_STEP = 0.9


async def register(desk: Desk, _target: object) -> Event:
    """DONE with the placement at the desk; BLANK where an unfinished survey goes on first."""
    desk.locked = None
    async with desk.light.lit():
        lying, chip = await _found(desk)
    if chip != desk.archive.chip:
        log.info("chip %d is in again", chip)
        await desk.archive.use_chip(chip)
    await settle(desk, lying)
    unfinished = await desk.archive.open_survey()
    return Event.BLANK if unfinished is not None else Event.DONE


async def settle(desk: Desk, lying: Placement) -> None:
    """Keep where the chip lies, and tell."""
    desk.lying = lying
    await desk.archive.lay(lying)
    _, _, dx_um, _, _, dy_um = lying.matrix
    desk.news.publish(
        pose=PoseTold(
            dx_um,
            dy_um,
            lying.turn_rad,
            lying.scale,
            lying.sigma_um,
            lying.p_false,
            desk.now_s(),
        )
    )


async def focused(desk: Desk) -> StagePoint:
    """The middle of the travel, at the sharpest height; near the last one first."""
    travel = desk.devices.stage.travel
    middle = _middle(travel)
    last_um = desk.knowledge.height_um
    near = middle if last_um is None else middle._replace(z_um=last_um)
    await desk.eye.open_up()
    found = await desk.eye.focus(near, desk.config.survey.focus_reach_um, travel)
    await desk.knowledge.keep_height(found.z_um)
    return found


async def _found(desk: Desk) -> tuple[Placement, int]:
    at = await focused(desk)
    known = await chart(desk, at)
    travel, spots, why = desk.devices.stage.travel, list[WideSpot](), ""
    for column, row in LOOKS:
        width_um, height_um = desk.eye.field_um
        place = at._replace(
            x_um=at.x_um + FIELD_STEP * column * width_um,
            y_um=at.y_um + FIELD_STEP * row * height_um,
        )
        if place not in travel:
            continue
        pair = await desk.eye.pair(place)
        await publish_picture(desk, pair)
        spots += aimed(await desk.eye.look(pair), known, place)
        for chip in _chips(desk.archive):
            answer = await _recognised(desk, chip, spots, at.z_um)
            if isinstance(answer, Placement):
                log.info("chip %d recognised, p_false %.1e", chip, answer.p_false)
                return answer, chip
            why = why or answer
    raise Unable(f"the chip in the holder is none that is known: {why}; its map is kept")


def _chips(archive: Archive) -> list[int]:
    """The one that was in last comes first."""
    others = [number for number in archive.chips if number != archive.chip]
    return [archive.chip, *others]


async def _recognised(
    desk: Desk, chip: int, spots: list[WideSpot], height_um: float
) -> Placement | str:
    landmarks = await known_landmarks(desk, chip)
    earlier = await desk.archive.placements(1, chip)
    slope = earlier[0].slope if earlier else (0.0, 0.0)
    return await desk.compute(recognised, landmarks, spots, height_um, slope)


async def known_landmarks(desk: Desk, chip: int) -> list[Landmark]:
    """Its sites, and whatever else was seen to shine on it."""
    sites = [
        (site.place, site.seen.sigma_um.x_um) for site in desk.archive.chips[chip].sites.values()
    ]
    return [*sites, *await desk.archive.landmarks(chip)]


def _middle(travel: StageBox) -> StagePoint:
    ends = zip(travel.low, travel.high, strict=True)
    return StagePoint(*((low + high) / 2 for low, high in ends))
