"""States, events, and the table that joins them. The table is the specification."""

from enum import Enum, auto


class State(Enum):
    """What the controller is doing."""

    CONNECTING = auto()
    READY = auto()
    SERVICE = auto()  # an operator moves things by hand
    MOVING = auto()
    SAFE = auto()  # dark and still; heals by itself


class Event(Enum):
    """What moves it on: an activity's end, a fault, or somebody's wish."""

    DONE = auto()
    REFUSED = auto()
    LOST = auto()
    SERVE = auto()
    RESUME = auto()
    MOVE = auto()


NEXT: dict[tuple[State, Event], State] = {
    (State.CONNECTING, Event.DONE): State.READY,
    (State.CONNECTING, Event.REFUSED): State.SAFE,
    (State.READY, Event.SERVE): State.SERVICE,
    (State.READY, Event.REFUSED): State.SAFE,
    (State.SERVICE, Event.MOVE): State.MOVING,
    (State.SERVICE, Event.RESUME): State.READY,
    (State.SERVICE, Event.REFUSED): State.SAFE,
    (State.MOVING, Event.DONE): State.SERVICE,
    (State.MOVING, Event.REFUSED): State.SERVICE,
    (State.MOVING, Event.RESUME): State.READY,
    (State.SAFE, Event.DONE): State.CONNECTING,
    **{(state, Event.LOST): State.SAFE for state in State},
}


IN_SERVICE = {State.SERVICE, State.MOVING}

WORKING = {State.MOVING}
"""States that fulfil the wish which led to them; the others are reached and that is all."""


def diagram() -> str:
    """The table as a Mermaid state diagram, for the README."""
    lines = ["stateDiagram-v2", "    [*] --> CONNECTING"]
    for (state, event), target in NEXT.items():
        if event is not Event.LOST:
            lines.append(f"    {state.name} --> {target.name}: {event.name}")
    lost = [state.name for state in State if state is not State.SAFE]
    lines += [f"    {name} --> SAFE: LOST" for name in lost]
    return "\n".join(lines)
