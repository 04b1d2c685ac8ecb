"""gansource locate: emitters in camera frames or scan maps."""

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.commands.terminal import BAD_INPUT, DONE, complain, say
from controller.whole import save

if TYPE_CHECKING:  # nothing of `mapping` is imported before the command line has looked where it is
    from mapping.localise import Look

EXAMPLE = "example: gansource locate frames.tif --camera camera.json --out emitters.json"
DIGITS = 6


def add_to(commands: Any, home: Path) -> None:  # noqa: ARG001 - every command is joined alike
    """Join the command line."""
    parser = commands.add_parser(
        "locate",
        help="emitters in camera frames or scan maps",
        description=f"{__doc__} Without --camera one count is taken for one photon, and the offset"
        " is taken from the noise.",
        epilog=EXAMPLE,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "frames", type=Path, nargs="?", metavar="FRAMES", help=".npy, .npz or .tif, camera counts"
    )
    what.add_argument("--scan", type=Path, metavar="COUNTS.npy", help="counted photons per pixel")
    parser.add_argument("--camera", type=Path, metavar="CAMERA.json", help="its calibration")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT.json", help="the answer")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON too")
    parser.add_argument("--data", type=Path, metavar="DIR", help="state folder; not needed here")
    parser.set_defaults(execute=_execute, hands_on=False)


def _execute(options: argparse.Namespace) -> int:
    from controller.json_file import BadFile

    try:
        found = _found(options)
    except BadFile as err:
        return complain(err, BAD_INPUT)
    answer = json.dumps(as_json(found), allow_nan=False)
    try:
        save(options.out, f"{answer}\n".encode())
    except OSError as err:
        reason = f"{err.strerror}; give a place that can be written"
        return complain(f"{options.out}: {reason}", BAD_INPUT)
    say(answer if options.json else _in_words(found))
    return DONE


def _found(options: argparse.Namespace) -> "list[Look]":
    from controller.locate_files import camera_from, frames_from
    from mapping.localise import looks, scan_looks
    from optics.sensor import uncalibrated

    stack = frames_from(options.scan or options.frames, counts=options.scan is not None)
    height, width = stack.shape[1:]
    camera = None if options.camera is None else camera_from(options.camera, (height, width))
    if options.scan is not None:
        return scan_looks(stack, camera.psf_sigma_px if camera else None)
    if not len(stack):
        return []
    return looks(stack, camera or uncalibrated(stack))


def as_json(found: "list[Look]") -> dict[str, Any]:
    """In the form of the contract; what is not known is null."""
    return {
        "frames": [
            {
                "emitters": [
                    {
                        "x": _told(spot.at.x_px),
                        "y": _told(spot.at.y_px),
                        "photons": _told(spot.photons),
                        "background": _told(spot.background),
                        "x_err": _told(spot.x_err),
                        "y_err": _told(spot.y_err),
                        "snr": _told(spot.snr),
                        "flags": list(spot.flags),
                    }
                    for spot in look.spots
                ],
                "rejected": [
                    {"x": _told(spot.at.x_px), "y": _told(spot.at.y_px), "why": spot.why}
                    for spot in look.rejected
                ],
            }
            for look in found
        ]
    }


def _told(value: float) -> float | None:
    return round(value, DIGITS) if math.isfinite(value) else None


def _in_words(found: "list[Look]") -> str:
    spots = sum(len(look.spots) for look in found)
    rejected = sum(len(look.rejected) for look in found)
    return f"{spots} emitters in {len(found)} frames, {rejected} rejected"
