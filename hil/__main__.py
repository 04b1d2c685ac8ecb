"""The front of the rig: `run` without a rack, `rig` alone, `hil` through scenarios."""

import argparse
import contextlib
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from controller.commands import hil, rig, run
from controller.commands.terminal import OUT_OF_REACH, complain
from controller.config import ScpiConfig, WebConfig
from hil import front, standalone
from hil.beside import WORD, RigDied, rig_beside
from hil.host_line import HostLine
from hil.introduction import introduced

PATIENT = {"reply_within_s": 1.0}
ON_A_DESK = {
    "board": {"lease_s": 0.5, **PATIENT},
    "stage": PATIENT,
    "laser": PATIENT,
    "survey": {"side_um": 25.0, "constellation_um": 60.0},
}
"""The world may be some tenths of a second late on a busy desk, and nobody there waits long."""


def main() -> int:
    """Take the very words of `gansource`, which hands over to this."""
    word, words = sys.argv[1], sys.argv[2:]
    if word == "drill":
        from hil import sealed_drill  # one run of `gansource hil`, in a process of its own

        return sealed_drill.main(words[0], int(words[1]), words[2])
    if word == WORD:
        return standalone.beside(int(words[0]))
    if word == "hil":
        return front.hil(_options(word, hil.add_arguments, words))
    if word == "rig":
        return standalone.rig(_options(word, rig.add_arguments, words))
    options = _options(word, run.add_arguments, words)
    standalone.sweep(Path(tempfile.gettempdir()))
    try:
        return run.guarded(lambda: _run(options))
    except RigDied as err:
        return complain(err, OUT_OF_REACH)


def _options(
    word: str, add_arguments: Callable[[argparse.ArgumentParser], None], words: list[str]
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(f"gansource {word}")
    add_arguments(parser)
    return parser.parse_args(words)


async def _run(options: argparse.Namespace) -> None:
    usual, more = ScpiConfig(), dict[str, Mapping[str, Any]](ON_A_DESK)
    port = options.port
    if port is None:
        port, more["scpi"] = _free(usual.port), {"hislip_port": _free(usual.hislip_port)}
        more["web"] = {"port": _free(WebConfig().port)}
    where = options.data or run.data_folder(None) / "rig"
    async with rig_beside(options.seed) as addresses:
        line = HostLine(Path(addresses["control"]).parent)
        await line.open()
        with closing(line):
            config = introduced(addresses, port, line.address, more)
            found = {"scpi_serial": line.path, "rig": addresses["control"]}
            await run.until_stopped(config, where, options.json, found)


def _free(customary: int) -> int:
    """The customary port, or a free one where another instrument has it."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", customary))
        return customary
    return complain(f"port {customary} is taken; listening at a free one", 0)


if __name__ == "__main__":
    sys.exit(main())
