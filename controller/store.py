"""What must survive, for the event loop: reads from memory, writes acknowledged by the disk."""

import asyncio
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from controller.ledger import (
    Database,
    Ledger,
    Row,
    Write,
    audit,
    begin_run,
    connect,
    end_run,
    set_setting,
    together,
)

DATABASE, LOCK = "gansource.sqlite", "lock"


class StoreBusy(Exception):
    """The folder cannot be ours: another controller works on it, or the system refuses it."""


def utc_now() -> datetime:
    """By way of time.time, which the rig can replace; datetime.now it could not."""
    return datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 - a date, not a duration


class Store:
    """One thread owns the database; writes that arrive during a commit share the next one."""

    def __init__(
        self,
        ledger: Ledger,
        thread: ThreadPoolExecutor,
        held: ExitStack,
        settings: dict[str, str],
        now: Callable[[], datetime],
    ) -> None:
        self._ledger, self._thread, self._held = ledger, thread, held
        self._settings, self._now = settings, now
        self._run_id = 0
        self._queue: list[_Pending] = []
        self._committing: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        folder: Path,
        now: Callable[[], datetime] = utc_now,
        connection: Callable[[Path], Database] = connect,
    ) -> "Store":
        """StoreBusy when the folder cannot be ours; StoreDamaged when it cannot be trusted."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="store")

        def take() -> Store:
            with ExitStack() as held:
                held.enter_context(_locked(folder))
                ledger = Ledger(folder / DATABASE, connection)
                held.callback(ledger.close)
                rows = ledger.read("SELECT name, value FROM setting")
                return cls(ledger, thread, held.pop_all(), dict(rows), now)

        taking = asyncio.get_running_loop().run_in_executor(thread, take)
        try:
            return await asyncio.shield(taking)
        except BaseException:
            await asyncio.wait({taking})
            if taking.exception() is None:  # we were cancelled, and it was taken all the same
                await taking.result().aclose()
            await asyncio.to_thread(thread.shutdown)
            raise

    def setting(self, name: str, default: str) -> str:
        """The last value that is on the disk."""
        return self._settings.get(name, default)

    async def set_setting(self, name: str, value: str) -> None:
        """Known to readers once it is on the disk."""
        await self.set_settings({name: value})

    async def set_settings(self, values: Mapping[str, str], *more: Write) -> None:
        """All of them, and whatever else must be true with them, or nothing."""
        writes = [*(set_setting(*item) for item in values.items()), *more]
        await self.write(together(*writes), then=lambda _: self._settings.update(values))

    @property
    def run_id(self) -> int:
        return self._run_id

    async def begin_run(self) -> int:
        """Number this start; a run that never ended was cut."""
        await self.write(begin_run(self.stamp()), then=self._number)
        return self._run_id

    async def end_run(self, how: str) -> None:
        await self.write(end_run(self._run_id, self.stamp(), how))

    async def audit(self, who: str, what: str) -> None:
        """Keep who did what."""
        await self.write(audit(self.stamp(), who, what))

    async def read(self, sql: str, *values: Any) -> list[Row]:
        """What is on the disk, in the order of the writes asked for before."""
        while self._committing is not None:
            await asyncio.wait({self._committing})
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._ledger.read, sql, *values)

    async def aclose(self) -> None:
        """Finish what is under way, then give file, lock and thread back."""
        while self._committing is not None:
            await asyncio.wait({self._committing})
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._held.close)
        await asyncio.to_thread(self._thread.shutdown)

    def _number(self, run_id: int) -> None:
        self._run_id = run_id

    def stamp(self) -> str:
        """The date and time, as it is kept."""
        return self._now().isoformat(timespec="milliseconds")

    async def write(self, write: Write, then: Callable[[Any], None] = lambda _: None) -> None:
        """Return once it is on the disk; a cancelled caller changes nothing."""
        pending = _Pending(write, then, asyncio.get_running_loop().create_future())
        self._queue.append(pending)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        await pending.done

    async def _commit(self) -> None:
        try:
            while self._queue:
                await self._commit_queue()
        finally:
            self._committing = None

    async def _commit_queue(self) -> None:
        loop = asyncio.get_running_loop()
        batch, self._queue = self._queue, []
        writes = [pending.write for pending in batch]
        try:
            results = await loop.run_in_executor(self._thread, self._ledger.write, writes)
        except Exception as fault:  # noqa: BLE001 - whoever asked must not wait for ever
            for pending in batch:
                pending.settle(fault)
        else:
            for pending, result in zip(batch, results, strict=True):
                pending.then(result)
                pending.settle()


class _Pending(NamedTuple):
    """A write that waits for its commit, and what is true of memory after it."""

    write: Write
    then: Callable[[Any], None]
    done: "asyncio.Future[None]"

    def settle(self, fault: Exception | None = None) -> None:
        if self.done.done():
            return  # whoever asked no longer waits
        if fault is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(fault)


def _locked(folder: Path) -> FileIO:
    """Make the folder if need be; it is ours alone until the file is closed."""
    with ExitStack() as held, _refusal_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = held.enter_context((folder / LOCK).open("a+b", buffering=0))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            lock.seek(0)
            holder = lock.read().decode().strip() or "?"
            raise StoreBusy(
                f"{folder}: a controller with process id {holder} works on it; "
                "stop that one or choose another folder with --data"
            ) from err
        lock.truncate(0)
        lock.write(b"%d\n" % os.getpid())
        _flush_names(folder)
        held.pop_all()
        return lock


@contextmanager
def _refusal_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise StoreBusy(f"{folder}: {err.strerror}; choose another folder with --data") from err


def _flush_names(folder: Path) -> None:
    """A file survives a power cut only when its name does, in every folder that may be new."""
    for place in (folder, *folder.parents):
        if not os.access(place, os.R_OK):
            continue  # none of our making
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
