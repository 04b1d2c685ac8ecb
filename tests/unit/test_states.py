"""The table of states: sound as a graph, and drawn as it is."""

import re

import pytest

from controller.states import NEXT, WORKING, Event, State, diagram


def reachable_from(start: State) -> set[State]:
    found, frontier = {start}, {start}
    while frontier:
        frontier = {target for (state, _), target in NEXT.items() if state in frontier} - found
        found |= frontier
    return found


@pytest.mark.parametrize("state", State)
def test_a_lost_device_leads_to_safe_from_everywhere(state: State) -> None:
    assert NEXT[state, Event.LOST] is State.SAFE


@pytest.mark.parametrize("state", State)
def test_a_refusal_and_an_end_never_meet_a_hole_in_the_table(state: State) -> None:
    """A device may refuse wherever it is asked, and work that ends must lead somewhere."""
    endless = {State.READY, State.SERVICE}
    silent = {State.SAFE}
    assert (state, Event.DONE) in NEXT or state in endless
    assert (state, Event.REFUSED) in NEXT or state in silent


def test_every_state_is_reachable_from_the_start() -> None:
    assert reachable_from(State.CONNECTING) == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_can_come_back_to_ready(state: State) -> None:
    assert State.READY in reachable_from(state)


def test_safe_heals_by_itself() -> None:
    assert NEXT[State.SAFE, Event.DONE] is State.CONNECTING


def test_no_wish_is_granted_before_the_devices_are_connected() -> None:
    wishes = set(Event) - {Event.DONE, Event.REFUSED, Event.LOST}
    assert wishes
    for state in (State.CONNECTING, State.SAFE):
        assert not any((state, wish) in NEXT for wish in wishes)


def test_working_states_end_by_themselves() -> None:
    assert WORKING
    assert all((state, Event.DONE) in NEXT for state in WORKING)


def test_the_diagram_shows_every_change_of_state_and_nothing_else() -> None:
    heading, start, *arrows = diagram().splitlines()
    assert (heading, start) == ("stateDiagram-v2", "    [*] --> CONNECTING")
    drawn = [re.fullmatch(r"    (\w+) --> (\w+): (\w+)", arrow) for arrow in arrows]
    changes = {
        (state.name, target.name, event.name)
        for (state, event), target in NEXT.items()
        if state is not target
    }
    assert sorted(arrow.groups() if arrow else () for arrow in drawn) == sorted(changes)
