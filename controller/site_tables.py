"""Chips, sites, visits, poses and surveys as rows: what is written, and what is read back."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from controller.ledger import Database, Row, Write
from mapping.catalogue import Kind, Seen, Site, SiteState, Visit
from mapping.placement import Placement
from optics.quantities import ChipPoint, StagePoint

FIGURES = tuple(name for name in Seen._fields if name not in ("place", "sigma_um", "kind"))
SEEN = ("x_um", "y_um", "z_um", "x_sigma_um", "y_sigma_um", "z_sigma_um", "kind", *FIGURES)
SITE = ("chip", "id", "state", "why", *SEEN)
VISIT = ("chip", "site", "at_utc", "run", "purpose", "words", *SEEN)
POSE = (
    "chip, at_utc, run, a, b, c, d, e, f, lift_um, x_slope, y_slope, sigma_um, z_sigma_um, p_false"
)


class Tile(NamedTuple):
    """A part of the field that a survey has seen, with the stage where."""

    number: int
    stage: StagePoint
    frames: str  # the file of its raw frames, beside the store


class Candidate(NamedTuple):
    """A spot that may be a site."""

    number: int
    tile: int
    place: ChipPoint
    sigma_um: float
    photons: float
    outcome: str | None = None  # None while it waits for its visit


def begin_chip(at_utc: str) -> Write:
    """Gives the new chip's number."""
    return _inserted("INSERT INTO chip (began_utc) VALUES (?) RETURNING id", at_utc)


def put_site(chip: int, site: Site) -> Write:
    names = ", ".join(SITE)
    sql = f"INSERT OR REPLACE INTO site ({names}) VALUES ({_marks(SITE)})"  # noqa: S608 - ours
    row = (chip, site.id, site.state.value, site.why, *_seen_row(site.seen))
    return lambda database: database.execute(sql, row)


def drop_sites(chip: int) -> Write:
    return lambda database: database.execute("DELETE FROM site WHERE chip = ?", (chip,))


def add_visit(chip: int, visit: Visit) -> Write:
    names = ", ".join(VISIT)
    sql = f"INSERT INTO visit ({names}) VALUES ({_marks(VISIT)})"  # noqa: S608 - ours
    row = (chip, visit.site, visit.at_utc, visit.run, visit.purpose, visit.words)
    return lambda database: database.execute(sql, (*row, *_seen_row(visit.seen)))


def add_pose(chip: int, at_utc: str, run: int, lying: Placement) -> Write:
    sql = f"INSERT INTO pose ({POSE}) VALUES ({_marks(POSE.split(', '))})"  # noqa: S608 - ours
    found = (lying.lift_um, *lying.slope, lying.sigma_um, lying.sigma_z_um, lying.p_false)
    row = (chip, at_utc, run, *lying.matrix, *found)
    return lambda database: database.execute(sql, row)


def begin_survey(chip: int, at_utc: str, run: int, plan: str) -> Write:
    """Gives the survey's number."""
    sql = "INSERT INTO survey (chip, began_utc, run, plan) VALUES (?, ?, ?, ?) RETURNING id"
    return _inserted(sql, chip, at_utc, run, plan)


def end_survey(survey: int, at_utc: str, how: str) -> Write:
    sql = "UPDATE survey SET ended_utc = ?, how = ? WHERE id = ?"
    return lambda database: database.execute(sql, (at_utc, how, survey))


def put_tile(survey: int, tile: Tile) -> Write:
    sql = "INSERT OR REPLACE INTO tile VALUES (?, ?, ?, ?, ?, ?)"
    row = (survey, tile.number, *tile.stage, tile.frames)
    return lambda database: database.execute(sql, row)


def put_candidate(survey: int, candidate: Candidate) -> Write:
    sql = "INSERT OR REPLACE INTO candidate VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    number, tile, place, sigma_um, photons, outcome = candidate
    row = (survey, number, tile, *place, sigma_um, photons, outcome)
    return lambda database: database.execute(sql, row)


SITES_SINCE = 2  # of the store's versions
READ_SITES = f"SELECT chip, {', '.join(SITE[1:])} FROM site ORDER BY chip, id"  # noqa: S608 - ours
READ_VISITS = f"SELECT {', '.join(VISIT[1:])} FROM visit WHERE chip = ? AND site = ? ORDER BY id"  # noqa: S608
READ_POSES = f"SELECT {POSE} FROM pose WHERE chip = ? ORDER BY id DESC LIMIT ?"  # noqa: S608
READ_TILES = "SELECT number, x_um, y_um, z_um, frames FROM tile WHERE survey = ? ORDER BY number"
READ_CANDIDATES = (
    "SELECT number, tile, x_um, y_um, z_um, sigma_um, photons, outcome"
    " FROM candidate WHERE survey = ? ORDER BY number"
)
READ_OPEN_SURVEY = (
    "SELECT id, plan FROM survey WHERE chip = ? AND ended_utc IS NULL ORDER BY id DESC LIMIT 1"
)
READ_LANDMARKS = (
    "SELECT x_um, y_um, z_um, sigma_um FROM candidate JOIN survey ON survey.id = survey"
    " WHERE chip = ? AND (outcome IS NULL OR outcome <> 'site') ORDER BY survey, number"
)


def site_of(row: Row) -> tuple[int, Site]:
    """The chip's number and the site, of a row of READ_SITES."""
    chip, name, state, why, *seen = row
    return chip, Site(name, _seen_of(seen), SiteState(state), why)


def visit_of(row: Row) -> Visit:
    site, at_utc, run, purpose, words, *seen = row
    return Visit(site, at_utc, run, purpose, _seen_of(seen), words)


def placement_of(row: Row) -> Placement:
    _chip, _at_utc, _run, a, b, c, d, e, f, lift_um, x_slope, y_slope, *doubts = row
    return Placement((a, b, c, d, e, f), lift_um, (x_slope, y_slope), *doubts)


def tile_of(row: Row) -> Tile:
    number, x_um, y_um, z_um, frames = row
    return Tile(number, StagePoint(x_um, y_um, z_um), frames)


def candidate_of(row: Row) -> Candidate:
    number, tile, x_um, y_um, z_um, *rest = row
    return Candidate(number, tile, ChipPoint(x_um, y_um, z_um), *rest)


def _seen_row(seen: Seen) -> Sequence[Any]:
    figures = seen._asdict()
    return (*seen.place, *seen.sigma_um, seen.kind.value, *(figures[name] for name in FIGURES))


def _seen_of(row: Sequence[Any]) -> Seen:
    x, y, z, x_sigma, y_sigma, z_sigma, kind, *figures = row
    named: Mapping[str, Any] = dict(zip(FIGURES, figures, strict=True))
    sigma_um = ChipPoint(x_sigma, y_sigma, z_sigma)
    return Seen(ChipPoint(x, y, z), sigma_um, kind=Kind(kind), **named)


def _marks(names: Sequence[str]) -> str:
    return ", ".join("?" * len(names))


def _inserted(sql: str, *values: Any) -> Write:
    def insert(database: Database) -> Any:
        [[number]] = database.execute(sql, values)
        return number

    return insert
