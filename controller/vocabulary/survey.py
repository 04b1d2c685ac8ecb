"""MAP: surveys, where the chip lies, and the picture of it."""

from math import nan

from controller.scpi_access import Role
from controller.scpi_common import Arguments, Command, Table, done, overlap, scaled
from controller.scpi_parameters import Number, answer, expect
from controller.scpi_session import Answer, Session
from controller.scpi_status import ScpiError
from controller.wishes import Area

UM_PER_M = 1e6
LARGEST_M = 1.0
PLACE, SIDE = Number("M", -LARGEST_M, LARGEST_M), Number("M", 0.0, LARGEST_M)


def read_area(arguments: Arguments) -> Area | None:
    """All four sides in um, or nothing for the whole field."""
    if not arguments:
        return None
    expect(arguments, 4)
    kinds = (PLACE, PLACE, SIDE, SIDE)
    area = Area(*(UM_PER_M * kind.read(a) for kind, a in zip(kinds, arguments, strict=True)))
    if 0.0 in (area.width_um, area.height_um):
        raise ScpiError(-222, "an area without extent")
    return area


def _survey(session: Session, arguments: Arguments) -> Answer:
    return overlap(session, session.wishes.survey(read_area(arguments)))


def _progress(session: Session, _: Arguments) -> Answer:
    return answer(*session.now.survey or (nan, nan, 0))


def _pose(session: Session, _: Arguments) -> Answer:
    pose = session.now.pose
    if pose is None:
        return answer(*(nan,) * 6)
    dx_m, dy_m, sigma_m = scaled((pose.dx_um, pose.dy_um, pose.sigma_um), UM_PER_M)
    return answer(dx_m, dy_m, pose.theta_rad, pose.scale, sigma_m, pose.p_false)


def _image(session: Session, _: Arguments) -> Answer:
    if session.now.picture is None:
        raise ScpiError(-230, "no frame was taken yet")
    return answer(session.now.picture.png)


TABLE: Table = {
    "MAP:SURVey[:STARt]": Command(
        _survey,
        "look for emitters, in all the field or at x, y, w, h in m (o)",
        (0, 4),
        Role.OPERATOR,
    ),
    "MAP:SURVey:ABORt": Command(
        lambda session, _: done(session.wishes.abort_survey()),
        "end it; what it recorded stays",
        needs=Role.OPERATOR,
    ),
    "MAP:PROGress?": Command(_progress, "share done, s left, sites found"),
    "MAP:REGister": Command(
        lambda session, _: overlap(session, session.wishes.register()),
        "find anew where the chip lies (o)",
        needs=Role.OPERATOR,
    ),
    "MAP:POSE?": Command(_pose, "dx, dy in m, theta in rad, scale, sigma in m, chance of mistake"),
    "MAP:IMAGe?": Command(_image, "the newest frame with sites drawn in, PNG in a block"),
}
