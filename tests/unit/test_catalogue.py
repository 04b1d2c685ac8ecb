"""The catalogue as a value: names, visits, nearest sites, and its JSON."""

import copy
import json
import math
from typing import Any

import pytest

from mapping.catalogue import Kind, SiteState, aside_um, catalogue_of
from mapping.catalogue_json import BadCatalogue, as_json, from_json
from mapping.points_json import map_of
from optics.quantities import ChipPoint
from tests.unit.catalogue_maker import SEEN, site

TWO = catalogue_of(
    7, [site("E0001"), site("E0012", SiteState.RETIRED, place=ChipPoint(40.0, 8.0, -1.5), g2=None)]
)


def test_names_are_never_used_again() -> None:
    assert TWO.next_name() == "E0013"
    assert catalogue_of(0, [site("left edge"), site("E²")]).next_name() == "E0001"


def test_a_visit_replaces_what_it_measured_and_keeps_the_rest() -> None:
    brief = SEEN._replace(rate_cps=150e3, kind=Kind.UNDECIDED, g2=None, saturation_uw=None)
    after = site("E0001", saturation_uw=900.0).revisited(brief)
    assert (after.seen.rate_cps, after.seen.kind) == (150e3, Kind.SINGLE)
    assert (after.seen.g2, after.seen.saturation_uw) == (0.12, 900.0)


def test_the_nearest_is_found_only_within_reach() -> None:
    beside = ChipPoint(12.9, -3.25, 5.0)
    found = TWO.near(beside, within_um=0.5)
    assert found is not None
    assert found.id == "E0001"
    assert aside_um(found.place, beside) == pytest.approx(0.4)
    assert TWO.near(beside, within_um=0.3) is None


def test_states_select() -> None:
    assert [one.id for one in TWO.usable] == ["E0001"]
    assert [one.id for one in TWO.of_state(SiteState.RETIRED)] == ["E0012"]


def test_json_comes_back_as_it_went_and_is_a_map_for_register() -> None:
    told = json.loads(json.dumps(as_json(TWO)))
    assert from_json(told, 7) == TWO
    ids, points = map_of(told)
    assert ids == ["E0001", "E0012"]
    assert points.at_um[1].tolist() == [40.0, 8.0]


def spoilt(path: list[Any], value: Any) -> Any:
    document = copy.deepcopy(as_json(TWO))
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (["form"], "another", "form"),
        (["unit"], "mm", "unit"),
        (["sites"], {}, "sites"),
        (["sites", 0], 5, "sites[0]"),
        (["sites", 0, "id"], "two\nlines", "sites[0].id"),
        (["sites", 0, "id"], "E0012", "sites"),
        (["sites", 1, "x"], math.nan, "sites[1].x"),
        (["sites", 1, "x"], 1e7, "sites[1].x"),
        (["sites", 1, "rate_cps"], None, "sites[1].rate_cps"),
        (["sites", 1, "g2"], "0.1", "sites[1].g2"),
        (["sites", 1, "sigma_xyz"], [1, 2], "sites[1].sigma_xyz"),
        (["sites", 1, "state"], "GONE", "sites[1].state"),
        (["sites", 1, "why"], None, "sites[1].why"),
    ],
)
def test_a_spoilt_document_is_refused_where_it_is_spoilt(
    path: list[Any], value: Any, where: str
) -> None:
    with pytest.raises(BadCatalogue, match=rf"^{where.replace('[', '.').replace(']', '.')}"):
        from_json(spoilt(path, value), 7)
