"""gansource flash: new firmware for the I/O board, tried, and kept only when it is healthy."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.commands.progress import Progress
from controller.commands.terminal import BAD_INPUT, DONE, OUT_OF_REACH, complain, say

if TYPE_CHECKING:  # nothing of `optics` is imported before the command line has looked where it is
    from collections.abc import Mapping

    from optics.board_firmware import Firmware
    from optics.board_flash import Flashed

EXAMPLE = "example: gansource flash --port /dev/gansource-board"
PORT = "/dev/gansource-board"  # by boards/profiles/99-gansource.rules


def add_to(commands: Any, home: Path) -> None:
    """Join the command line."""
    parser = commands.add_parser(
        "flash",
        help="put firmware on the I/O board",
        description=f"{__doc__} The controller must not be running. Whatever cuts this short, and"
        " whenever, the board goes on with the firmware it had.",
        epilog=EXAMPLE,
    )
    parser.add_argument("--port", default=PORT, help=f"device path or address (default {PORT})")
    parser.add_argument(
        "--firmware",
        type=Path,
        default=home / "boards" / "io_board",
        metavar="DIR",
        help="another firmware than this clone's",
    )
    parser.add_argument(
        "--blank",
        action="store_true",
        help="the board has MicroPython and nothing of ours: put the boot code on it first",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--data", type=Path, metavar="DIR", help="state folder; not needed here")
    parser.set_defaults(execute=_execute, hands_on=False)


def _execute(options: argparse.Namespace) -> int:
    from optics.board_firmware import BadFirmware, boot_code, load
    from optics.board_flash import GivenUp
    from optics.faults import DeviceFault
    from optics.transports import BadAddress

    port = options.port if "://" in options.port else f"serial://{Path(options.port).absolute()}"
    try:
        boot = boot_code(options.firmware) if options.blank else None
        flashed = asyncio.run(_flash(port, load(options.firmware), boot))
    except (BadFirmware, BadAddress) as err:
        return complain(err, BAD_INPUT)
    except GivenUp as err:
        words = f"the new firmware was given up: {err}; the board runs what it ran before"
        return complain(words, BAD_INPUT)
    except DeviceFault as err:
        words = f"{err}; is it {options.port}, and does no controller run? Then flash it again"
        return complain(words, OUT_OF_REACH)
    say(json.dumps(flashed._asdict()) if options.json else _in_words(flashed))
    return DONE


async def _flash(
    address: str, firmware: "Firmware", boot: "Mapping[str, bytes] | None"
) -> "Flashed":
    from optics.board_flash import BoardFlash
    from optics.transports import opener_for

    board, progress = BoardFlash(opener_for(address, {})), Progress("flashing", silent_s=0.0)
    try:
        if boot is not None:
            await _install(address, boot)
            await board.appears()
        return await board.flash(firmware, progress.at)
    finally:
        progress.done()
        await board.aclose()


async def _install(address: str, boot: "Mapping[str, bytes]") -> None:
    from optics.board_console import BoardConsole
    from optics.transports import opener_for

    console = BoardConsole(opener_for(address, {}))
    try:
        await console.install(boot)
    finally:
        await console.aclose()


def _in_words(flashed: "Flashed") -> str:
    board = f"board {flashed.serial}"
    if flashed.changed:
        lines = [f"{board}: {flashed.before} -> {flashed.version} in slot {flashed.slot}, kept"]
    else:
        lines = [f"{board}: runs {flashed.version} already, the very same files"]
    if flashed.failing:
        lines.append(f"  self-test: no answer from {', '.join(flashed.failing)}, as before")
    return "\n".join(lines)
