"""One host's conversation: its own input, output, errors and registers, its own pace."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from controller.scpi_grammar import Reader, Unit, parse_message, respond
from controller.scpi_parameters import expect
from controller.scpi_status import ScpiError, StandardEvent, Status

if TYPE_CHECKING:
    from controller.scpi_commands import Instrument
    from controller.scpi_common import Command
    from controller.snapshot import Snapshot
    from controller.wishes import Wishes

Operation = asyncio.Future[Any]
Answer = bytes | Operation | None
"""A command's response, nothing, or something that must end first and whose result it is."""

MOST_AT_ONCE = 200
"""Units executed in one go; between goes the other sessions and the devices have their turn."""

MOST_WAITING = 256
"""Messages kept for a host that sends on while it is being held up; then it must wait too."""


DONE = object()
Work = Iterator[Operation | None]
"""A message being executed: yields what must end before it goes on, or None to go on at once."""


class Session:
    """Executes messages in order; a command that must wait holds up its own session only."""

    def __init__(
        self,
        instrument: "Instrument",
        send: Callable[[bytes], None],
        listen: Callable[[bool], None],
    ) -> None:
        """`listen` turns the host's input off while there is too much of it, and on again."""
        self.status = Status(*instrument.conditions())
        self._unfollow = instrument.follow(self.status)
        self.instrument, self._send, self._listen = instrument, send, listen
        self._reader = Reader()
        self._inbox: deque[bytes | ScpiError] = deque()
        self._work: Work = iter(())
        self._answers: list[bytes] = []
        self._overlapped: set[Operation] = set()
        self._waits = self._held = self._deaf = False

    @property
    def now(self) -> "Snapshot":
        """What is known at this instant."""
        return self.instrument.news.latest

    @property
    def wishes(self) -> "Wishes":
        """The way to the controller."""
        return self.instrument.wishes

    def feed(self, data: bytes) -> None:
        """Bytes from the host, however they were cut up."""
        self._inbox.extend(self._reader.feed(data))
        self._go_on()

    def hold(self) -> None:
        """The host does not read its answers: give no more, and take no more questions."""
        self._held = True
        self._set_deaf(deaf=True)

    def release(self) -> None:
        """The host reads again."""
        self._held = False
        self._go_on()

    def close(self) -> None:
        """The host is gone: what it was not answered is dropped, what it began goes on."""
        self._unfollow()
        self._held = True
        self._inbox.clear()
        self._work = iter(())

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

    def status_byte(self) -> int:
        """*STB?; a message is available when units before this one have answered."""
        return self.status.byte(message_available=bool(self._answers))

    def complete(self, _operation: Operation | None = None) -> None:
        """*OPC: tell it in the event register."""
        self.status.record(StandardEvent.OPERATION_COMPLETE)

    def _ended(self, operation: Operation) -> None:
        self._overlapped.discard(operation)
        if not operation.cancelled() and (error := operation.exception()) is not None:
            self.status.report(self.instrument.as_scpi_error(error))

    def _resume(self, ended: Operation) -> None:
        if not ended.cancelled():
            ended.exception()  # looked at even where the host has gone and nobody will
        self._waits = False
        self._go_on()

    def _go_on(self) -> None:
        for _ in range(MOST_AT_ONCE):
            if self._held or self._waits:
                break
            operation = next(self._work, DONE)
            if isinstance(operation, asyncio.Future):
                self._waits = True
                operation.add_done_callback(self._resume)
            elif operation is DONE and self._inbox:
                self._work = self._perform(self._inbox.popleft())
            elif operation is DONE:
                break
        else:
            asyncio.get_running_loop().call_soon(self._go_on)
        self._set_deaf(deaf=self._held or len(self._inbox) > MOST_WAITING)

    def _set_deaf(self, *, deaf: bool) -> None:
        if deaf is not self._deaf:
            self._deaf = deaf
            self._listen(not deaf)

    def _perform(self, message: bytes | ScpiError) -> Work:
        if isinstance(message, ScpiError):
            self.status.report(message)
            return
        self._answers, path = [], ""
        try:
            for unit in parse_message(message):
                match = self.instrument.tree.find(unit.header, path)
                path = match.path
                try:
                    yield from self._execute(unit, match.value)
                except ScpiError as error:  # its own failure; the units after it still count
                    if error.event is StandardEvent.COMMAND_ERROR:
                        raise
                    self.status.report(error)
                yield None
        except ScpiError as error:  # nobody knows what the rest was meant to be
            self.status.report(error)
        if self._answers:
            self._send(respond(self._answers))

    def _execute(self, unit: Unit, command: "Command") -> Work:
        expect(unit.arguments, *command.takes)
        try:
            answer = command.run(self, unit.arguments)
            if isinstance(answer, asyncio.Future):
                if not answer.done():
                    yield answer
                answer = answer.result()
        except self.instrument.refusals as refusal:
            raise self.instrument.as_scpi_error(refusal) from refusal
        if answer is not None:
            self._answers.append(answer)
