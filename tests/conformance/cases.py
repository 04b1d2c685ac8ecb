"""The cases of conformance as data: what is sent, what must come back, which errors are found.

A line of a `.txt` file is `sent => answers ! errors`; the `#` line above it names the clause and
the idea. What is sent ends in LF. `\\n` and the like are bytes; `{...}` is something done to the
instrument at that place, or a word of MACROS; `{}` only cuts the bytes in two.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from controller import __version__

FOLDER = Path(__file__).parent
LINE = re.compile(r"(?P<sent>.*?)\s*=>\s*(?P<answers>.*?)\s*(?:! (?P<errors>[-{].*?))?(?:\s*##.*)?")
MACROS = {
    "{300 zeros}": 300 * "0",
    "{64 x}": f'"{64 * "x"}"',
    "{65 x}": f'"{65 * "x"}"',
    "{backslash}": r"\x5c",
    "{overrun}": ((1 << 20) + 1) * "A",
    "{200 pictures}": "{big picture}" + ";".join(9 * [":MAP:IMAG?"]),
    "{32 errors}": 32 * r"NONSENSE\n",
    "{33 errors}": 33 * r"NONSENSE\n",
    "{40 errors}": 40 * r"NONSENSE\n",
    "{32 of -113}": " ".join(32 * ["-113"]),
    "{31 of -113}": " ".join(31 * ["-113"]),
    "{version}": __version__,
    "{key rate}": "60.78435251413126,136.97938926559277",  # 1e6 times `gansource keyrate`'s
}
NUMBERS = {"{date}": r"\d{4},\d{1,2},\d{1,2}", "{time}": r"\d{1,2},\d{1,2},\d{1,2}"}
DEED = re.compile(r"\{([^}]*)\}")


class Case(NamedTuple):
    """One promise; `steps` are bytes to send and deeds to do, in turn."""

    clause: str
    line: str
    steps: tuple[bytes | str, ...]
    answers: re.Pattern[bytes]
    errors: tuple[int, ...]

    @property
    def is_plain(self) -> bool:
        """One message and at most one answer, with nothing done to the instrument."""
        return len(self.steps) == 1 and rb"\n" not in self.line.encode().rstrip(rb"\n")


def all_cases() -> Iterator[Case]:
    """Every line of every file here."""
    for path in sorted(FOLDER.glob("*.txt")):
        clause = ""
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("#"):
                clause = line.removeprefix("# ")
            elif line.strip():
                yield _case(clause, line)


def _case(clause: str, line: str) -> Case:
    text = line
    for macro, words in MACROS.items():
        text = text.replace(macro, words)
    found = LINE.fullmatch(text)
    assert found, line
    errors = tuple(map(int, (found["errors"] or "").split()))
    return Case(clause, line, tuple(_steps(found["sent"])), _expected(found["answers"]), errors)


def _steps(sent: str) -> Iterator[bytes | str]:
    """Text and deeds come in turn; the last text ends in LF."""
    parts = DEED.split(sent)
    parts[-1] += "\n"
    for number, part in enumerate(parts):
        if number % 2 == 0 and part:
            yield _bytes(part)
        elif number % 2 == 1 and part:
            yield part


def _bytes(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def _expected(answers: str) -> re.Pattern[bytes]:
    pattern = re.escape(_bytes(answers) + b"\n" * bool(answers))
    for name, digits in NUMBERS.items():
        pattern = pattern.replace(re.escape(name.encode()), digits.encode())
    return re.compile(pattern)
