"""SURVEYING: see the field in tiles, visit what shines, choose what to emit from."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.charting import chart
from controller.desk import Desk
from controller.eye import Pair
from controller.figures import SurveyProgress
from controller.locking import best
from controller.pace import Pace, Work
from controller.picturing import publish_picture
from controller.registering import focused, settle
from controller.site_tables import Candidate, Tile
from controller.survey_book import Corners, SurveyBook, planned
from controller.visiting import Visitor
from controller.wishes import Area, Unable
from mapping.chart import Chart
from mapping.placement import Placement
from mapping.plane import plane
from mapping.sight import WideSpot, aimed
from optics.quantities import ChipPoint, StagePoint

log = logging.getLogger(__name__)

OUTSIDE = "outside the area"
PLANES_UM = (0.0, 0.7, -0.7)
SHOTS = 4
"""Under each direction of the pump: half as bright a spot is seen as with one."""
FOCUS_AGAIN_UM = 45.0  # from every place where the focus was found


@dataclass
class Round:
    """One survey under way."""

    desk: Desk
    book: SurveyBook
    chart: Chart
    focused: list[StagePoint]

    pace: Pace = field(default_factory=Pace)

    @property
    def inside(self) -> set[int]:
        """Tiles that show some of the area."""
        return {n for n, middle in enumerate(self.book.tiles) if self._shows(middle)}

    def _shows(self, middle: ChipPoint) -> bool:
        low, high = self.book.area
        width_um, height_um = self.desk.eye.field_um
        aside_um = max(low.x_um - middle.x_um, middle.x_um - high.x_um)
        beyond_um = max(low.y_um - middle.y_um, middle.y_um - high.y_um)
        return aside_um < width_um / 2 and beyond_um < height_um / 2

    def tell(self) -> None:
        """How far it is."""
        book, inside = self.book, self.inside
        asked_for = [one for one in book.candidates.values() if one.outcome != OUTSIDE]
        seen, found = len(book.seen), len(self.desk.archive.catalogue.sites)
        inside_seen = len(inside & book.seen.keys())
        waiting = len(book.waiting)
        work = Work(
            seen,
            len(book.tiles) - seen,
            inside_seen,
            len(inside) - inside_seen,
            len(asked_for) - waiting,
            waiting,
        )
        self.desk.news.publish(survey=SurveyProgress(*self.pace.progress(work), found))


async def survey(desk: Desk, target: object) -> None:
    """All of it, or the rest of one that was cut; Unable when nothing usable shines."""
    area = target if isinstance(target, Area) else None
    desk.locked = None
    async with desk.light.lit():
        going = await _begun(desk, area)
        going.tell()
        await _see(going)
        await _visit(going)
    await going.book.end("complete")
    desk.news.publish(survey=SurveyProgress(1.0, 0.0, len(desk.archive.catalogue.sites)))
    desk.failed.clear()
    site = best(desk)
    if site is None:
        seen = len(going.book.candidates)
        raise Unable(f"of {seen} places that shine none is an emitter to be used")
    log.info("surveyed: %d sites, %s is the best", len(desk.archive.catalogue.sites), site.id)
    await desk.archive.select(site.id, "the best of the survey")


async def _begun(desk: Desk, area: Area | None) -> Round:
    """Where the chip lies is known, or it is a chip that was never seen."""
    if desk.lying is not None:
        await desk.eye.open_up()
        book = None if area else await SurveyBook.resume(desk.store, desk.archive)
        at = (
            _middle_of(area, desk, desk.lying)
            if book is None
            else desk.lying.on_stage(book.tiles[0])
        )
        known = await chart(desk, at)
        fresh = book or await _fresh(desk, area, desk.lying)
        return Round(desk, fresh, known, [at])
    at = await focused(desk)
    known = await chart(desk, at)
    await desk.archive.begin_chip()
    lying = Placement(lift_um=at.z_um)
    await settle(desk, lying)
    return Round(desk, await _fresh(desk, area, lying), known, [at])


async def _fresh(desk: Desk, area: Area | None, lying: Placement) -> SurveyBook:
    """Seen is more than is visited: the chip must be known again wherever it lies by then."""
    wider = area or _square(desk, desk.config.survey.constellation_um)
    seen, visited = (_on_chip(_corners(desk, part), lying) for part in (wider, area))
    plan = planned(seen, visited, desk.eye.field_um, desk.config.survey.overlap)
    return await SurveyBook.begin(desk.store, desk.archive, plan)


def _on_chip(corners: tuple[StagePoint, StagePoint], lying: Placement) -> Corners:
    """As upright on the chip as they were under the stage."""
    ends = list(zip(*(lying.on_chip(corner) for corner in corners), strict=True))
    return ChipPoint(*map(min, ends)), ChipPoint(*map(max, ends))


def _corners(desk: Desk, area: Area | None) -> tuple[StagePoint, StagePoint]:
    """Of the area that was asked for, or of the square about the middle; within the travel."""
    low, high = desk.devices.stage.travel
    area = area or _square(desk, desk.config.survey.side_um)
    left, bottom = max(area.x_um, low.x_um), max(area.y_um, low.y_um)
    right = min(area.x_um + area.width_um, high.x_um)
    top = min(area.y_um + area.height_um, high.y_um)
    if left >= right or bottom >= top:
        raise Unable("the stage cannot reach that area")
    return StagePoint(left, bottom, 0.0), StagePoint(right, top, 0.0)


def _square(desk: Desk, side_um: float) -> Area:
    """About the middle of the travel."""
    low, high = desk.devices.stage.travel
    x_um, y_um = (low.x_um + high.x_um) / 2, (low.y_um + high.y_um) / 2
    return Area(x_um - side_um / 2, y_um - side_um / 2, side_um, side_um)


def _middle_of(area: Area | None, desk: Desk, lying: Placement) -> StagePoint:
    low, high = _corners(desk, area)
    x_um, y_um = (low.x_um + high.x_um) / 2, (low.y_um + high.y_um) / 2
    return lying.on_stage(lying.on_chip(StagePoint(x_um, y_um, 0.0))._replace(z_um=0.0))


async def _see(going: Round) -> None:
    """The tiles that were not seen yet."""
    desk = going.desk
    for number, middle in going.book.unseen:
        began_s = desk.now_s()
        await desk.eye.open_up()
        at = await _in_focus(going, middle)
        if at not in desk.devices.stage.travel:
            await going.book.tile_seen(Tile(number, at, ""), [])
            continue
        shots = SHOTS if number in going.inside else 1
        pairs = [await desk.eye.pair(plane_at, shots) for plane_at in _planes(going, number, at)]
        await publish_picture(desk, pairs[0])
        spots = [
            spot
            for pair in pairs
            for spot in aimed(await desk.eye.look(pair), going.chart, pair.stage)
        ]
        name = f"survey-{going.book.number:04d}/tile-{number:04d}.npz"
        await desk.compute(desk.recordings.keep, name, _frames(pairs))
        found = _candidates(going, number, spots)
        await going.book.tile_seen(Tile(number, at, name), found)
        going.pace.took("tile", desk.now_s() - began_s)
        going.tell()


def _planes(going: Round, number: int, at: StagePoint) -> list[StagePoint]:
    """Emitters lie up to a micrometre deep; what only helps to know the chip again need not."""
    depths_um = PLANES_UM if number in going.inside else (0.0,)
    planes = [at._replace(z_um=at.z_um + up_um) for up_um in depths_um]
    return [plane_at for plane_at in planes if plane_at in going.desk.devices.stage.travel]


def _frames(pairs: Sequence[Pair]) -> dict[str, Any]:
    return {
        f"plane_{n}_frame_{shot}": frame.pixels
        for n, pair in enumerate(pairs)
        for shot, frame in enumerate(pair.frames)
    }


async def _in_focus(going: Round, middle: ChipPoint) -> StagePoint:
    """The tile's place, its height from the plane of all that was focused so far."""
    desk = going.desk
    at = _lying(desk).on_stage(middle)
    height_um, x_slope, y_slope = plane(going.focused)
    at = at._replace(z_um=height_um + x_slope * at.x_um + y_slope * at.y_um)
    apart = [max(abs(at.x_um - f.x_um), abs(at.y_um - f.y_um)) for f in going.focused]
    if min(apart) <= FOCUS_AGAIN_UM or at not in desk.devices.stage.travel:
        return at
    try:
        at = await desk.eye.focus(at, 0.0, desk.devices.stage.travel)
    except Unable as nothing:
        log.info("%s; the plane is followed", nothing)
        return at
    going.focused.append(at)
    return at


def _candidates(going: Round, tile: int, spots: Sequence[WideSpot]) -> list[Candidate]:
    """New ones among them that are bright enough, each from where it was brightest."""
    lying, found = _lying(going.desk), list[Candidate]()
    number = max(going.book.candidates, default=0)
    for aim, sigma_um, photons in sorted(spots, key=lambda spot: -spot.photons):
        place = lying.on_chip(aim)
        if photons < going.desk.config.survey.least_photons:
            break
        if going.book.is_new(place, found):
            number += 1
            outcome = None if going.book.asked_for(place) else OUTSIDE
            found.append(Candidate(number, tile, place, sigma_um, photons, outcome))
    return found


async def _visit(going: Round) -> None:
    """Every candidate that waits, always the nearest next."""
    desk = going.desk
    visitor = Visitor(desk, going.book)
    most = desk.config.survey.most_visits
    chosen = sorted(going.book.waiting, key=lambda one: -one.photons)[:most]
    here = ChipPoint(0.0, 0.0, 0.0) if not chosen else chosen[0].place
    while chosen:
        nearest = min(chosen, key=lambda one: (_apart(one.place, here), one.number))
        chosen.remove(nearest)
        here = nearest.place
        began_s = desk.now_s()
        await visitor.visit(nearest)
        going.pace.took("visit", desk.now_s() - began_s)
        going.tell()


def _apart(one: ChipPoint, other: ChipPoint) -> float:
    return (one.x_um - other.x_um) ** 2 + (one.y_um - other.y_um) ** 2


def _lying(desk: Desk) -> Placement:
    if desk.lying is None:
        raise Unable("where the chip lies is not known")
    return desk.lying
