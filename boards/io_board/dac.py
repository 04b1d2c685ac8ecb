"""AD5686 quad 16-bit DAC over SPI (data sheet AD5686/AD5684, rev. D: "Serial interface")."""

from framing import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    import machine

CHANNELS = 4
HIGHEST = 0xFFFF
WRITE_AND_UPDATE, READ_BACK = 0x3, 0x9


class Dac:
    """Every write is read back: a piezo that does not get what was asked is worth an error."""

    def __init__(self, spi: "machine.SPI", select: "machine.Pin") -> None:
        self._spi, self._select = spi, select
        self._written: dict[int, int] = {}

    def write(self, channel: int, code: int) -> None:
        self._frame(WRITE_AND_UPDATE, channel, code)
        self._written[channel] = code
        if self.read(channel) != code:
            raise Refused(-240, f"DAC channel {channel}")

    def read(self, channel: int) -> int:
        """What the channel's register holds; the chip keeps it when the board starts anew."""
        self._frame(READ_BACK, channel, 0)
        told = self._frame(0, 0, 0)
        return told[1] << 8 | told[2]

    def agrees(self) -> bool:
        """Whether every channel written since the start still holds its code."""
        return all(self.read(channel) == code for channel, code in self._written.items())

    def _frame(self, command: int, channel: int, code: int) -> bytes:
        """24 bits: command, one bit for the channel, code; what the chip says meanwhile."""
        address = 1 << channel if command else 0
        told = bytearray(3)
        self._select.value(0)
        try:
            self._spi.write_readinto(bytes((command << 4 | address, code >> 8, code & 0xFF)), told)
        finally:
            self._select.value(1)
        return bytes(told)
