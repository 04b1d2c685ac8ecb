"""The serial line between a host and the controller: two pseudo-terminals joined."""

from pathlib import Path

from hil.ports import PtyPort


class HostLine:
    """What goes into one end comes out at the other, while it is open."""

    def __init__(self, folder: Path) -> None:
        self._ours, self._hosts = PtyPort(folder / "scpi-inside"), PtyPort(folder / "scpi")
        self._ours.heard, self._hosts.heard = self._hosts.send, self._ours.send
        self.address = self._ours.address  # the controller's end
        self.path = str(self._hosts.link)  # the host's

    async def open(self) -> None:
        await self._ours.open()
        await self._hosts.open()

    def close(self) -> None:
        self._ours.close()
        self._hosts.close()
