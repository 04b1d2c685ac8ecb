"""Bytes to whole program messages, IEEE 488.2 chapter 7: where one ends and the next begins."""

import re

from controller.scpi_status import ScpiError

LONGEST_MESSAGE = 1 << 20  # bytes
LF, HASH, DOUBLE_QUOTE, SINGLE_QUOTE = b"\n#\"'"

# What ends the reader's skipping, by where it is; nothing here can go back over what it has seen.
OPEN = re.compile(rb"""[\n"']|(?<=[\x00-\x09\x0b-\x20,])\#""")
IN_DOUBLE_QUOTES = re.compile(rb'[\n"]')
IN_SINGLE_QUOTES = re.compile(rb"[\n']")
HIDES = re.compile(rb"""["'#]""")  # what an LF may be data behind
UP_TO_LF = re.compile(rb"\n")
UP_TO_END = re.compile(rb"(?!)")
QUOTED = {DOUBLE_QUOTE: IN_DOUBLE_QUOTES, SINGLE_QUOTE: IN_SINGLE_QUOTES}


class Reader:
    """Chunks in, whole program messages without their LF out; the same however they are cut.

    An LF inside a block or a closed string is data. A string still open at its second LF was
    never closed: the message ends at the first, so one forgotten quote costs one message, told
    when the next has come. A message beyond the limit is one -363; its bytes are dropped as they
    come, up to its LF, and the length a block declares is believed even then.
    """

    def __init__(self, limit: int = LONGEST_MESSAGE, *, end_marked: bool = False) -> None:
        """With `end_marked` the transport calls `end`, and only that ends an indefinite block."""
        self._limit = limit
        self._indefinite = UP_TO_END if end_marked else UP_TO_LF
        self._buffer = bytearray()
        self._start = self._at = 0
        self._look_for = OPEN
        self._held: int | None = None  # the first LF in a string that may be unclosed
        self._discarding = False

    def clear(self) -> None:
        """Device clear: forget a half message."""
        self._buffer.clear()
        self._discarding = False
        self._begin(0)

    def feed(self, data: bytes) -> list[bytes | ScpiError]:
        """The messages these bytes complete, an over-long one as its error."""
        messages: list[bytes | ScpiError] = []
        if self._is_fresh() and len(data) <= self._limit and not HIDES.search(data, 0):
            *whole, data = data.split(b"\n")  # most that is ever sent, at a fifth of the cost
            messages += whole
        self._buffer += data
        while self._advance(messages):
            pass
        self._trim()
        return messages

    def end(self) -> list[bytes | ScpiError]:
        """The transport's END came with the last byte: it ends a message as LF does."""
        messages: list[bytes | ScpiError] = []
        while self._start < len(self._buffer) or self._discarding:
            self._close(len(self._buffer), messages)
            while self._advance(messages):
                pass
        self.clear()
        return messages

    def _is_fresh(self) -> bool:
        return not self._buffer and not self._discarding

    def _advance(self, messages: list[bytes | ScpiError]) -> bool:
        """One step to the next byte that matters; False when more must come first."""
        found = self._look_for.search(self._buffer, self._at)
        here = found.start() if found else len(self._buffer)
        if here - self._start > self._limit and not self._discarding:
            self._overrun(messages)
            return True
        if found is None:
            self._at = max(self._at, here)
            return False
        byte = self._buffer[here]
        self._at = here + 1
        if byte == HASH:
            return self._open_block(here)
        if byte == LF:
            self._line_feed(here, messages)
        else:
            self._look_for = QUOTED[byte] if self._look_for is OPEN else OPEN
        return True

    def _in_string(self) -> bool:
        return self._look_for in QUOTED.values()

    def _line_feed(self, here: int, messages: list[bytes | ScpiError]) -> None:
        if self._in_string() and self._held is None and not self._discarding:
            self._held = here
        else:
            self._close(here, messages)

    def _close(self, here: int, messages: list[bytes | ScpiError]) -> None:
        """The message ends here, or where its unclosed string should have."""
        if self._in_string() and self._held is not None:
            here = self._held
        if not self._discarding:
            message = bytes(self._buffer[self._start : here])
            messages.append(message if len(message) <= self._limit else ScpiError(-363))
        self._discarding = False
        self._begin(here + 1)

    def _overrun(self, messages: list[bytes | ScpiError]) -> None:
        if self._in_string() and self._held is not None:
            self._close(self._held, messages)
        else:
            messages.append(ScpiError(-363))
            self._discarding, self._held = True, None

    def _begin(self, start: int) -> None:
        self._start = self._at = start
        self._look_for = OPEN
        self._held = None

    def _open_block(self, here: int) -> bool:
        """Skip over a block whose header is whole; what is no block header is left alone."""
        header = self._buffer[here + 1 : here + 11]
        width = header[0] - 48 if header else 1
        digits = header[1 : 1 + width]
        if not 0 <= width <= 9 or (digits and not digits.isdigit()):
            return True
        if width == 0:
            self._look_for = self._indefinite
        elif len(digits) < width:
            self._at = here
            return False
        else:
            self._at = here + 2 + width + int(digits)
        self._held = None
        return True

    def _trim(self) -> None:
        """Drop what is done with; while discarding keep one byte for the look back."""
        spent = min(self._at - 1, len(self._buffer)) if self._discarding else self._start
        if spent > 0:
            del self._buffer[:spent]
            self._at -= spent
            self._start -= spent
            if self._held is not None:
                self._held -= spent
