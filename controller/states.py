"""States, events, and the table that joins them. The table is the specification."""

from enum import Enum, auto


class State(Enum):
    """What the controller is doing."""

    CONNECTING = auto()
    SURVEYING = auto()  # looks for emitters, and visits each
    REGISTERING = auto()  # finds where the known chip lies now
    LOCKING = auto()  # goes to the selected site and centres on its counts
    VERIFYING = auto()  # proves that it is the site it is held for
    READY = auto()  # has its proven emitter; dark, since OUTPut is off
    EMITTING = auto()
    RECOVERING = auto()  # lost what it had; decides what to try next
    DEGRADED = auto()  # no emitter that can be trusted, and says why
    SERVICE = auto()  # an operator moves things by hand
    MOVING = auto()
    SAFE = auto()  # dark and still; heals by itself
    LATCHED = auto()  # dark until the interlock is closed, or an operator says so


class Event(Enum):
    """What moves it on: an activity's end, a fault, or somebody's wish."""

    DONE = auto()
    BLANK = auto()  # nothing is known that could be returned to
    UNABLE = auto()  # the devices are well, and yet it cannot be done
    EMIT = auto()
    STOP = auto()
    REFUSED = auto()
    LOST = auto()
    TRIPPED = auto()
    SURVEY = auto()
    ABORT = auto()
    REGISTER = auto()
    SELECT = auto()
    SERVE = auto()
    RESUME = auto()
    MOVE = auto()
    RESET = auto()


AT_WORK = (
    State.SURVEYING,
    State.REGISTERING,
    State.LOCKING,
    State.VERIFYING,
    State.READY,
    State.EMITTING,
    State.RECOVERING,
    State.DEGRADED,
)
"""Those in which the devices are there, and in which an operator may ask for something else."""

NEXT: dict[tuple[State, Event], State] = {
    (State.CONNECTING, Event.DONE): State.REGISTERING,
    (State.CONNECTING, Event.BLANK): State.SURVEYING,
    (State.CONNECTING, Event.UNABLE): State.DEGRADED,
    (State.CONNECTING, Event.REFUSED): State.SAFE,
    (State.SURVEYING, Event.DONE): State.LOCKING,
    (State.SURVEYING, Event.ABORT): State.LOCKING,
    (State.SURVEYING, Event.UNABLE): State.DEGRADED,
    (State.SURVEYING, Event.REFUSED): State.DEGRADED,
    (State.REGISTERING, Event.DONE): State.LOCKING,
    (State.REGISTERING, Event.BLANK): State.SURVEYING,
    (State.REGISTERING, Event.UNABLE): State.DEGRADED,
    (State.REGISTERING, Event.REFUSED): State.DEGRADED,
    (State.LOCKING, Event.DONE): State.VERIFYING,
    (State.LOCKING, Event.UNABLE): State.RECOVERING,
    (State.LOCKING, Event.REFUSED): State.DEGRADED,
    (State.VERIFYING, Event.DONE): State.READY,
    (State.VERIFYING, Event.UNABLE): State.RECOVERING,
    (State.VERIFYING, Event.REFUSED): State.DEGRADED,
    (State.READY, Event.EMIT): State.EMITTING,
    (State.READY, Event.REFUSED): State.SAFE,
    (State.EMITTING, Event.STOP): State.READY,
    (State.EMITTING, Event.UNABLE): State.RECOVERING,
    (State.EMITTING, Event.REFUSED): State.SAFE,
    (State.RECOVERING, Event.DONE): State.LOCKING,
    (State.RECOVERING, Event.BLANK): State.REGISTERING,
    (State.RECOVERING, Event.UNABLE): State.DEGRADED,
    (State.RECOVERING, Event.REFUSED): State.DEGRADED,
    (State.DEGRADED, Event.DONE): State.CONNECTING,
    (State.DEGRADED, Event.REFUSED): State.SAFE,
    (State.SERVICE, Event.MOVE): State.MOVING,
    (State.SERVICE, Event.RESUME): State.CONNECTING,
    (State.SERVICE, Event.REFUSED): State.SAFE,
    (State.MOVING, Event.DONE): State.SERVICE,
    (State.MOVING, Event.REFUSED): State.SERVICE,
    (State.MOVING, Event.RESUME): State.CONNECTING,
    (State.SAFE, Event.DONE): State.CONNECTING,
    (State.LATCHED, Event.DONE): State.SAFE,
    (State.LATCHED, Event.RESET): State.SAFE,
    **{(state, Event.SURVEY): State.SURVEYING for state in AT_WORK if state != State.SURVEYING},
    **{(state, Event.REGISTER): State.REGISTERING for state in AT_WORK},
    **{(state, Event.SELECT): State.LOCKING for state in AT_WORK},
    **{(state, Event.SERVE): State.SERVICE for state in AT_WORK},
    **{(state, Event.LOST): State.SAFE for state in State if state != State.LATCHED},
    **{(state, Event.TRIPPED): State.LATCHED for state in State if state != State.LATCHED},
}

IN_SERVICE = {State.SERVICE, State.MOVING}

WORKING = {State.MOVING, State.SURVEYING, State.REGISTERING, State.LOCKING, State.VERIFYING}
"""States that fulfil the wish which led to them; the others are reached and that is all."""

FURTHER = {(State.LOCKING, State.VERIFYING)}
"""Changes of state that carry a wish on: who selected a site waits until it is verified."""

FROM_ANYWHERE = {Event.LOST, Event.TRIPPED}
ASKED_FOR = {Event.SURVEY, Event.REGISTER, Event.SELECT, Event.SERVE}


def diagram() -> str:
    """The table as a Mermaid state diagram, for the README; AT_WORK is drawn as one box."""
    inside = [state.name for state in AT_WORK]
    lines = ["stateDiagram-v2", "    [*] --> CONNECTING"]
    lines += ["    state AT_WORK {", *(f"        {name}" for name in inside), "    }"]
    for (state, event), target in NEXT.items():
        if event not in FROM_ANYWHERE | ASKED_FOR:
            lines.append(f"    {state.name} --> {target.name}: {event.name}")
    for event in sorted(ASKED_FOR, key=lambda event: event.value):
        target = next(to for (_, asked), to in NEXT.items() if asked is event)
        lines.append(f"    AT_WORK --> {target.name}: {event.name}")
    lost = [state.name for state in State if (state, Event.LOST) in NEXT]
    lines += [f"    {name} --> SAFE: LOST" for name in lost if name not in (*inside, "SAFE")]
    tripped = [name for name in lost if name not in inside]
    lines += [f"    {name} --> LATCHED: TRIPPED" for name in tripped]
    return "\n".join([*lines, "    AT_WORK --> SAFE: LOST", "    AT_WORK --> LATCHED: TRIPPED"])
