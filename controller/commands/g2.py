"""gansource g2: photon statistics from time tags."""

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from controller.commands.terminal import BAD_INPUT, DONE, REFUSED, USAGE, complain, say

if TYPE_CHECKING:  # the parts that cost time to import are imported when they are needed
    from controller.photon_reading import Question
    from controller.photon_report import Outcome

T = TypeVar("T")

EXAMPLE = "example: gansource g2 run.ptu --out g2.json --jitter-ps 150 --dark 80,120"
LONGEST_PS = 10**17  # some 28 hours
MOST_BINS = 2_000_000


def add_to(commands: Any, _: Path) -> None:
    """Join the command line."""
    parser = commands.add_parser(
        "g2", help="photon statistics from time tags", description=__doc__, epilog=EXAMPLE
    )
    add_arguments(parser)
    parser.set_defaults(execute=execute, hands_on=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `g2` takes."""
    add = parser.add_argument
    add("tags", type=Path, metavar="TAGS", help=".ptu (T2, T3), or .npz with time_ps and channel")
    add("--out", type=Path, required=True, metavar="OUT.json", help="where the results go")
    add("--channels", type=pair(channel), metavar="A,B", help="detectors (default: the two there)")
    add("--sync", type=channel, metavar="CH", help="channel of the laser's clock")
    add("--bin-ps", type=whole(1), default=100, metavar="N", help="default 100")
    add("--window-ps", type=whole(1), metavar="N", help="to each side (default 100000 or more)")
    add("--mode", choices=("cw", "pulsed"), help="default: pulsed if the pairs come in pulses")
    add("--delay-ps", type=whole(-LONGEST_PS), metavar="D", help="of B after A (default: found)")
    add("--jitter-ps", type=positive, metavar="S", help="standard deviation of one detector")
    add("--dark", type=pair(positive), metavar="A,B", help="dark clicks per second")
    add("--background", type=share, metavar="F", help="share of all clicks that is other light")
    add("--png", type=Path, metavar="FILE", help="draw the correlation")
    add("--json", action="store_true", help="print the results without the lists, as JSON")
    add("--data", type=Path, metavar="DIR", help="the state folder; nothing of it is needed here")


def execute(options: argparse.Namespace) -> int:
    """Read, count, judge, write."""
    if mistake := _mistake(options):
        return complain(mistake, USAGE)
    from controller.photon_reading import measure
    from controller.photon_report import as_json, in_words
    from optics.corrections import NothingLeft
    from optics.photon_statistics import TooFewPhotons
    from optics.tags import BadTags

    try:
        outcome = measure(_question(options))
    except TooFewPhotons as err:
        return complain(f"{options.tags}: {err}", REFUSED)
    except NothingLeft:
        return complain(f"{options.tags}: no clicks beyond --dark and --background", BAD_INPUT)
    except (BadTags, OSError) as err:
        return complain(f"{options.tags}: {err}", BAD_INPUT)
    results = as_json(outcome)
    try:
        _save(options, results, outcome)
    except OSError as err:
        return complain(f"{err.filename or options.out}: {err.strerror}", BAD_INPUT)
    for warning in outcome.warnings:
        complain(f"{options.tags}: {warning}", DONE)
    say(_short(results) if options.json else in_words(outcome))
    return DONE


def _mistake(options: argparse.Namespace) -> str | None:
    """What cannot be meant as it was written."""
    if options.channels and options.channels[0] == options.channels[1]:
        return "--channels names one detector twice; g2 needs two"
    if options.channels and options.sync in options.channels:
        return "--sync names a detector; it needs a channel of its own"
    for path in filter(None, (options.out, options.png)):
        if not path.parent.is_dir() or path.is_dir():
            return f"{path} cannot be written; name a file in a folder that exists"
    if options.out.exists() and options.tags.exists() and options.out.samefile(options.tags):
        return f"{options.out} is the recording itself; name another file with --out"
    if options.window_ps and 2 * options.window_ps / options.bin_ps > MOST_BINS:
        return f"more than {MOST_BINS} bins; take wider ones with --bin-ps"
    return None


def _question(options: argparse.Namespace) -> "Question":
    from controller.photon_reading import Question
    from optics.corrections import Lights
    from optics.photon_statistics import Known

    lights = None
    if options.dark is not None or options.background is not None:
        lights = Lights(options.dark or (0.0, 0.0), options.background or 0.0)
    return Question(
        options.tags, options.channels, options.sync, options.bin_ps, options.window_ps,
        options.mode, options.delay_ps, Known(options.jitter_ps, lights),
    )  # fmt: skip


def _save(options: argparse.Namespace, results: dict[str, Any], outcome: "Outcome") -> None:
    from controller.whole import save

    if options.png:
        from controller.photon_report import picture

        save(options.png, picture(outcome))
    save(options.out, json.dumps(results, allow_nan=False).encode())


def _short(results: dict[str, Any]) -> str:
    lists = ("tau_ps", "counts", "g2", "norm")
    return json.dumps({name: value for name, value in results.items() if name not in lists})


def whole(least: int) -> Callable[[str], int]:
    """A whole number, also written 1e5, not below the least."""

    def parse(text: str) -> int:
        value = float(text)
        if not least <= value <= LONGEST_PS or value != int(value):
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {least} on")
        return int(value)

    return parse


def positive(text: str) -> float:
    """A number not below zero."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 on")
    return value


def share(text: str) -> float:
    """A part of one."""
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} is no share from 0 up to 1")
    return value


def channel(text: str) -> int:
    """A channel number."""
    value = int(text)
    if not 0 <= value <= 255:
        raise argparse.ArgumentTypeError(f"{text} is no channel from 0 to 255")
    return value


def pair(parse: Callable[[str], T]) -> Callable[[str], tuple[T, T]]:
    """Two of them, with a comma between."""

    def both(text: str) -> tuple[T, T]:
        first, comma, second = text.partition(",")
        if not comma:
            raise argparse.ArgumentTypeError(f"{text} should be two, like 0,1")
        return parse(first), parse(second)

    return both
