"""Everything that proves the project: `python tests/run.py [--full] [pytest arguments]`.

With pytest arguments only pytest runs, alone and unbuffered.
"""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent

STATIC = {
    "ruff check": ["ruff", "check", "--output-format=concise"],
    "ruff format": ["ruff", "format", "--check"],
    "mypy": ["mypy"],
    "lint-imports": ["lint-imports"],
}
WITHOUT_FULL = ["-m", "not full"]


class Stage(NamedTuple):
    name: str
    returned: int
    seconds: float
    output: str

    def line(self) -> str:
        return f"{'FAIL' if self.returned else 'ok':5}{self.name:13}{self.seconds:6.1f} s"


async def run(name: str, command: list[str], *, echo: bool = False) -> Stage:
    """Run to the end; `echo` shows the output while it comes."""
    clock = asyncio.get_running_loop()
    began_s = clock.time()
    child = await asyncio.create_subprocess_exec(
        TOOLS / command[0],
        *command[1:],
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert child.stdout
    output = b""
    while chunk := await child.stdout.read(4096):
        output += chunk
        if echo:
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
    return Stage(name, await child.wait(), clock.time() - began_s, output.decode(errors="replace"))


def counts(pytest: Stage) -> tuple[int, int]:
    """Passed and failed, from pytest's last line; an error of a fixture is a failure."""
    last = pytest.output.strip().rpartition("\n")[2]
    told = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", last)}
    failed = told.get("failed", 0) + told.get("error", 0)
    return told.get("passed", 0), failed or int(pytest.returned != 0)


async def everything(selection: list[str]) -> int:
    """The quick checks side by side, then the tests; the sum of all in the last line."""
    static = [asyncio.create_task(run(name, command)) for name, command in STATIC.items()]
    broken = 0
    for checking in static:
        stage = await checking
        broken += stage.returned != 0
        print(stage.line() + f"\n{stage.output}" * (stage.returned != 0), flush=True)
    colour = ["--color=yes"] * sys.stdout.isatty()
    command = [sys.executable, "-m", "pytest", "-n", "2", *colour, *selection]
    pytest = await run("pytest", command, echo=True)
    passed, failed = counts(pytest)
    print(pytest.line())
    print(f"{passed + len(STATIC) - broken} passed, {failed + broken} failed")
    return int(broken + failed > 0)


def main() -> int:
    handed_on = [argument for argument in sys.argv[1:] if argument != "--full"]
    selection = [] if "--full" in sys.argv else WITHOUT_FULL
    if handed_on:
        command = [sys.executable, "-m", "pytest", *selection, *handed_on]
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    return asyncio.run(everything(selection))


if __name__ == "__main__":
    sys.exit(main())
