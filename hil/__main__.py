"""The whole controller on the embedded rig, for a desk without a rack."""

import argparse
import contextlib
import socket
import sys

from controller.commands import run
from controller.commands.terminal import complain
from controller.config import ScpiConfig
from hil.rig import WiredRig
from hil.wires import Manners


def main() -> int:
    """Take the arguments of `gansource run`, which hands over to this when it has no rack."""
    parser = argparse.ArgumentParser("gansource run")
    run.add_arguments(parser)
    options = parser.parse_args()
    return run.guarded(lambda: _run(options))


async def _run(options: argparse.Namespace) -> None:
    async with WiredRig(options.seed, Manners()) as rig:
        usual = ScpiConfig()
        if options.port is None:
            config = rig.config(_free(usual.port), scpi={"hislip_port": _free(usual.hislip_port)})
        else:
            config = rig.config(options.port)
        where = options.data or run.data_folder(None) / "rig"
        await run.until_stopped(config, where, rig.in_memory, options.json, rig.scpi_serial)


def _free(customary: int) -> int:
    """The customary port, or a free one where another instrument has it."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", customary))
        return customary
    return complain(f"port {customary} is taken; listening at a free one", 0)


if __name__ == "__main__":
    sys.exit(main())
