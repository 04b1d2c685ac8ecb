"""gansource keyrate: secure key rate of BB84 without decoys with this source."""

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.commands.terminal import BAD_INPUT, DONE, complain, say

if TYPE_CHECKING:  # nothing of `optics` is imported before the command line has looked where it is
    from optics.key_rate import Interval, Setup, Worth

EXAMPLE = "example: gansource keyrate --mu 0.1 --g2 0.04:0.05 --loss-db 20 --png rate.png"
MOST_PULSES = 1e18


class BadInput(Exception):
    """What cannot be, and what may be instead; one line."""


def add_to(commands: Any, home: Path) -> None:  # noqa: ARG001 - every command is joined alike
    """Join the command line."""
    from optics.key_rate import EPS_CORRECT, EPS_SECRET, MEANINGS

    parser = commands.add_parser(
        "keyrate",
        help="secure key rate of BB84 with this source",
        description=f"{__doc__} A value is a number or an interval LOW:HIGH; with an interval"
        " every result is one too, and holds for all that lies inside.",
        epilog=EXAMPLE,
    )
    for name, (words, low, high, default) in MEANINGS.items():
        note = f"{words}; {low:g} to {high:g}"
        parser.add_argument(
            _option(name),
            type=_figure,
            required=default is None,
            default=default,
            metavar="VALUE",
            help=note if default is None else f"{note} (default {default:g})",
        )
    block = f"triggers in a block: adds its finite key, secret but for a chance of {EPS_SECRET:g}"
    block += f", wrong with {EPS_CORRECT:g}"
    parser.add_argument("--pulses", type=_number, metavar="N", help=block)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw rate over loss")
    parser.add_argument("--data", type=Path, metavar="DIR", help="state folder; not needed here")
    parser.set_defaults(execute=_execute, hands_on=False)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def _figure(text: str) -> "float | Interval":
    from optics.key_rate import Interval

    ends = [_number(end) for end in text.split(":")]
    if len(ends) > 2:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor LOW:HIGH")
    return ends[0] if len(ends) == 1 else Interval(*ends)


def _execute(options: argparse.Namespace) -> int:
    from controller import key_report
    from optics.key_rate import MEANINGS, Interval, Setup, worth

    given = {name: getattr(options, name) for name in MEANINGS}
    spread = {name for name, value in given.items() if isinstance(value, Interval)}
    setup = Setup(
        **{name: end if name in spread else Interval(end, end) for name, end in given.items()}
    )
    try:
        _check(setup, options.pulses)
        found = worth(setup, options.pulses)
        if options.png is not None:
            _draw(options.png, setup, found, options.pulses)
    except BadInput as err:
        return complain(err, BAD_INPUT)
    if options.json:
        answer = key_report.as_json(found, options.pulses, in_intervals=bool(spread))
        say(json.dumps(answer, allow_nan=False))
    else:
        say("\n".join(key_report.in_words(setup, found, options.pulses)))
    return DONE


def _check(setup: "Setup", pulses: float | None) -> None:
    from optics.key_rate import MEANINGS

    mistakes = []
    for name, (low, high) in setup._asdict().items():
        words, lowest, highest, _ = MEANINGS[name]
        if low > high:
            mistakes.append(f"{_option(name)} {low:g}:{high:g} falls, write {high:g}:{low:g}")
        elif low < lowest or high > highest:
            mistakes.append(f"{_option(name)} must be within {lowest:g} to {highest:g} ({words})")
    if pulses is not None and not 1 <= pulses <= MOST_PULSES:
        mistakes.append(f"--pulses must be within 1 to {MOST_PULSES:g}")
    if mistakes:
        raise BadInput("; ".join(mistakes))


def _draw(path: Path, setup: "Setup", found: "Worth", pulses: float | None) -> None:
    from controller.key_report import picture
    from controller.whole import save

    try:
        save(path, picture(setup, found, pulses))
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or err
        raise BadInput(f"--png {path}: {reason}; give a file that can be written") from err
