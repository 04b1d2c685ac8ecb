"""gansource run: the controller, on the rack's devices or, without any, on the embedded rig."""

import argparse
import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller import __version__
from controller.commands.handover import to_rig
from controller.commands.terminal import (
    BAD_INPUT,
    DAMAGED,
    DONE,
    OUT_OF_REACH,
    complain,
    say,
)

if TYPE_CHECKING:  # the parts that cost time to import are imported when they are needed
    from controller.application import Whereabouts
    from controller.config import Config

PLACES = {
    "scpi_tcp": "SCPI TCP",
    "scpi_hislip": "SCPI HiSLIP",
    "scpi_tls": "SCPI TLS",
    "scpi_serial": "SCPI serial",
    "web": "page",
    "data": "data",
    "rig": "rig",
}
EXAMPLE = "example: gansource run --config /etc/gansource/rack.toml --data /var/lib/gansource"


def add_to(commands: Any, home: Path) -> None:
    """Join the command line."""
    parser = commands.add_parser(
        "run",
        help="run the controller; without --config, on the embedded rig",
        description=__doc__,
        epilog=EXAMPLE,
    )
    add_arguments(parser)
    parser.set_defaults(execute=lambda options: execute(options, home), hands_on=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` takes, here and on the rig."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="the rack, as TOML")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where what must survive lies")
    parser.add_argument("--port", type=int, help="TCP port for SCPI; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="of the rig's chance (default 1)")
    parser.add_argument("--json", action="store_true", help="say where it is found as JSON")


def execute(options: argparse.Namespace, home: Path) -> int:
    """On real devices here; on the rig by handing the process over to it."""
    if options.config is None:
        return to_rig(home)

    def work() -> Coroutine[Any, Any, None]:
        from controller import config, machine

        settings = config.load(options.config)
        machine.take(settings.machine.cores, settings.machine.threads)
        if options.port is not None:
            settings = config.with_port(settings, options.port)
        return until_stopped(settings, data_folder(options.data), options.json, {})

    return guarded(work)


def guarded(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run to the end; what an operator can mend is told in a line or two, with its status."""
    from controller.ledger import StoreFault
    from controller.records import ConfigMistakes
    from controller.scpi_server import CannotListen
    from controller.scpi_tls import BadCertificates
    from controller.store import StoreBusy
    from optics.transports import BadAddress

    try:
        asyncio.run(work())
    except (ConfigMistakes, BadAddress, BadCertificates) as err:
        return complain(err, BAD_INPUT)
    except (CannotListen, StoreBusy) as err:
        return complain(err, OUT_OF_REACH)
    except StoreFault as err:
        return complain(err, DAMAGED)
    return DONE


def data_folder(given: Path | None) -> Path:
    """--data, else what the service manager or the desktop provides for state."""
    if given is not None:
        return given
    if by_systemd := os.environ.get("STATE_DIRECTORY"):
        return Path(by_systemd)
    if by_desktop := os.environ.get("XDG_STATE_HOME"):
        return Path(by_desktop) / "gansource"
    return Path(os.environ.get("HOME", "/var/lib")) / ".local" / "state" / "gansource"


async def until_stopped(
    config: "Config", data: Path, as_json: bool, beside: Mapping[str, str]
) -> None:
    """Serve until SIGTERM or SIGINT; `beside` is what else is told of where things are found."""
    from controller import logs
    from controller.application import serve

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # HUP: its terminal is gone
        loop.add_signal_handler(number, stop.set)

    def announce(found: "Whereabouts") -> None:
        logs.set_up(config.log.level, found.run_id)
        told = {**found._asdict(), **beside}
        say((_as_json if as_json else _in_words)(told, config.source.emulated))

    await serve(config, data, stop, announce, {})


def _as_json(told: Mapping[str, str | int], emulated: bool) -> str:
    return json.dumps({"version": __version__, "emulated": emulated, **told})


def _in_words(told: Mapping[str, str | int], emulated: bool) -> str:
    on = "on the RIG: every device is emulated, no light" if emulated else "on real devices"
    places = [(name, told.get(key)) for key, name in PLACES.items()]
    lines = [f"  {name:<13}{place or 'off'}" for name, place in places if place is not None]
    last = f"  {'run':<13}{told['run_id']}, until Ctrl-C"
    return "\n".join([f"gansource {__version__} {on}", *lines, last])
