"""The newest frame with sites drawn in, for outsiders."""

from controller.desk import Desk
from controller.eye import Pair
from controller.figures import Picture
from controller.map_marks import marks_of
from controller.map_picture import MapMark, View, drawn
from mapping.chart import Chart
from mapping.choose import Link, Rank, ranked
from mapping.placement import Placement
from optics.quantities import ChipPoint, Frame


async def publish_picture(desk: Desk, pair: Pair) -> None:
    """Drawn off the loop; sites only where the chip's place and the camera's are known."""
    survey = desk.config.survey
    link = Link(loss_db=survey.loss_db, trigger_hz=survey.trigger_hz)
    ranks = ranked(desk.archive.catalogue.usable, link)
    frame, chart, lying = pair.frames[0], desk.knowledge.chart, desk.lying
    png = await desk.compute(_drawn, desk, frame, chart, lying, ranks)
    desk.news.publish(picture=Picture(png, frame.began_s))


def _drawn(
    desk: Desk, frame: Frame, chart: Chart | None, lying: Placement | None, ranks: list[Rank]
) -> bytes:
    height_px, width_px = frame.pixels.shape
    pixel_um = chart.pixel_um if chart else desk.config.camera.pixel_um
    view = View(0.0, 0.0, max(height_px, width_px) * pixel_um)
    marks: list[MapMark] = []
    at = frame.stage
    if chart is not None and lying is not None and at is not None:

        def shown_at(place: ChipPoint) -> tuple[float, float]:
            pixel = chart.pixel(lying.on_stage(place), at)
            return pixel.x_px * pixel_um, pixel.y_px * pixel_um

        catalogue, selected = desk.archive.catalogue, desk.archive.selected
        marks = [
            mark
            for mark in marks_of(catalogue, selected, ranks, shown_at)
            if 0 < mark.x_um < view.side_um and 0 < mark.y_um < view.side_um
        ]
    note = f"{len(marks)} known sites in sight; exposure {frame.exposure_s:g} s"
    return drawn(f"Chip {desk.archive.chip}", note, marks, view, frame.pixels)
