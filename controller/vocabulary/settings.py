"""*RST, *SAV, *RCL, *LRN?, *OPT?: the settings as a whole, kept as the message that makes them."""

import asyncio
from collections.abc import Callable

from controller.scpi_access import Role
from controller.scpi_common import Arguments, Command, Table, done
from controller.scpi_parameters import Integer, answer
from controller.scpi_session import Answer, Session
from controller.scpi_status import ScpiError
from controller.snapshot import Snapshot
from controller.vocabulary.source import UW_PER_W

SLOT = Integer(0, 9)

SETTINGS: tuple[tuple[str, Callable[[Snapshot], float | str | None]], ...] = (
    (":SOUR:POW", lambda now: None if now.power_set_uw is None else now.power_set_uw / UW_PER_W),
    (":DET:GATE", lambda now: now.gate_s),
    (":SITE:SEL", lambda now: now.selected or None),
    (":TRAC", lambda now: now.tracking),
    (":OUTP", lambda now: now.output),
)
"""In the order in which they are set: light last."""

OPTIONS: tuple[tuple[str, Callable[[Snapshot], object]], ...] = (
    ("STAGE", lambda now: now.stage),
    ("LASER", lambda now: now.power_range_uw),
    ("BOARD", lambda now: now.gate_s),
    ("PULSED", lambda now: now.trigger_hz),
)


def learned(now: Snapshot) -> str:
    """The message that makes these settings again; what is not known is left out."""
    known = ((header, value(now)) for header, value in SETTINGS)
    return ";".join(f"{h} {answer(v).decode()}" for h, v in known if v is not None)


def _save(session: Session, arguments: Arguments) -> Answer:
    return done(session.wishes.save(SLOT.read(arguments[0]), learned(session.now)))


def _recall(session: Session, arguments: Arguments) -> Answer:
    slot = SLOT.read(arguments[0])
    settings = session.wishes.saved(slot)
    if not settings:
        raise ScpiError(-224, f"nothing was saved in {slot}")
    session.recall(settings.encode())
    return None


def _reset(session: Session, _: Arguments) -> Answer:
    session.complete(wanted=False)

    async def reset() -> None:
        await session.wishes.set_output(on=False)
        await session.wishes.hold_off(0.0)
        if (granted := session.wishes.serve(on=False)) is not None:
            await granted.ended
        await session.wishes.track(on=True)

    return asyncio.ensure_future(reset())


def _options(session: Session, _: Arguments) -> Answer:
    present = [name for name, find in OPTIONS if find(session.now) is not None]
    return ",".join(present or ["0"]).encode()


TABLE: Table = {
    "*RST": Command(
        _reset,
        "service mode, hold-off and output off, tracking on; the rest is kept",
        needs=Role.OPERATOR,
    ),
    "*SAV": Command(
        _save, "keep power, gate, site, tracking and output in 0 to 9", (1, 1), Role.OPERATOR
    ),
    "*RCL": Command(_recall, "make them so again", (1, 1), Role.OPERATOR),
    "*LRN?": Command(
        lambda session, _: learned(session.now).encode(), "the message that makes them so again"
    ),
    "*OPT?": Command(_options, "which devices are there, or 0", is_endless=True),
}
