"""The database: made once, carried forward, never trusted blindly, each batch whole or absent."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from controller.ledger import (
    MIGRATIONS,
    Database,
    Ledger,
    StoreDamaged,
    StoreFault,
    StoreTooNew,
    audit,
    begin_run,
    connect,
    end_run,
    set_setting,
)

NEWER = (*MIGRATIONS, "ALTER TABLE run ADD COLUMN note TEXT; CREATE TABLE later (name TEXT)")
LINES = 400  # some thirty pages


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as opened:
        yield opened


@pytest.fixture
def kept(path: Path) -> Path:
    """A store with a label, a run and many audit lines, closed."""
    with closing(Ledger(path)) as ledger:
        lines = [audit("noon", "host", f"{number} {'.' * 200}") for number in range(LINES)]
        ledger.write([set_setting("label", "kept"), begin_run("dawn"), *lines])
    return path


@pytest.fixture
def cut(kept: Path, tmp_path: Path) -> Path:
    """The same, but its log is not yet copied back, as after a kill."""
    folder = tmp_path / "cut"
    folder.mkdir()
    with closing(Ledger(kept)) as ledger:
        ledger.write([set_setting("label", "in the log")])
        for file in tmp_path.glob("store.sqlite*"):
            shutil.copy(file, folder)
    return folder / kept.name


def label(path: Path) -> str:
    with closing(Ledger(path)) as ledger:
        [[text]] = ledger.read("SELECT value FROM setting WHERE name = ?", "label")
    return str(text)


def files_of(path: Path) -> dict[str, bytes]:
    """The database and its log; SQLite may always make the rest anew."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return {file.name: file.read_bytes() for file in files if file.exists()}


def test_the_schema_is_made_once(path: Path) -> None:
    told: list[str] = []

    def overheard(path: Path) -> Database:
        database = sqlite3.connect(path, isolation_level=None)
        database.set_trace_callback(told.append)
        return database

    Ledger(path, overheard).close()
    assert any("CREATE TABLE setting" in statement for statement in told)
    told.clear()
    with closing(Ledger(path, overheard)) as ledger:
        assert ledger.read("PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert [statement for statement in told if "CREATE" in statement or "BEGIN" in statement] == []


def test_it_takes_care_whatever_the_connection_does_by_default(path: Path) -> None:
    def careless(path: Path) -> Database:
        database = connect(path)
        database.execute("PRAGMA synchronous = OFF")
        return database

    with closing(Ledger(path, careless)) as ledger:
        assert ledger.read("PRAGMA synchronous") == [(2,)], "FULL"
        assert ledger.read("PRAGMA journal_mode") == [("wal",)]


def test_a_migration_keeps_what_is_there(kept: Path) -> None:
    with closing(Ledger(kept, migrations=NEWER)) as ledger:
        assert ledger.read("PRAGMA user_version") == [(len(NEWER),)]
        assert ledger.read("SELECT value FROM setting") == [("kept",)]
        assert ledger.read("SELECT id, began_utc, note FROM run") == [(1, "dawn", None)]
        assert ledger.read("SELECT count(*) FROM audit") == [(LINES,)]
        assert ledger.read("SELECT * FROM later") == []


def test_a_migration_that_fails_changes_nothing(kept: Path) -> None:
    with pytest.raises(StoreFault, match="no such table: nowhere"):
        Ledger(kept, migrations=(*MIGRATIONS, "CREATE TABLE new (x); DROP TABLE nowhere"))
    with closing(Ledger(kept)) as ledger:
        assert ledger.read("SELECT name FROM sqlite_schema WHERE name = 'new'") == []
    assert label(kept) == "kept"


@pytest.mark.parametrize("which", ["kept", "cut"])
def test_a_newer_store_is_refused_untouched(which: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(which)
    before = files_of(path)
    with pytest.raises(StoreTooNew, match=r"store\.sqlite: .*newer.*update the program"):
        Ledger(path, migrations=())
    assert files_of(path).items() >= before.items()
    assert label(path) == {"kept": "kept", "cut": "in the log"}[which]


def no_database(content: bytes) -> bytes:
    return b"This is a letter to a friend.\n" * (len(content) // 30)


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_to_nothing_much(content: bytes) -> bytes:
    return content[:100]


def overwritten(content: bytes) -> bytes:
    noise = random.Random(1).randbytes(4 * 4096)
    return content[: 8 * 4096] + noise + content[12 * 4096 :]


def zeroed(content: bytes) -> bytes:
    return content[: 2 * 4096] + bytes(len(content) - 2 * 4096)


def garbled_schema(content: bytes) -> bytes:
    return content.replace(b"CREATE TABLE setting", b"CREATE TABLE s \xff\xfe\xfdxx")


SPOILS = [no_database, cut_off, cut_to_nothing_much, overwritten, zeroed, garbled_schema]


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("which", ["kept", "cut"])
def test_a_damaged_store_is_refused_and_left_as_it_is(
    which: str, spoil: Callable[[bytes], bytes], request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(which)
    path.write_bytes(spoil(path.read_bytes()))
    before = files_of(path)
    with pytest.raises(StoreDamaged, match=r"store\.sqlite: .*(move|restore)") as refused:
        Ledger(path)
    assert not isinstance(refused.value, StoreTooNew)
    assert files_of(path).items() >= before.items()


def test_garbled_text_is_damage(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes().replace(b"labelkept", b"labelk\xffpt"))
    with pytest.raises(StoreDamaged, match=r"store\.sqlite: .*decode.*; move"):
        label(kept)


def test_a_log_without_its_database_is_not_thrown_away(cut: Path) -> None:
    """SQLite itself would delete it and begin with nothing."""
    for spoil in (lambda: cut.write_bytes(b""), cut.unlink):
        spoil()
        before = files_of(cut)
        with pytest.raises(StoreDamaged, match=r"empty, but store\.sqlite-wal is not; move"):
            Ledger(cut)
        assert files_of(cut) == before


def test_what_the_system_refuses_is_no_damage(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreFault, match=r"store\.sqlite: cannot be used") as refused:
        Ledger(path)
    assert not isinstance(refused.value, StoreDamaged)


def test_where_no_log_can_be_kept_nothing_is(path: Path) -> None:
    with pytest.raises(StoreFault, match=r"store\.sqlite: no write-ahead log"):
        Ledger(path, lambda _: connect(Path(":memory:")))


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "50% done? #1 & more=ü"
    folder.mkdir()
    for _ in range(2):
        Ledger(folder / "store.sqlite").close()
    assert list(tmp_path.rglob("*")) == [folder, folder / "store.sqlite"]


def test_a_batch_gives_its_results_in_order(ledger: Ledger) -> None:
    results = ledger.write([begin_run("1"), set_setting("a", "b"), begin_run("2"), begin_run("3")])
    assert [results[0], *results[2:]] == [1, 2, 3]
    ledger.write([end_run(2, "4", "clean")])
    rows = [(1, "1", None, None), (2, "2", "4", "clean"), (3, "3", None, None)]
    assert ledger.read("SELECT * FROM run ORDER BY id") == rows


def test_a_setting_has_one_value(ledger: Ledger) -> None:
    ledger.write([set_setting("label", "old"), set_setting("other", "x")])
    ledger.write([set_setting("label", "new")])
    assert ledger.read("SELECT * FROM setting") == [("label", "new"), ("other", "x")]


def refused_by_sqlite(database: Database) -> None:
    database.execute("INSERT INTO nowhere VALUES (1)")


def a_defect(_database: Database) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("fails", "raised"), [(refused_by_sqlite, StoreFault), (a_defect, ZeroDivisionError)]
)
def test_a_batch_is_written_whole_or_not_at_all(
    ledger: Ledger, fails: Callable[[Database], None], raised: type[Exception]
) -> None:
    ledger.write([set_setting("label", "old")])
    with pytest.raises(raised):
        ledger.write([set_setting("label", "new"), begin_run("dawn"), fails, audit("", "", "")])
    for table, rows in {"setting": [("label", "old")], "run": [], "audit": []}.items():
        assert ledger.read(f"SELECT * FROM {table}") == rows  # noqa: S608 - names from the line above
    assert ledger.write([begin_run("dawn")]) == [1]


def test_a_full_disk_refuses_one_batch_and_keeps_the_rest(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        [[pages]] = ledger.read("PRAGMA page_count")
        ledger.read(f"PRAGMA max_page_count = {pages + 2}")
        ledger.write([set_setting("label", "fits")])
        with pytest.raises(StoreFault, match=r"store\.sqlite: not written \(.*full"):
            ledger.write([set_setting("label", "lost"), audit("noon", "host", "." * 40_000)])
        ledger.write([set_setting("other", "fits too")])
        ledger.read("PRAGMA max_page_count = 1000")
        ledger.write([audit("noon", "host", "." * 40_000)])
        assert ledger.read("SELECT value FROM setting") == [("fits",), ("fits too",)]
        assert ledger.read("SELECT length(what) FROM audit") == [(40_000,)]


@pytest.mark.parametrize("version", [0, 1])
def test_another_programs_database_is_refused_and_left_alone(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE recipe (cake TEXT)")
        foreign.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match="another program"):
        Ledger(path)
    assert path.read_bytes() == before


def test_a_stray_empty_journal_hides_nothing(path: Path) -> None:
    Ledger(path, migrations=(*MIGRATIONS, "CREATE TABLE later (a)")).close()
    path.with_name(path.name + "-journal").touch()
    with pytest.raises(StoreTooNew):
        Ledger(path)


def test_a_migration_may_hold_semicolons_in_texts_and_triggers(path: Path) -> None:
    script = """
    CREATE TABLE note (text TEXT DEFAULT 'a;b');
    CREATE TRIGGER twice AFTER INSERT ON note WHEN new.text <> 'c' BEGIN
        INSERT INTO note VALUES ('c');
        INSERT INTO note VALUES ('c');
    END;
    """
    ledger = Ledger(path, migrations=(*MIGRATIONS, script))
    ledger.write([lambda database: database.execute("INSERT INTO note DEFAULT VALUES")])
    assert ledger.read("SELECT text FROM note") == [("a;b",), ("c",), ("c",)]
    ledger.close()
