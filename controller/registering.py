"""REGISTERING: where the known chip lies since this power-up, or an honest no."""

import logging

from controller.archive import Archive
from controller.charting import chart
from controller.desk import Desk
from controller.figures import PoseTold
from controller.picturing import publish_picture
from controller.states import Event
from controller.wishes import Unable
from mapping.chart import Chart
from mapping.placement import Placement
from mapping.recognise import Landmark, recognised
from mapping.sight import WideSpot, aimed
from optics.quantities import ChipPoint, StageBox, StagePoint

log = logging.getLogger(__name__)

LOOKS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))
"""Where to look, in fields from the middle, until the constellation is certain."""
FIELD_STEP = 0.9
FIELDS, FARTHER = 5, 2.0


async def register(desk: Desk, _target: object) -> Event:
    """DONE with the placement at the desk; BLANK where an unfinished survey goes on first."""
    desk.locked = None
    try:
        async with desk.light.lit():
            lying, chip = await _found(desk)
    except Unable as unknown:
        if any(catalogue.sites for catalogue in desk.archive.chips.values()):
            raise
        log.info("%s; no site is lost if the survey begins anew", unknown)
        desk.lying = None
        return Event.BLANK
    if chip != desk.archive.chip:
        log.info("chip %d is in again", chip)
        await desk.archive.use_chip(chip)
    await settle(desk, lying)
    desk.journey.reached("registered", desk.now_s())
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
    await desk.eye.open_up()
    found = await _sharp(desk)
    desk.journey.reached("focus", desk.now_s())
    await desk.knowledge.keep_height(found.z_um)
    return found


async def _sharp(desk: Desk) -> StagePoint:
    """Where nothing shines in one field, the next is tried; then farther up and down."""
    travel, reach_um = desk.devices.stage.travel, desk.config.survey.focus_reach_um
    middle, last_um = _middle(travel), desk.knowledge.height_um
    near = middle if last_um is None else middle._replace(z_um=last_um)
    tries = [(step, reach_um) for step in LOOKS[:FIELDS]] + [((0, 0), FARTHER * reach_um)]
    for step, far_um in tries:
        place = _field(desk, near, step)
        if place in travel:
            try:
                return await desk.eye.focus(place, far_um, travel)
            except Unable as nothing:
                log.info("%s", nothing)
    raise Unable("nothing in the wide field gets sharp at any height")


def _field(desk: Desk, at: StagePoint, step: tuple[int, int]) -> StagePoint:
    """So many fields from there."""
    width_um, height_um = desk.eye.field_um
    return at._replace(
        x_um=at.x_um + FIELD_STEP * step[0] * width_um,
        y_um=at.y_um + FIELD_STEP * step[1] * height_um,
    )


async def _found(desk: Desk) -> tuple[Placement, int]:
    at = await focused(desk)
    known = await chart(desk, at)
    travel, spots, why = desk.devices.stage.travel, list[WideSpot](), ""
    for step in LOOKS:
        place = _field(desk, at, step)
        if place not in travel:
            continue
        pair = await desk.eye.pair(place)
        await publish_picture(desk, pair)
        seen = aimed(await desk.eye.look(pair), known, place)
        spots += seen
        for chip, field in _questions(desk.archive, seen, spots):
            answer = await _recognised(desk, chip, field, at.z_um)
            if isinstance(answer, Placement):
                log.info("chip %d recognised, p_false %.1e", chip, answer.p_false)
                return await _closer(desk, chip, answer, spots, known), chip
            why = why or answer
    raise Unable(f"the chip in the holder is none that is known: {why}; its map is kept")


async def _closer(
    desk: Desk, chip: int, lying: Placement, spots: list[WideSpot], known: Chart
) -> Placement:
    """Looked at again about the selected site, for a pose is best where it was measured."""
    catalogue = desk.archive.chips[chip]
    site = catalogue.sites.get(desk.archive.selected_of(chip))
    if site is None:
        return lying
    at = lying.on_stage(site.place._replace(z_um=0.0))
    if at not in desk.devices.stage.travel:
        return lying
    pair = await desk.eye.pair(at)
    seen = aimed(await desk.eye.look(pair), known, at)
    for field in (seen, [*spots, *seen]):
        answer = await _recognised(desk, chip, field, at.z_um, site.place)
        if isinstance(answer, Placement):
            desk.lying = answer
            await publish_picture(desk, pair)
            return answer
    raise Unable(f"the chip was recognised, but not about {site.id}")


def _questions(
    archive: Archive, seen: list[WideSpot], spots: list[WideSpot]
) -> list[tuple[int, list[WideSpot]]]:
    """This look by itself and all looks together, against each chip; the one last in first."""
    chips = [archive.chip, *(number for number in archive.chips if number != archive.chip)]
    fields = [seen] if len(seen) == len(spots) else [seen, spots]
    return [(chip, field) for chip in chips for field in fields]


async def _recognised(
    desk: Desk,
    chip: int,
    spots: list[WideSpot],
    height_um: float,
    target: ChipPoint | None = None,
) -> Placement | str:
    landmarks = await known_landmarks(desk, chip)
    earlier = await desk.archive.placements(1, chip)
    slope = earlier[0].slope if earlier else (0.0, 0.0)
    return await desk.compute(recognised, landmarks, spots, height_um, slope, target)


async def known_landmarks(desk: Desk, chip: int) -> list[Landmark]:
    """Its sites, and whatever else was seen to shine on it."""
    sites = [
        (site.place, site.seen.sigma_um.x_um) for site in desk.archive.chips[chip].sites.values()
    ]
    return [*sites, *await desk.archive.landmarks(chip)]


def _middle(travel: StageBox) -> StagePoint:
    ends = zip(travel.low, travel.high, strict=True)
    return StagePoint(*((low + high) / 2 for low, high in ends))
