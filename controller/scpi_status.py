"""What one session is told: the SCPI-99 error queue and the IEEE 488.2 status registers."""

from collections import deque
from enum import IntFlag

STANDARD_TEXTS = {  # SCPI-99 volume 2, 21.8; macros and expressions over lists left out
    0: "No error",
    -100: "Command error",
    -101: "Invalid character",
    -102: "Syntax error",
    -103: "Invalid separator",
    -104: "Data type error",
    -105: "GET not allowed",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -110: "Command header error",
    -111: "Header separator error",
    -112: "Program mnemonic too long",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -115: "Unexpected number of parameters",
    -120: "Numeric data error",
    -121: "Invalid character in number",
    -123: "Exponent too large",
    -124: "Too many digits",
    -128: "Numeric data not allowed",
    -130: "Suffix error",
    -131: "Invalid suffix",
    -134: "Suffix too long",
    -138: "Suffix not allowed",
    -140: "Character data error",
    -141: "Invalid character data",
    -144: "Character data too long",
    -148: "Character data not allowed",
    -150: "String data error",
    -151: "Invalid string data",
    -158: "String data not allowed",
    -160: "Block data error",
    -161: "Invalid block data",
    -168: "Block data not allowed",
    -170: "Expression error",
    -171: "Invalid expression",
    -178: "Expression data not allowed",
    -200: "Execution error",
    -203: "Command protected",
    -211: "Trigger ignored",
    -213: "Init ignored",
    -220: "Parameter error",
    -221: "Settings conflict",
    -222: "Data out of range",
    -223: "Too much data",
    -224: "Illegal parameter value",
    -225: "Out of memory",
    -230: "Data corrupt or stale",
    -231: "Data questionable",
    -232: "Invalid format",
    -233: "Invalid version",
    -240: "Hardware error",
    -241: "Hardware missing",
    -250: "Mass storage error",
    -253: "Corrupt media",
    -254: "Media full",
    -300: "Device-specific error",
    -310: "System error",
    -311: "Memory error",
    -313: "Calibration memory lost",
    -314: "Save/recall memory lost",
    -315: "Configuration memory lost",
    -320: "Storage fault",
    -330: "Self-test failed",
    -340: "Calibration failed",
    -350: "Queue overflow",
    -360: "Communication error",
    -361: "Parity error in program message",
    -362: "Framing error in program message",
    -363: "Input buffer overrun",
    -365: "Time out error",
    -400: "Query error",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
    -430: "Query DEADLOCKED",
    -440: "Query UNTERMINATED after indefinite response",
}
LONGEST_MESSAGE = 255  # characters of an error message, SCPI-99 volume 2, 21.8.2


class StandardEvent(IntFlag):
    """Bits of the Standard Event Status Register, IEEE 488.2 11.5.1.1."""

    OPERATION_COMPLETE = 1
    REQUEST_CONTROL = 2
    QUERY_ERROR = 4
    DEVICE_ERROR = 8
    EXECUTION_ERROR = 16
    COMMAND_ERROR = 32
    USER_REQUEST = 64
    POWER_ON = 128


EVENT_OF_HUNDRED = {
    1: StandardEvent.COMMAND_ERROR,
    2: StandardEvent.EXECUTION_ERROR,
    4: StandardEvent.QUERY_ERROR,
}


class ScpiError(Exception):
    """One entry of the error queue; the text of a standard number need not be given."""

    def __init__(self, number: int, detail: str = "", text: str = "") -> None:
        self.number = number
        self.text = text or STANDARD_TEXTS[number]
        self.detail = detail[:LONGEST_MESSAGE]
        super().__init__(number, self.detail, text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScpiError) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)

    @property
    def message(self) -> str:
        """What SYSTem:ERRor? quotes: text, semicolon, detail; printable ASCII of limited length."""
        whole = f"{self.text};{self.detail}" if self.detail else self.text
        shown = whole[:LONGEST_MESSAGE]
        return "".join(char if " " <= char <= "~" else "?" for char in shown)

    @property
    def event(self) -> StandardEvent:
        """The bit this error sets; what is no command, execution or query error is the device's."""
        return EVENT_OF_HUNDRED.get(-self.number // 100, StandardEvent.DEVICE_ERROR)


class ErrorQueue:
    """First in, first out; when it is full the oldest stay and the newest becomes -350."""

    def __init__(self, capacity: int = 32) -> None:
        self._errors: deque[ScpiError] = deque()
        self._capacity = capacity

    def __len__(self) -> int:
        return len(self._errors)

    def push(self, error: ScpiError) -> bool:
        """False when there was no room and the error is lost."""
        if len(self._errors) < self._capacity:
            self._errors.append(ScpiError(*error.args))  # the copy keeps no frame alive
            return True
        self._errors[-1] = ScpiError(-350)
        return False

    def pop(self) -> ScpiError:
        """The oldest error, or number 0."""
        return self._errors.popleft() if self._errors else ScpiError(0)

    def drain(self) -> list[ScpiError]:
        """All errors, oldest first, or number 0 alone."""
        drained = list(self._errors) or [ScpiError(0)]
        self._errors.clear()
        return drained


class Mask:
    """A register hosts may write: beyond the largest value -222, and the old value stays."""

    def __init__(self, largest: int, kept: int) -> None:
        self._largest, self._kept = largest, kept

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, holder: object, owner: type) -> int:
        value: int = vars(holder)[self._name]
        return value

    def __set__(self, holder: object, value: int) -> None:
        if not 0 <= value <= self._largest:
            raise ScpiError(-222, f"{value} is not in 0 to {self._largest}")
        vars(holder)[self._name] = value & self._kept


class Registers:
    """A SCPI register set: condition, transition filters, latched event, enable."""

    enable = Mask(0xFFFF, kept=0x7FFF)  # bit 15 is always 0, SCPI-99 volume 1, 9
    rising = Mask(0xFFFF, kept=0x7FFF)
    falling = Mask(0xFFFF, kept=0x7FFF)

    def __init__(self, condition: int = 0) -> None:
        self._condition = condition
        self._event = 0
        self.preset()

    @property
    def condition(self) -> int:
        return self._condition

    @condition.setter
    def condition(self, now: int) -> None:
        """The instrument's word; changes that pass a filter are latched."""
        rose, fell = now & ~self._condition, self._condition & ~now
        self._event |= (rose & self.rising | fell & self.falling) & 0x7FFF
        self._condition = now

    @property
    def summary(self) -> bool:
        """Computed when asked, so a mask changed after the event counts."""
        return bool(self._event & self.enable)

    def take_event(self) -> int:
        """Reading clears."""
        event, self._event = self._event, 0
        return event

    def preset(self) -> None:
        """STATus:PRESet touches masks and filters, never what has happened."""
        self.enable, self.rising, self.falling = 0, 0x7FFF, 0


class Status:
    """Everything *STB? sums up; a new session has power-on still to be told."""

    event_enable = Mask(0xFF, kept=0xFF)
    service_enable = Mask(0xFF, kept=0xBF)  # bit 6 cannot ask for itself, IEEE 488.2 11.3.2

    def __init__(self, operation: int = 0, questionable: int = 0, capacity: int = 32) -> None:
        self.operation, self.questionable = Registers(operation), Registers(questionable)
        self.errors = ErrorQueue(capacity)
        self.event_enable = self.service_enable = 0
        self._events = StandardEvent.POWER_ON
        self._reasons = 0
        self._requesting = False

    def record(self, event: StandardEvent) -> None:
        self._events |= event

    def take_events(self) -> int:
        """*ESR?: reading clears."""
        events, self._events = self._events, StandardEvent(0)
        return int(events)

    def report(self, error: ScpiError) -> None:
        """Queue the error and latch its bit, and the bit of -350 when it found no room."""
        self._events |= error.event
        if not self.errors.push(error):
            self._events |= StandardEvent.DEVICE_ERROR

    def byte(self, message_available: bool) -> int:
        """*STB?, with MSS in bit 6."""
        summary = self._summary(message_available)
        return summary | 64 * bool(summary & self.service_enable)

    def new_request(self, message_available: bool) -> bool:
        """True once for each new reason for service; to be asked after whatever may be one."""
        reasons = self._summary(message_available) & self.service_enable
        new, self._reasons = reasons & ~self._reasons, reasons
        self._requesting = bool(reasons) and (self._requesting or bool(new))
        return bool(new)

    def serial_poll(self, message_available: bool) -> int:
        """The status byte with RQS in bit 6, which reading clears, IEEE 488.2 11.2.2."""
        self.new_request(message_available)
        requesting, self._requesting = self._requesting, False
        return self._summary(message_available) | 64 * requesting

    def preset(self) -> None:
        """STATus:PRESet."""
        self.operation.preset()
        self.questionable.preset()

    def clear(self) -> None:
        """*CLS: events and errors go, conditions, masks and filters stay."""
        self._events = StandardEvent(0)
        self.operation.take_event()
        self.questionable.take_event()
        self.errors.drain()

    def _summary(self, message_available: bool) -> int:
        return (
            4 * bool(self.errors)
            | 8 * self.questionable.summary
            | 16 * message_available
            | 32 * bool(self._events & self.event_enable)
            | 128 * self.operation.summary
        )
