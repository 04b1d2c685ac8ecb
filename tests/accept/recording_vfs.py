"""A file system for SQLite that remembers what was done to it, and what a power cut would leave."""

import contextlib
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import apsw

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SECTOR = 512
SURVIVING, TORN = 0.5, 0.3
CHECKPOINT_PAGES = 8  # so that the write-ahead log is often copied back and begun anew
NAMED_WITH_A_SYNC = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL

Doing = Literal["create", "write", "truncate", "sync", "delete"]


class Operation(NamedTuple):
    """One call that SQLite made; a sync or delete may make names durable too."""

    doing: Doing
    name: str
    at: int = 0
    data: bytes = b""
    names_too: bool = False


class RecordingVfs(apsw.VFS):
    """The system's own file system, but a sync only counts; `before` may refuse an operation."""

    def __init__(self, name: str, names: Iterable[str] = ()) -> None:
        self.operations: list[Operation] = []
        self.names = set(names)
        self.name = name
        self.before: Callable[[Operation], None] = lambda _: None
        super().__init__(name, base="")

    def did(self, operation: Operation) -> None:
        """Called before it is done, so that a refusal leaves nothing."""
        self.before(operation)
        self.operations.append(operation)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "_RecordedFile":  # noqa: N802 - SQLite's name
        assert name is not None, "a temporary file is no part of the store"
        return _RecordedFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        name = Path(filename).name
        if name in self.names:
            self.did(Operation("delete", name, names_too=bool(syncdir)))
            self.names.remove(name)
        super().xDelete(filename, syncdir)


class _RecordedFile(apsw.VFSFile):
    def __init__(self, vfs: RecordingVfs, name: str | apsw.URIFilename, flags: list[int]) -> None:
        self._vfs = vfs
        self._name = Path(name if isinstance(name, str) else name.filename()).name
        new = self._name not in vfs.names
        # As SQLite's own: the first sync of a new journal also syncs the folder.
        self._names_too = new and bool(flags[0] & NAMED_WITH_A_SYNC)
        if new:
            vfs.did(Operation("create", self._name))
            vfs.names.add(self._name)
        super().__init__("", name, flags)

    def xWrite(self, data: "ReadableBuffer", offset: int) -> None:  # noqa: N802 - SQLite's name
        self._vfs.did(Operation("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        self._vfs.did(Operation("truncate", self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802 - SQLite's name
        self._vfs.did(Operation("sync", self._name, names_too=self._names_too))
        self._names_too = False


class RecordedConnection:
    """On the recording file system; what fails, fails as the standard library's does."""

    def __init__(self, path: Path, vfs: RecordingVfs, synchronous: str) -> None:
        self._synchronous = synchronous
        with _translated():
            self._database = apsw.Connection(str(path), vfs=vfs.name)
            self._database.set_wal_hook(_checkpoint)
            try:
                # A file system in Python has no shared memory; alone, the log does without.
                self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._database.execute("PRAGMA synchronous = OFF")  # the ledger must ask for more
            except apsw.Error:
                self.close()
                raise

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        if sql.startswith("PRAGMA synchronous"):
            sql = sql.replace("FULL", self._synchronous)
        with _translated():
            return list(self._database.execute(sql, values))

    def close(self) -> None:
        with contextlib.suppress(apsw.Error):  # as SQLite does: the log is kept for the next start
            self._database.close()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.Error as err:
        raise sqlite3.OperationalError(str(err)) from err


def _checkpoint(database: apsw.Connection, _name: str, pages: int) -> int:
    """SQLite's own hook, which apsw would let fail a commit that has been made."""
    if pages >= CHECKPOINT_PAGES:
        with contextlib.suppress(apsw.Error):
            database.wal_checkpoint()
    return apsw.SQLITE_OK


@dataclass
class _Content:
    """What is on the platter, and what is only on its way there."""

    safe: bytes = b""
    unsure: list[Operation] = field(default_factory=list)

    def sync(self) -> None:
        kept = bytearray(self.safe)
        for operation in self.unsure:
            _apply(operation, kept)
        self.safe, self.unsure = bytes(kept), []

    def after_cut(self, rng: random.Random) -> bytes:
        kept = bytearray(self.safe)
        for operation in self.unsure:
            if rng.random() >= SURVIVING:
                continue
            torn = operation.doing == "write" and rng.random() < TORN
            for piece in _sectors(operation) if torn else (operation,):
                if not torn or rng.random() < SURVIVING:
                    _apply(piece, kept)
        return bytes(kept)


class Platter:
    """Follows the operations; at any moment the power may be cut."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        names = {name: _Content(content) for name, content in files.items()}
        self._names = [names]  # as they safely are, then after each unsure step

    def follow(self, operation: Operation) -> None:
        present = self._names[-1]
        match operation.doing:
            case "create":
                self._names.append(present | {operation.name: _Content()})
            case "delete":
                rest = {name: kept for name, kept in present.items() if name != operation.name}
                self._names.append(rest)
            case "sync":
                present[operation.name].sync()
            case "write" | "truncate":
                present[operation.name].unsure.append(operation)
        if operation.names_too:
            self._names = self._names[-1:]

    def after_cut(self, rng: random.Random) -> dict[str, bytes]:
        """All that was synced and a random half of the rest, some of it torn.

        Names change in order, as file systems with a journal do it.
        """
        names = rng.choice(self._names)
        return {name: content.after_cut(rng) for name, content in names.items()}


def _apply(operation: Operation, kept: bytearray) -> None:
    at, data = operation.at, operation.data
    if operation.doing == "truncate":
        del kept[at:]
        kept.extend(bytes(at - len(kept)))
    else:
        kept.extend(bytes(max(0, at + len(data) - len(kept))))
        kept[at : at + len(data)] = data


def _sectors(operation: Operation) -> Iterator[Operation]:
    """The same write in pieces that a disk writes whole."""
    at, data = operation.at, operation.data
    while data:
        length = SECTOR - at % SECTOR
        yield operation._replace(at=at, data=data[:length])
        at, data = at + length, data[length:]
