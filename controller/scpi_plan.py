"""Messages compiled to steps; a host asks the same few over and over, so they are kept."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from controller.scpi_grammar import Argument, parse_message
from controller.scpi_parameters import expect
from controller.scpi_status import ScpiError
from controller.scpi_tree import Tree

if TYPE_CHECKING:
    from controller.scpi_common import Command

LONGEST_KEPT, MOST_KEPT = 256, 1024  # bytes of a message, and messages: half a megabyte at most


class Step(NamedTuple):
    """One unit, understood; it changes nothing until it is run."""

    command: "Command"
    arguments: tuple[Argument, ...]
    header: str
    is_query: bool


Plan = Iterator[Step | ScpiError]
"""The steps in order; a command error is the last, since nobody knows what was to follow."""


class Planner:
    """Reads messages by a table; what a message means depends on nothing but its bytes."""

    def __init__(self, tree: "Tree[Command]") -> None:
        self._tree = tree
        self._kept: dict[bytes, tuple[Step | ScpiError, ...]] = {}

    def plan(self, message: bytes) -> Plan:
        """A long message is read as it is gone through, so that it costs no memory."""
        steps = self._kept.get(message)
        if steps is None:
            if len(message) > LONGEST_KEPT:
                return self._steps(message)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            steps = self._kept[message] = tuple(self._steps(message))
        return iter(steps)

    def _steps(self, message: bytes) -> Plan:
        path = ""
        try:
            for header, arguments in parse_message(message):
                command, _, path = self._tree.find(header, path)
                expect(arguments, *command.takes)
                yield Step(command, arguments, header, header.endswith("?"))
        except ScpiError as error:
            yield ScpiError(*error.args)  # a copy, that keeps no frame alive
