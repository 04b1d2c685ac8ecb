"""Frames in memory that the frame server shares with its client: slots of equal size.

The memory has no name that could be left behind: it is an open file of the server's, found under
/proc by whoever runs on the same machine as the same user, and told from another by its token.
"""

import mmap
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from optics.frame_protocol import FrameHead
from optics.pixels import BadPixels

_OURS = re.compile(r"/proc/[0-9]+/fd/[0-9]+")
HEAD_BYTES = 4096  # holds the token, and lets every slot begin on a page


class FrameMemory:
    """A number of slots; whoever maps it sees what the other writes."""

    def __init__(self, descriptor: int, slots: int, slot_bytes: int) -> None:
        self.slots, self.slot_bytes = slots, slot_bytes
        self._map = mmap.mmap(descriptor, HEAD_BYTES + slots * slot_bytes)

    @classmethod
    def made(cls, slots: int, slot_bytes: int) -> tuple["FrameMemory", dict[str, object]]:
        """The server's side, and what it tells its clients."""
        rounded = -(-slot_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        descriptor = os.memfd_create("frames")
        os.ftruncate(descriptor, HEAD_BYTES + slots * rounded)
        memory, token = cls(descriptor, slots, rounded), secrets.token_hex(16)
        memory._map[: len(token)] = token.encode()
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
        told = {"memory": path, "slots": slots, "slot_bytes": rounded, "token": token}
        return memory, told

    @classmethod
    def found(cls, told: Mapping[str, str]) -> "FrameMemory | None":
        """The client's side; None where the server is out of reach of shared memory."""
        if not _OURS.fullmatch(told["memory"]):
            return None
        try:
            with Path(told["memory"]).open("r+b") as file:
                memory = cls(file.fileno(), int(told["slots"]), int(told["slot_bytes"]))
        except (OSError, KeyError, ValueError):  # another machine, another user, or nonsense
            return None
        token = told.get("token", "").encode()
        if token and memory._map[: len(token)] == token:
            return memory
        memory.close()
        return None

    def view(self, slot: int) -> memoryview:
        """The bytes of one slot."""
        start = HEAD_BYTES + slot * self.slot_bytes
        return memoryview(self._map)[start : start + self.slot_bytes]

    def slot(self, head: FrameHead) -> memoryview:
        """The bytes of a frame that lies in a slot."""
        if not 0 <= head.slot < self.slots or head.bytes > self.slot_bytes:
            raise BadPixels(f"slot {head.slot} of {self.slots}, {head.bytes} bytes")
        return self.view(head.slot)[: head.bytes]

    def close(self) -> None:
        """Let go of it; a view that is still held keeps its part alive until it goes."""
        try:
            self._map.close()
        except BufferError:
            return
