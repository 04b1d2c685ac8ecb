"""Maps and observations as JSON values: checked to the last number, or one line that says where."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mapping.register import ChipPose, NoMatch, Points

UNIT = "um"
FARTHEST_UM = 1e6
DIGITS = 7  # of a micrometre: a tenth of a picometre


class BadPoints(Exception):
    """What is wrong, where in the file, and what to do."""


def map_of(value: Any) -> tuple[list[str], Points]:
    """The ids of the sites, and their places followed by those of the fiducials."""
    rows = _rows(value, "sites")
    ids = [_identity(row.get("id"), index) for index, row in enumerate(rows)]
    if len(set(ids)) < len(ids):
        index = next(i for i, name in enumerate(ids) if name in ids[:i])
        raise BadPoints(f"sites[{index}].id: {ids[index]!r} stands there twice; make ids unique")
    sites = _points(rows, "sites", sigma=True)
    marks = value.get("fiducials")
    if not marks:
        return ids, sites
    fiducials = _points(_rows(value, "fiducials"), "fiducials", sigma=False)
    # Marks are drawn, not measured: at least as well known as the best site.
    sigma = np.full(len(fiducials.at_um), sites.sigma_um.min() if len(rows) else 0.001)
    at = np.concatenate([sites.at_um, fiducials.at_um])
    return ids, Points(at, np.concatenate([sites.sigma_um, sigma]))


def observation_of(value: Any) -> Points:
    """The spots of one look."""
    return _points(_rows(value, "spots"), "spots", sigma=True)


def _rows(value: Any, key: str) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        raise BadPoints(f'not an object; give {{"unit":"um","{key}":[…]}}')
    if value.get("unit") != UNIT:
        raise BadPoints(f'unit: {value.get("unit")!r}; give lengths in micrometres and "unit":"um"')
    rows = value.get(key)
    if not isinstance(rows, list):
        raise BadPoints(f"{key}: missing or no list; give a list of objects")
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise BadPoints(f"{key}[{index}]: not an object; give x and y and what belongs to them")
    return rows


def _points(rows: list[dict[str, Any]], key: str, *, sigma: bool) -> Points:
    x = _column(rows, key, "x", lambda number: abs(number) <= FARTHEST_UM, "within a metre")
    y = _column(rows, key, "y", lambda number: abs(number) <= FARTHEST_UM, "within a metre")
    at = np.array([x, y], float).T.reshape(-1, 2)
    if not sigma:
        return Points(at, np.zeros(len(at)))
    width = _column(rows, key, "sigma", lambda number: 0 < number <= FARTHEST_UM, "above zero")
    for index, row in enumerate(rows):
        brightness = row.get("brightness", "missing")
        if brightness is not None and not _is_number(brightness):
            raise BadPoints(f"{key}[{index}].brightness: {brightness!r}; give a number, or null")
    return Points(at, np.array(width, float))


def _column(
    rows: list[dict[str, Any]], key: str, name: str, good: Callable[[float], bool], range_: str
) -> list[float]:
    column: list[Any] = [row.get(name) for row in rows]
    for index, number in enumerate(column):
        if not (_is_number(number) and good(number)):
            shown = "missing" if name not in rows[index] else repr(number)
            raise BadPoints(f"{key}[{index}].{name}: {shown:.60}; give a number {range_}")
    return column


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _identity(value: Any, index: int) -> str:
    if not isinstance(value, str) or not value:
        raise BadPoints(f"sites[{index}].id: {value!r:.60}; give a text that names the site")
    return value


def as_json(found: ChipPose | NoMatch, ids: list[str]) -> dict[str, Any]:
    """The answer; without a match every place is left unsaid."""
    if isinstance(found, NoMatch):
        told: dict[str, Any] = {
            "matched": False,
            "transform": None,
            "inliers": [],
            "p_false": found.p_false,
        }
        return {**told, "sites": [], "why": found.why}
    matrix = found.affine
    (a, b, c), (d, e, f) = matrix.tolist()
    transform = {
        "matrix": matrix.tolist(),
        "dx": c,
        "dy": f,
        "theta_rad": math.atan2(d - b, a + e),
        "scale": math.sqrt(a * e - b * d),
    }
    places = np.column_stack([found.at_um, found.sigma_um])[: len(ids)].round(DIGITS).tolist()
    sites = [
        {"id": name, "x": x, "y": y, "sigma": sigma}
        for name, (x, y, sigma) in zip(ids, places, strict=True)
    ]
    inliers = [[ids[site], spot] for site, spot in found.pairs if site < len(ids)]
    why = f"{len(found.pairs)} points agree, {found.log_factor:.1f} nats above chance"
    told = {"matched": True, "transform": transform, "inliers": inliers, "p_false": found.p_false}
    return {**told, "sites": sites, "why": why}
