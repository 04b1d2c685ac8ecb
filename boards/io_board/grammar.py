"""From lines to handlers and back: the board's subset of SCPI. MicroPython and CPython.

One command or query a line, no `;`: a line is obeyed as a whole or not at all.
"""

from framing import Lines, Refused, opened, sealed

MOST_ERRORS = 8
LONGEST_NUMBER = 10  # digits

TEXTS = {
    0: "No error",
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -203: "Command protected",
    -221: "Settings conflict",
    -222: "Data out of range",
    -230: "Data corrupt or stale",
    -240: "Hardware error",
    -310: "System error",
    -350: "Queue overflow",
    -360: "Communication error",
    -363: "Input buffer overrun",
}


def spellings(header: str) -> list[str]:
    """Every accepted form of a header written as in manuals: `GATE?`, `LEASe` as LEAS and LEASE."""
    query = "?" if header.endswith("?") else ""
    forms = [""]
    for node in header.rstrip("?").split(":"):
        short = "".join(char for char in node if not char.islower())
        ways = {short, node.upper()}
        forms = [form + ":" + way if form else way for form in forms for way in ways]
    return [form + query for form in forms]


def integer(word: str) -> int:
    """A decimal integer."""
    digits = word[1:] if word[:1] in ("+", "-") else word
    if not digits.isdigit() or len(digits) > LONGEST_NUMBER:
        raise Refused(-104, word[:12])
    return int(word)


def string(word: str) -> str:
    """A text in double quotes; commas and quotes inside it are not part of this grammar."""
    if len(word) < 2 or word[0] != '"' or word[-1] != '"' or '"' in word[1:-1]:
        raise Refused(-104, word[:12])
    return word[1:-1]


READERS = {"i": integer, "s": string}


class Talker:
    """Lines in, answers out; errors wait in a queue, and what is not understood is not done."""

    def __init__(self, protocol: int, table: dict, alarm) -> None:
        """`table`: header to (handler, kinds of arguments, needs a checksum).

        Announced with `protocol`. Kinds: `i` integer, `s` string; in capitals when it must be
        there. A handler that fails for a reason of its own calls `alarm`.
        """
        self.untrusted = 0  # lines so far that were damaged or meant nothing
        self._protocol, self._alarm = protocol, alarm
        self._lines = Lines()
        self._errors: list = []
        self._entries = {}
        table = dict(table)
        table["*CLS"] = (self._errors.clear, "", False)
        table["SYSTem:ERRor?"] = (self._next_error, "", False)
        table["SYSTem:PROTocol?"] = (self._tell_protocol, "", False)
        self._vocabulary = ",".join(sorted(table))
        for header, entry in table.items():
            for spelling in spellings(header):
                self._entries[spelling] = entry

    def receive(self, data: bytes) -> bytes:
        """Take bytes however they were cut; return what is to be said to them."""
        said = b""
        for line in self._lines.feed(data):
            try:
                said += self._answer(line)
            except Refused as err:
                self._note(err)
        return said

    def _tell_protocol(self) -> str:
        return f'{self._protocol},"{self._vocabulary}"'

    def _next_error(self) -> str:
        number, detail = self._errors.pop(0) if self._errors else (0, "")
        text = TEXTS[number] + (";" + detail if detail else "")
        return f'{number},"{text}"'

    def _note(self, err: Refused) -> None:
        if err.number in (-360, -363) or -200 < err.number <= -100:
            self.untrusted += 1
        self._errors.append((err.number, err.detail))
        if len(self._errors) > MOST_ERRORS:
            self._errors[MOST_ERRORS - 1 :] = [(-350, "")]

    def _answer(self, line) -> bytes:
        if line is None:
            raise Refused(-363)
        body, vouched = opened(line)
        for byte in body:
            if not 32 <= byte <= 126:
                raise Refused(-101, f"{byte:02X}")
        text = body.decode().strip()
        if not text:
            return b""
        said = self._perform(text, vouched)
        if said is None:
            return b""
        said = said.encode()
        return (sealed(said) if vouched else said) + b"\n"

    def _perform(self, text: str, vouched: bool):
        header, _, rest = text.partition(" ")
        header = header.upper()
        if header.startswith(":"):
            header = header[1:]
        if header not in self._entries:
            raise Refused(-113, header[:24].replace('"', ""))
        handler, kinds, guarded = self._entries[header]
        arguments = self._arguments(kinds, rest.strip())
        if guarded and not vouched:
            raise Refused(-203, "checksum wanted")
        try:
            return handler(*arguments)
        except Refused:
            raise
        except Exception as err:  # whatever it is, the light is out and the board still answers
            self._alarm()
            number = -240 if isinstance(err, OSError) else -310
            raise Refused(number, repr(err)[:60].replace('"', "'")) from None

    def _arguments(self, kinds: str, rest: str) -> list:
        words = [word.strip() for word in rest.split(",")] if rest else []
        if len(words) > len(kinds):
            raise Refused(-108)
        if len(words) < len(kinds) and kinds[len(words)].isupper():
            raise Refused(-109)
        return [READERS[kind.lower()](word) for kind, word in zip(kinds, words)]
