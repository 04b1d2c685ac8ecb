"""One host's conversation: its own input, output, errors and registers, its own pace."""

import asyncio
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, cast

from controller.scpi_access import Visitor
from controller.scpi_grammar import respond
from controller.scpi_input import Input
from controller.scpi_plan import Plan, Step
from controller.scpi_status import ScpiError, StandardEvent, Status
from controller.scpi_turns import UNITS_AT_ONCE

if TYPE_CHECKING:
    from controller.scpi_commands import Instrument
    from controller.snapshot import Snapshot
    from controller.wishes import Wishes

Operation = asyncio.Future[Any]
Answer = bytes | Operation | None
"""A command's response, nothing, or something that must end first and whose result it is."""

MOST_ANSWERED = 1 << 23
"""Bytes of one response message; a host that asks for more has a deadlock, IEEE 488.2 6.3.1.7."""
REQUESTING = 64  # RQS, IEEE 488.2 11.2.2
BYTES_PER_UNIT = 4096
"""A long answer counts as so many more units as it has of these."""


class Host(Protocol):
    """The host's side of a session: what it is told."""

    @property
    def has_unread(self) -> bool:
        """It has been sent a response that it has not read, as far as the transport can tell."""

    def respond(self, response: bytes) -> None:
        """One response message, its LF included; it may wait for `flush`."""

    def flush(self) -> None:
        """Nothing more is coming for now."""

    def listen(self, *, wanted: bool) -> None:
        """Take its input, or none while there is too much of it."""

    def request_service(self, status_byte: int) -> None:
        """There is a new reason for service."""


class Session:
    """Executes messages in order; a command that must wait holds up its own session only."""

    def __init__(
        self, instrument: "Instrument", host: Host, visitor: Visitor, *, end_marked: bool = False
    ) -> None:
        self.instrument, self.visitor = instrument, visitor
        self.status = Status(*instrument.conditions())
        self._unfollow = instrument.news.subscribe(self._note)
        self._host, self._input = host, Input(end_marked=end_marked)
        self._plan: Plan = iter(())
        self._answers: list[bytes] = []
        self._answered = 0
        self._is_endless = self._completing = False
        self._overlapped: set[Operation] = set()
        self._awaited: Operation | None = None
        self._held = self._queued = self._deaf = False

    @property
    def name(self) -> str:
        return self.visitor.name

    @property
    def now(self) -> "Snapshot":
        """What is known at this instant."""
        return self.instrument.news.latest

    @property
    def wishes(self) -> "Wishes":
        """The way to the controller."""
        return self.instrument.wishes

    @property
    def is_idle(self) -> bool:
        """Nothing of this host's is being executed or waits to be."""
        return self._awaited is None and self._input.is_empty and not self._queued

    def feed(self, data: bytes, *, end: bool = False) -> None:
        """Bytes from the host, however they were cut up; `end` where the transport marks it."""
        self._input.feed(data, end=end)
        self._go_on()

    def hold(self) -> None:
        """The host does not read its answers: give no more, and take no more questions."""
        self._held = True
        self._heed()

    def release(self) -> None:
        """The host reads again."""
        self._held = False
        self._go_on()

    def clear(self) -> None:
        """Device clear: input, output and waiting end here; what was begun goes on (488.2, 5.8)."""
        self._input.clear()
        self._plan, self._awaited, self._completing = iter(()), None, False
        self._start_message()
        self._heed()

    def close(self) -> None:
        """The host is gone: what it was not answered is dropped, what it began goes on."""
        self._unfollow()
        self.clear()
        self._held = True
        self.instrument.locks.forget(self)

    def recall(self, message: bytes) -> None:
        """Execute this before the rest of the present message."""
        self._plan = chain(self.instrument.planner.plan(message), self._plan)

    def overlap(self, operation: Operation) -> None:
        """Remember it for *OPC, *OPC? and *WAI; should it fail, the host finds the error."""
        self._overlapped.add(operation)
        operation.add_done_callback(self._ended)

    def idle(self, then: bytes | None = None) -> Operation:
        """Ends, with `then`, when everything this host has begun has ended."""
        idle: Operation = asyncio.get_running_loop().create_future()
        pending = set(self._overlapped)

        def tick_off(operation: Operation) -> None:
            pending.discard(operation)
            if not pending and not idle.done():
                idle.set_result(then)

        for operation in self._overlapped:
            operation.add_done_callback(tick_off)
        if not pending:
            idle.set_result(then)
        return idle

    def complete(self, *, wanted: bool) -> None:
        """*OPC: tell in the event register when nothing is pending; *CLS and *RST call that off."""
        self._completing = wanted
        self._complete_if_idle()

    def status_byte(self) -> int:
        """*STB?; a message is available when units before this one have answered."""
        return self.status.byte(message_available=bool(self._answers))

    def poll(self) -> int:
        """A serial poll by the transport: the status byte with RQS, which reading clears."""
        return self.status.serial_poll(self._has_message())

    def _has_message(self) -> bool:
        return self._host.has_unread or bool(self._answers)

    def consider_service(self) -> None:
        """Ask the host for service if there is a new reason to."""
        if self.status.service_enable and self.status.new_request(self._has_message()):
            self._host.request_service(self.status.byte(self._has_message()) | REQUESTING)

    def _note(self, _snapshot: "Snapshot") -> None:
        status = self.status
        status.operation.condition, status.questionable.condition = self.instrument.conditions()
        self.consider_service()

    def _ended(self, operation: Operation) -> None:
        self._overlapped.discard(operation)
        if not operation.cancelled() and (error := operation.exception()) is not None:
            self.status.report(self.instrument.as_scpi_error(error))
        self._complete_if_idle()
        self.consider_service()

    def _complete_if_idle(self) -> None:
        if self._completing and not self._overlapped:
            self._completing = False
            self.status.record(StandardEvent.OPERATION_COMPLETE)

    def _go_on(self) -> None:
        """At once as far as is fair, then in turn with the others."""
        if not self._queued and self._work(UNITS_AT_ONCE):
            self._queued = True
            self.instrument.turns.join(self._take_turn)

    def _take_turn(self, units: int) -> bool:
        self._queued = self._work(units)
        return self._queued

    def _work(self, units: int) -> bool:
        """Do so many units at most; True when there is more to do at once."""
        while units > 0 and not self._held and self._awaited is None:
            step = next(self._plan, None)
            if isinstance(step, Step):
                units -= self._run(step)
            elif step is not None:
                self.status.report(step)
            elif not self._next_message():
                break
        self._host.flush()
        self._heed()
        self.consider_service()
        return units <= 0 and not self._held and self._awaited is None

    def _heed(self) -> None:
        deaf = self._held or self._input.is_full
        if deaf is not self._deaf:
            self._deaf = deaf
            self._host.listen(wanted=not deaf)

    def _next_message(self) -> bool:
        """Tell what the last one answered and begin the next; False when there is none."""
        if self._answers:
            self._host.respond(respond(self._answers))
        self._start_message()
        message = self._input.next()
        if message is None:
            return False
        if isinstance(message, ScpiError):
            self.status.report(message)
        else:
            self._plan = self.instrument.planner.plan(message)
        return True

    def _start_message(self) -> None:
        self._answers, self._answered, self._is_endless = [], 0, False

    def _run(self, step: Step) -> int:
        """Run one unit; returns what it cost, in units."""
        if step.is_query and self._is_endless:
            self.status.report(ScpiError(-440, step.header))
            return 1
        try:
            if step.command.needs and (refusal := self.instrument.refusal(self, step)):
                return self._settle(refusal)
            return self._settle(step.command.run(self, step.arguments), step.command.is_endless)
        except Exception as error:  # noqa: BLE001 - a defect costs its unit, not the instrument
            self._fail(error)
            return 1

    def _settle(self, answer: Answer, is_endless: bool = False) -> int:
        """Take an answer in, now or when it is there."""
        if isinstance(answer, asyncio.Future):
            if not answer.done():
                self._awaited = answer
                answer.add_done_callback(self._arrived)
                return 1
            answer = cast("bytes | None", answer.result())
        return 1 if answer is None else self._take_in(answer, is_endless)

    def _take_in(self, answer: bytes, is_endless: bool) -> int:
        self._is_endless = is_endless
        was_too_much = self._answered > MOST_ANSWERED
        self._answered += len(answer)
        if self._answered <= MOST_ANSWERED:
            self._answers.append(answer)
        elif not was_too_much:
            self._answers = []
            self.status.report(ScpiError(-430, f"more than {MOST_ANSWERED} bytes of answers"))
        return 1 + len(answer) // BYTES_PER_UNIT

    def _arrived(self, answer: Operation) -> None:
        if not answer.cancelled():
            answer.exception()  # looked at even where the host has gone and nobody will
        if self._awaited is not answer:
            return  # device clear came first
        self._awaited = None
        try:
            self._settle(answer)
        except asyncio.CancelledError:
            self._fail(ScpiError(-200, "called off"))
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
        self._go_on()

    def _fail(self, failure: Exception) -> None:
        """A command error drops the rest of its message, an execution error is its unit's own."""
        error = self.instrument.as_scpi_error(failure)
        self.status.report(error)
        if error.event is StandardEvent.COMMAND_ERROR:
            self._plan = iter(())
