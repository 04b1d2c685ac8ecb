"""gansource register: where the stored sites are now, or an honest no."""

import argparse
import json
from pathlib import Path
from typing import Any

from controller.commands.terminal import BAD_INPUT, DONE, REFUSED, complain, say
from controller.json_file import BadFile, json_in
from controller.whole import save

EXAMPLE = "example: gansource register map.json obs.json --out pose.json"


def add_to(commands: Any, home: Path) -> None:  # noqa: ARG001 - every command is joined alike
    """Join the command line."""
    parser = commands.add_parser(
        "register",
        help="where the stored sites are in an observed field",
        description=f"{__doc__} Status 3: no match can be trusted, and the file says why.",
        epilog=EXAMPLE,
    )
    parser.add_argument("map", type=Path, metavar="MAP.json", help="the stored sites")
    parser.add_argument("obs", type=Path, metavar="OBS.json", help="the spots of one look")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT.json", help="the answer")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON too")
    parser.set_defaults(execute=_execute, hands_on=False)


def _execute(options: argparse.Namespace) -> int:
    from mapping.points_json import as_json, map_of, observation_of
    from mapping.register import registered

    try:
        ids, stored = _understood(options.map, map_of)
        spots = _understood(options.obs, observation_of)
        answer = as_json(registered(stored, spots), ids)
        _write(options.out, answer)
    except BadFile as err:
        return complain(err, BAD_INPUT)
    say(json.dumps(answer) if options.json else _in_words(answer))
    return DONE if answer["matched"] else REFUSED


def _understood(path: Path, understand: Any) -> Any:
    """What the file holds."""
    from mapping.points_json import BadPoints

    try:
        return understand(json_in(path))
    except BadPoints as err:
        raise BadFile(f"{path}: {err}") from err


def _write(path: Path, answer: dict[str, Any]) -> None:
    try:
        save(path, f"{json.dumps(answer)}\n".encode())
    except OSError as err:
        raise BadFile(f"{path}: {err.strerror}; give a place that can be written") from err


def _in_words(answer: dict[str, Any]) -> str:
    if not answer["matched"]:
        return f"no match: {answer['why']}"
    pose = answer["transform"]
    return (
        f"matched {len(answer['inliers'])} sites, turned {pose['theta_rad']:.5f} rad, "
        f"scale {pose['scale']:.5f}, p_false {answer['p_false']:.1e}"
    )
