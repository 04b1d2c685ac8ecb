"""What must survive, for the event loop: reads from memory, writes acknowledged by the disk."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from controller.ledger import (
    Ledger,
    StoreFault,
    Write,
    audit,
    begin_run,
    end_run,
    set_setting,
)

DATABASE, LOCK = "gansource.sqlite", "lock"


class StoreBusy(Exception):
    """Another controller works on the same data."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """One thread owns the database; writes that arrive during a commit share the next one."""

    def __init__(
        self, ledger: Ledger, lock: IO[str], thread: ThreadPoolExecutor, now: Callable[[], datetime]
    ) -> None:
        self._ledger, self._lock, self._thread, self._now = ledger, lock, thread, now
        self._settings: dict[str, str] = dict(ledger.read("SELECT name, value FROM setting"))
        self._run_id = 0
        self._queue: list[_Pending] = []
        self._committing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, folder: Path, now: Callable[[], datetime] = utc_now) -> "Store":
        """StoreBusy while another process has it; StoreDamaged when it cannot be trusted."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        loop = asyncio.get_running_loop()
        try:
            ledger, lock = await loop.run_in_executor(thread, _open, folder)
            return await loop.run_in_executor(thread, cls, ledger, lock, thread, now)
        except BaseException:
            await asyncio.to_thread(thread.shutdown)
            raise

    def setting(self, name: str, default: str) -> str:
        """The last value that is on the disk."""
        return self._settings.get(name, default)

    async def set_setting(self, name: str, value: str) -> None:
        """Known to readers once it is on the disk."""
        await self._write(
            set_setting(name, value), then=lambda: self._settings.update({name: value})
        )

    async def begin_run(self) -> int:
        """Number this start; a run that never ended was cut."""
        self._run_id = await self._write(begin_run(self._stamp()))
        return self._run_id

    async def end_run(self, how: str) -> None:
        await self._write(end_run(self._run_id, self._stamp(), how))

    async def audit(self, who: str, what: str) -> None:
        """Keep who did what."""
        await self._write(audit(self._stamp(), who, what))

    async def aclose(self) -> None:
        """Finish what is under way, then give file, lock and thread back."""
        while self._committing is not None:
            await asyncio.wait({self._committing})
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._ledger.close)
        self._lock.close()
        await asyncio.to_thread(self._thread.shutdown)

    def _stamp(self) -> str:
        return self._now().isoformat(timespec="milliseconds")

    async def _write(self, write: Write, then: Callable[[], None] = lambda: None) -> Any:
        """The write's result, once it is on the disk; a cancelled caller changes nothing."""
        pending = _Pending(write, then, asyncio.get_running_loop().create_future())
        self._queue.append(pending)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        return await pending.done

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            batch, self._queue = self._queue, []
            writes = [pending.write for pending in batch]
            try:
                results = await loop.run_in_executor(self._thread, self._ledger.write, writes)
            except StoreFault as fault:
                for pending in batch:
                    pending.settle(error=fault)
            else:
                for pending, result in zip(batch, results, strict=True):
                    pending.then()
                    pending.settle(result=result)
        self._committing = None


class _Pending(NamedTuple):
    """A write that waits for its commit, and what is true of memory after it."""

    write: Write
    then: Callable[[], None]
    done: "asyncio.Future[Any]"

    def settle(self, result: Any = None, error: Exception | None = None) -> None:
        if self.done.done():
            return  # whoever asked no longer waits
        if error is None:
            self.done.set_result(result)
        else:
            self.done.set_exception(error)


def _open(folder: Path) -> tuple[Ledger, IO[str]]:
    """Make the folder if need be, and take it for ourselves alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("a+")
    except OSError as err:
        raise StoreBusy(f"{folder}: {err.strerror}; choose another folder with --data") from err
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        _flush_names(folder)
        return Ledger(folder / DATABASE), lock
    except BlockingIOError as err:
        lock.seek(0)
        holder = lock.read().strip() or "?"
        lock.close()
        raise StoreBusy(
            f"{folder}: a controller with process id {holder} works on it; "
            "stop that one or choose another folder with --data"
        ) from err
    except BaseException:
        lock.close()
        raise


def _flush_names(folder: Path) -> None:
    """A file survives a power cut only when its name does, in every folder that may be new."""
    for place in (folder, *folder.parents):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
