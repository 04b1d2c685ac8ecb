"""One controller of state at a time, or one party that shares a key; readers are never shut out."""

import asyncio
import contextlib
from typing import NamedTuple, Protocol


class Owner(Protocol):
    """Whoever may hold a lock."""

    @property
    def name(self) -> str:
        """Who that is, for the others to read."""


class Waiting(NamedTuple):
    """One that waits for a lock."""

    owner: Owner
    key: str
    granted: "asyncio.Future[None]"


class Locks:
    """The exclusive lock, and a shared one that many hold who know its key, IVI-6.1 2.5."""

    def __init__(self) -> None:
        self._exclusive: Owner | None = None
        self._sharing: list[Owner] = []
        self._key = ""
        self._waiting: list[Waiting] = []

    @property
    def exclusive(self) -> Owner | None:
        return self._exclusive

    @property
    def holders(self) -> int:
        """How many hold a lock of either kind."""
        return len({id(owner) for owner in (*self._sharing, self._exclusive) if owner is not None})

    def keeps_out(self, owner: Owner) -> Owner | None:
        """Whoever's lock forbids this one to change anything."""
        if self._exclusive is not None:
            return None if self._exclusive is owner else self._exclusive
        if self._sharing and owner not in self._sharing:
            return self._sharing[0]
        return None

    def take(self, owner: Owner, key: str = "") -> bool:
        """Exclusive without a key; False when another's lock stands against it."""
        if self.keeps_out(owner) is not None and not (key and self._joins(key)):
            return False
        if not key:
            self._exclusive = owner
        elif not self._sharing or self._joins(key):
            self._key = key
            if owner not in self._sharing:
                self._sharing.append(owner)
        return not key or owner in self._sharing

    def _joins(self, key: str) -> bool:
        return self._exclusive is None and bool(self._sharing) and key == self._key

    async def wait(self, owner: Owner, key: str, within_s: float) -> bool:
        """Take it as soon as it is free; False when that was not in time."""
        if self.take(owner, key):
            return True
        waiting = Waiting(owner, key, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await waiting.granted
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
        return waiting.granted.done() and not waiting.granted.cancelled()

    def release(self, owner: Owner) -> str:
        """Give back the exclusive lock, else the shared one: which it was, or nothing."""
        kind = ""
        if self._exclusive is owner:
            self._exclusive, kind = None, "exclusive"
        elif owner in self._sharing:
            self._sharing.remove(owner)
            kind = "shared"
        self._grant()
        return kind

    def forget(self, owner: Owner) -> None:
        """It has gone, and its locks with it."""
        self._waiting = [waiting for waiting in self._waiting if waiting.owner is not owner]
        while self.release(owner):
            pass

    def _grant(self) -> None:
        """First come, first served."""
        for waiting in tuple(self._waiting):
            if self.take(waiting.owner, waiting.key):
                self._waiting.remove(waiting)
                if not waiting.granted.done():
                    waiting.granted.set_result(None)
