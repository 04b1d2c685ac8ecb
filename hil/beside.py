"""The rig in a process of its own beside a controller, and gone with it.

The world is hard work. In one loop with the controller it held that up for tenths of a second, and
what a host saw of its answers was the rig's doing.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

WORD = "beside"
"""What `python -m hil` calls it; no command for people."""
PATIENCE_S = 60.0  # a board computer that is busy with other things takes long to import NumPy
FAREWELL_S = 10.0


class RigDied(Exception):
    """It ended, or never came to be; it has said why on standard error."""


@asynccontextmanager
async def rig_beside(seed: int) -> AsyncIterator[Mapping[str, str]]:
    """Its endpoints; it stays for as long as the block lasts, or this process lives."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hil", WORD, str(seed)),
        stdin=asyncio.subprocess.PIPE,  # closed by our end, whatever that is
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the controller, which darkens first
    )
    try:
        yield await _endpoints(child)
    finally:
        await _dismissed(child)


async def _endpoints(child: asyncio.subprocess.Process) -> Mapping[str, str]:
    if child.stdout is None:
        raise RuntimeError("a child without pipes")
    line = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            line = await child.stdout.readline()
    if not line:
        raise RigDied("the rig did not start")
    told: Mapping[str, str] = json.loads(line)
    return told


async def _dismissed(child: asyncio.subprocess.Process) -> None:
    if child.stdin is None:
        raise RuntimeError("a child without pipes")
    child.stdin.close()
    try:
        async with asyncio.timeout(FAREWELL_S):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()
