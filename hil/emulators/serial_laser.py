"""A laser that is spoken to in lines that end in a carriage return."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from hil.emulators.laser_head import HeadNature, LaserHead, Later

LINE_LIMIT = 256  # unconfirmed


class SerialLaser(ABC):
    """Bytes in, bytes out; `frozen` makes it deaf and dumb, its light stays as it is."""

    def __init__(
        self,
        nature: HeadNature,
        clock: Callable[[], float],
        seed: int,
        on_output: Callable[[float, float], None],
        later: Later,
    ) -> None:
        self.frozen = False
        self.head = LaserHead(nature, clock, seed, on_output, later)
        self._unread = b""
        self.power_on()

    def power_off(self) -> None:
        self.head.power_off()

    def power_on(self) -> None:
        self.frozen, self._unread = False, b""
        self.head.power_on()

    def power_cycle(self) -> None:
        """Fault, command and set power are gone (the power unconfirmed); cold again."""
        self.power_off()
        self.power_on()

    def receive(self, data: bytes) -> bytes:
        """Answer every line that is whole; a line feed behind its end does no harm."""
        if self.frozen or not self.head.awake:
            return b""
        *lines, self._unread = (self._unread + data.replace(b"\n", b"")).split(b"\r")
        self._unread = self._unread[:LINE_LIMIT]
        said = ""
        for line in lines:
            if self.head.awake:  # one of them may have restarted it
                said += self.reply(line[:LINE_LIMIT].decode("latin-1"))
        return said.encode("latin-1")

    @abstractmethod
    def reply(self, line: str) -> str:
        """Everything that it says to this line, line ends included."""
