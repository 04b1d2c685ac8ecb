"""TMP117 thermometers over I2C (data sheet SNOSD82C, "Register map"), and what is too warm."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import machine

TEMPERATURE = 0x00
STEPS_PER_DEGREE = 128
EVERY_MS = 250
LOST_AFTER = 4  # readings that failed, one after the other
HOT_C, COOL_C = 60.0, 55.0


class Thermometer:
    def __init__(self, i2c: "machine.I2C", address: int) -> None:
        self._i2c, self._address = i2c, address

    def read_c(self):
        """Degrees Celsius, or None when it does not answer."""
        try:
            data = self._i2c.readfrom_mem(self._address, TEMPERATURE, 2)
        except OSError:
            return None
        steps = data[0] << 8 | data[1]
        return (steps - 0x10000 if steps & 0x8000 else steps) / STEPS_PER_DEGREE


class Warmth:
    """Looks at all thermometers now and then; light needs every one of them to answer."""

    def __init__(self, thermometers: list) -> None:
        self.safe = False
        self.readings_c = [None] * len(thermometers)
        self._thermometers = thermometers
        self._failed = [LOST_AFTER] * len(thermometers)
        self._due_ms = 0

    def look(self, now_ms: int) -> bool:
        if now_ms >= self._due_ms:
            self._due_ms = now_ms + EVERY_MS
            for index, thermometer in enumerate(self._thermometers):
                self._note(index, thermometer.read_c())
            self.safe = self._judge()
        return self.safe

    def told(self) -> str:
        """Degrees Celsius; SCPI's not-a-number for one that is lost."""
        words = ["9.91E37" if value is None else f"{value:.3f}" for value in self.readings_c]
        return ",".join(words)

    def _note(self, index: int, value_c) -> None:
        self._failed[index] = self._failed[index] + 1 if value_c is None else 0
        if value_c is not None or self._failed[index] >= LOST_AFTER:
            self.readings_c[index] = value_c

    def _judge(self) -> bool:
        limit_c = HOT_C if self.safe else COOL_C
        return all(value is not None and value < limit_c for value in self.readings_c)
