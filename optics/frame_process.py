"""A frame server started for one camera and joined to us by a socket that has no name.

It ends when we do, since the socket does. When it crashes the socket closes, which is a lost
device; opening again starts another.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from optics.transports import Opener, ProtocolFactory, is_address, opener_for

ENDS_WITHIN_S = 1.0
MODULE = "optics.frame_server"
SOURCES = ("aravis", "pylon", "v4l2", "file")


def camera_opener(address: str, in_memory: Mapping[str, Opener]) -> Opener:
    """A frame server of our own for `aravis://` and the like; else one that runs already.

    ValueError for an address that is none.
    """
    is_source = urlsplit(address).scheme in SOURCES
    return FrameProcess(address) if is_source else opener_for(address, in_memory)


def is_camera_address(address: str) -> bool:
    """Whether it could lead to a camera."""
    return urlsplit(address).scheme in SOURCES or is_address(address)


class FrameProcess:
    """An opener, as `transports` has them, whose device is a process of ours."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._process: asyncio.subprocess.Process | None = None

    async def __call__(self, protocol: ProtocolFactory) -> None:
        await self.aclose()
        ours, theirs = socket.socketpair()
        with theirs:
            words = ("-m", MODULE, self._source, "--descriptor", str(theirs.fileno()))
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *words, pass_fds=(theirs.fileno(),)
            )
        await asyncio.get_running_loop().create_connection(protocol, sock=ours)

    @property
    def pid(self) -> int | None:
        """Of the process that serves, for whoever watches it."""
        return self._process.pid if self._process else None

    async def aclose(self) -> None:
        """Nothing of it is left."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN_S):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
