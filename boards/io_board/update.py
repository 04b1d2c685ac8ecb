"""New firmware over the line: into the spare slot, valid only once all of it is proven."""

import binascii
import hashlib

from framing import Refused
from slots import BOOT, MANIFEST

WRITTEN_AT_ONCE = 2048
LONGEST_NAME = 32


class Update:
    """BEGin empties the spare slot, DATA fills it, COMMit checks what the flash gives back."""

    def __init__(self, slots) -> None:
        self._slots, self._storage = slots, slots.storage
        self._begun = False
        self._name = ""
        self._size = 0  # of the file in hand, with what is still in memory
        self._pending = b""

    def begin(self) -> None:
        """Empty the spare slot; half emptied it no longer fits its manifest."""
        if self._slots.on_trial:
            raise Refused(-221, "slot " + self._slots.running + " is on trial")
        slot = self._slots.spare
        for name in self._storage.names(slot):
            self._storage.remove(slot + "/" + name)
        self._begun, self._name, self._size, self._pending = True, "", 0, b""

    def data(self, name: str, offset: int, text: str) -> None:
        """The next bytes of a file, in hexadecimal; the same bytes twice do no harm."""
        self._must_have_begun()
        if not name or len(name) > LONGEST_NAME or "/" in name or name in (MANIFEST,) + BOOT:
            raise Refused(-222, "file name")
        try:
            block = binascii.unhexlify(text)
        except ValueError:
            raise Refused(-104, "hexadecimal") from None
        if name != self._name:
            self._flush()
            self._name, self._size = name, 0
        if offset + len(block) == self._size and offset != self._size:
            return
        if offset != self._size:
            raise Refused(-222, f"offset, expected {self._size}")
        self._pending += block
        self._size += len(block)
        if len(self._pending) >= WRITTEN_AT_ONCE:
            self._flush()

    def progress(self) -> str:
        """The file in hand and how much of it has arrived."""
        return f'"{self._name}",{self._size}'

    def commit(self, identity: str) -> None:
        """Make the slot valid, if the manifest of what the flash holds has this SHA-256."""
        self._must_have_begun()
        self._flush()
        slot = self._slots.spare
        names = self._storage.names(slot)
        lines = [f"{name} {self._storage.digest(slot + '/' + name)}\n" for name in names]
        manifest = "".join(lines).encode()
        if binascii.hexlify(hashlib.sha256(manifest).digest()).decode() != identity.lower():
            raise Refused(-230, "hash of slot " + slot)
        self._storage.write(slot + "/" + MANIFEST, manifest)
        self._begun = False

    def switch(self) -> None:
        if not self._slots.intact(self._slots.spare):
            raise Refused(-221, "slot " + self._slots.spare + " is not whole")
        self._slots.switch()

    def _must_have_begun(self) -> None:
        if not self._begun:
            raise Refused(-221, "no update begun")

    def _flush(self) -> None:
        if self._pending:
            self._storage.append(self._slots.spare + "/" + self._name, self._pending)
            self._pending = b""
