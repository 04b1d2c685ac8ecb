"""The table of states: sound as a graph, and drawn as it is."""

import re

import pytest

from controller.states import AT_WORK, FURTHER, NEXT, WORKING, Event, State, diagram


def reachable_from(start: State) -> set[State]:
    found, frontier = {start}, {start}
    while frontier:
        frontier = {target for (state, _), target in NEXT.items() if state in frontier} - found
        found |= frontier
    return found


HEEDLESS = {State.LATCHED}
"""It asks nothing of a device that could be lost, and the interlock is why it is there."""


@pytest.mark.parametrize("state", [state for state in State if state not in HEEDLESS])
def test_a_lost_device_leads_to_safe_and_an_open_interlock_to_latched(state: State) -> None:
    assert NEXT[state, Event.LOST] is State.SAFE
    assert NEXT[state, Event.TRIPPED] is State.LATCHED


@pytest.mark.parametrize("state", State)
def test_a_refusal_and_an_end_never_meet_a_hole_in_the_table(state: State) -> None:
    """A device may refuse wherever it is asked, and work that ends must lead somewhere."""
    endless = {State.READY, State.EMITTING, State.SERVICE}
    silent = {State.SAFE} | HEEDLESS
    assert (state, Event.DONE) in NEXT or state in endless
    assert (state, Event.REFUSED) in NEXT or state in silent


def test_every_state_is_reachable_from_the_start() -> None:
    assert reachable_from(State.CONNECTING) == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_can_come_back_to_ready(state: State) -> None:
    assert State.READY in reachable_from(state)


def test_safe_heals_by_itself() -> None:
    assert NEXT[State.SAFE, Event.DONE] is State.CONNECTING


WISHES = {Event.SURVEY, Event.ABORT, Event.REGISTER, Event.SELECT, Event.SERVE, Event.MOVE}


def test_no_wish_is_granted_before_the_devices_are_connected() -> None:
    wishes = WISHES | {Event.RESUME}
    for state in (State.CONNECTING, State.SAFE, State.LATCHED):
        assert not any((state, wish) in NEXT for wish in wishes)


def test_working_states_end_by_themselves() -> None:
    assert WORKING
    assert all((state, Event.DONE) in NEXT for state in WORKING)


def test_a_wish_that_goes_on_goes_on_to_another_working_state() -> None:
    for before, after in FURTHER:
        assert {before, after} <= WORKING
        assert NEXT[before, Event.DONE] is after


def test_light_follows_only_from_proof() -> None:
    """Whatever led here, nothing emits that was not verified since it was found."""
    into = {target: {s for (s, _), to in NEXT.items() if to is target} for target in State}
    assert into[State.EMITTING] == {State.READY}
    assert into[State.READY] == {State.VERIFYING, State.EMITTING}


def test_the_diagram_shows_every_change_of_state_and_nothing_else() -> None:
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> CONNECTING"]
    box, end = lines.index("    state AT_WORK {"), lines.index("    }")
    inside = [line.strip() for line in lines[box + 1 : end]]
    assert inside == [state.name for state in AT_WORK]
    drawn = set()
    for arrow in lines[end + 1 :]:
        found = re.fullmatch(r"    (\w+) --> (\w+): (\w+)", arrow)
        assert found, arrow
        before, after, event = found.groups()
        for name in inside if before == "AT_WORK" else [before]:
            drawn.add((name, after, event))
    changes = {(state.name, target.name, event.name) for (state, event), target in NEXT.items()}
    box_too_wide = {("SURVEYING", "SURVEYING", "SURVEY")}
    stays = {("SAFE", "SAFE", "LOST")}
    assert drawn - box_too_wide == changes - stays
