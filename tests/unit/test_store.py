"""What must survive, seen from the event loop: acknowledged means on the disk, and not before."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from controller.ledger import Database, StoreDamaged, StoreFault, connect
from controller.store import DATABASE, LOCK, Store, StoreBusy

pytestmark = pytest.mark.clocks("wall", "jumping")
in_threads = pytest.mark.clocks("wall")

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Overheard:
    """The ordinary connection; whoever listens hears each statement before it is done."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.listeners: list[Callable[[str], object]] = [self.statements.append]

    def __call__(self, path: Path) -> Database:
        self._database = connect(path)
        return self

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Any:
        for listener in self.listeners:
            listener(sql)
        return self._database.execute(sql, values)

    def close(self) -> None:
        self._database.close()


class Gate:
    """Holds the store's thread before a statement until it is opened."""

    def __init__(self, statement: str) -> None:
        self._statement, self._open = statement, threading.Event()
        self._loop, self.reached = asyncio.get_running_loop(), asyncio.Event()

    def __call__(self, sql: str) -> None:
        if sql == self._statement and not self._open.is_set():
            self._loop.call_soon_threadsafe(self.reached.set)
            self._open.wait()

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def heard() -> Overheard:
    return Overheard()


@pytest.fixture
async def store(tmp_path: Path, heard: Overheard) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path, lambda: NOON, heard)
    heard.statements.clear()
    yield opened
    await opened.aclose()


def kept(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(connect(folder / DATABASE)) as database:
        return [tuple(row) for row in database.execute(sql)]


async def on_disk(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    return await asyncio.get_running_loop().run_in_executor(None, kept, folder, sql)


async def test_label_and_run_number_are_there_at_the_next_start(tmp_path: Path) -> None:
    for run in (1, 2, 3):
        store = await Store.open(tmp_path)
        assert store.setting("label", "none") == ("none" if run == 1 else f"of run {run - 1}")
        assert await store.begin_run() == run
        await store.set_setting("label", f"of run {run}")
        await store.aclose()


async def test_a_run_ends_once_it_is_told_to(store: Store, tmp_path: Path) -> None:
    for how in ("clean", None, "worn out"):
        await store.begin_run()
        if how:
            await store.end_run(how)
    noon = "2026-11-21T12:00:00.000+00:00"
    rows = [(1, noon, noon, "clean"), (2, noon, None, None), (3, noon, noon, "worn out")]
    assert await on_disk(tmp_path, "SELECT * FROM run") == rows


async def test_what_waits_for_the_disk_waits_together(
    store: Store, heard: Overheard, tmp_path: Path
) -> None:
    await asyncio.gather(*(store.audit("host", f"did {number}") for number in range(100)))
    assert heard.statements.count("BEGIN IMMEDIATE") == heard.statements.count("COMMIT") == 1
    rows = [(f"did {number}",) for number in range(100)]
    assert await on_disk(tmp_path, "SELECT what FROM audit ORDER BY id") == rows


@in_threads
async def test_what_arrives_during_a_commit_shares_the_next(
    store: Store, heard: Overheard, tmp_path: Path
) -> None:
    gate = Gate("COMMIT")
    heard.listeners.append(gate)
    first = asyncio.create_task(store.audit("host", "0"))
    await gate.reached.wait()
    others = [asyncio.create_task(store.audit("host", f"{number}")) for number in range(1, 100)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not first.done()
    gate.open()
    await asyncio.gather(first, *others)
    assert heard.statements.count("COMMIT") == 2
    rows = [(f"{number}",) for number in range(100)]
    assert await on_disk(tmp_path, "SELECT what FROM audit ORDER BY id") == rows


async def test_memory_is_never_ahead_of_the_disk(store: Store, heard: Overheard) -> None:
    await store.set_setting("label", "old")
    known: list[str] = []
    heard.listeners.append(lambda _: known.append(store.setting("label", "")))
    await asyncio.gather(*(store.set_setting("label", text) for text in ("newer", "newest")))
    assert known == ["old"] * 4, "begin, two writes, commit"
    assert store.setting("label", "") == "newest"


@in_threads
@pytest.mark.parametrize("when", ["BEGIN IMMEDIATE", "COMMIT"])
async def test_a_cancelled_caller_takes_nothing_back(
    store: Store, heard: Overheard, tmp_path: Path, when: str
) -> None:
    gate = Gate(when)
    heard.listeners.append(gate)
    writing = [asyncio.create_task(store.set_setting(name, "written")) for name in ("a", "b", "c")]
    await gate.reached.wait()
    late = asyncio.create_task(store.set_setting("d", "written"))
    await asyncio.sleep(0)
    for task in (writing[1], late):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
    assert store.setting("b", "not yet") == "not yet"
    gate.open()
    await asyncio.gather(writing[0], writing[2], store.set_setting("e", "written"))
    rows = [(name, "written") for name in "abcde"]
    assert await on_disk(tmp_path, "SELECT * FROM setting ORDER BY name") == rows
    assert [store.setting(name, "not") for name in "abcde"] == ["written"] * 5


async def test_a_cancelled_start_of_a_run_can_still_be_ended(store: Store, tmp_path: Path) -> None:
    starting = asyncio.create_task(store.begin_run())
    await asyncio.sleep(0)
    starting.cancel()
    with suppress(asyncio.CancelledError):
        await starting
    assert starting.cancelled()
    await store.audit("host", "later")
    await store.end_run("clean")
    assert await on_disk(tmp_path, "SELECT id, how FROM run") == [(1, "clean")]


async def test_a_full_disk_fails_those_who_wrote_and_nobody_else(
    store: Store, heard: Overheard, tmp_path: Path
) -> None:
    def room_for(pages: int) -> None:
        heard.execute(f"PRAGMA max_page_count = {pages}")

    in_executor = asyncio.get_running_loop().run_in_executor
    await store.set_setting("label", "old")
    await in_executor(None, room_for, 1)  # what is there already counts as room
    writes = [store.set_setting("label", "new"), store.audit("host", "." * 40_000)]
    faults = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(fault) for fault in faults] == [StoreFault] * 2
    assert "not written" in str(faults[0])
    assert store.setting("label", "") == "old"
    await store.set_setting("other", "fits")
    await in_executor(None, room_for, 1000)
    await store.audit("host", "." * 40_000)
    rows = [("label", "old"), ("other", "fits")]
    assert await on_disk(tmp_path, "SELECT * FROM setting ORDER BY name") == rows
    assert await on_disk(tmp_path, "SELECT length(what) FROM audit") == [(40_000,)]


async def test_a_defect_in_one_write_does_not_stop_the_next(store: Store) -> None:
    no_text = "\ud800"
    with pytest.raises(UnicodeEncodeError):
        await store.set_setting("label", no_text)
    assert store.setting("label", "untouched") == "untouched"
    await store.set_setting("label", "fine")
    assert store.setting("label", "") == "fine"


async def test_a_second_controller_is_told_who_works_here(store: Store, tmp_path: Path) -> None:
    await store.set_setting("label", "kept")
    for _ in range(2):
        with pytest.raises(StoreBusy, match=rf"process id {os.getpid()} .*--data"):
            await Store.open(tmp_path)
    await store.set_setting("label", "still ours")


async def test_the_number_of_a_dead_controller_is_forgotten(tmp_path: Path) -> None:
    lock = tmp_path / LOCK
    await asyncio.get_running_loop().run_in_executor(None, lock.write_text, "4194304000\n")
    store = await Store.open(tmp_path)
    with pytest.raises(StoreBusy, match=rf"process id {os.getpid()} works"):
        await Store.open(tmp_path)
    await store.aclose()


@pytest.mark.parametrize("impossible", ["file/below", "file", "folder/sub"])
async def test_a_folder_that_cannot_be_ours(tmp_path: Path, impossible: str) -> None:
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, (tmp_path / "file").write_text, "in the way")
    await loop.run_in_executor(None, (tmp_path / "folder/sub" / LOCK).mkdir, 0o777, True)
    with pytest.raises(StoreBusy, match=rf"{impossible}: [A-Z].*; choose another folder"):
        await Store.open(tmp_path / impossible)


async def test_a_folder_is_made_and_its_name_is_on_the_disk_first(
    tmp_path: Path, heard: Overheard, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Path | str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: done.append(Path(f"/proc/self/fd/{fd}").readlink()))
    heard.listeners.append(done.append)
    folder = tmp_path / "a" / "b" / "c"
    store = await Store.open(folder, connection=heard)
    await store.aclose()
    assert set(done[: done.index(heard.statements[0])]) == {folder, *folder.parents}


async def test_a_damaged_store_leaves_the_folder_free(tmp_path: Path) -> None:
    loop, path = asyncio.get_running_loop(), tmp_path / DATABASE
    await loop.run_in_executor(None, path.write_bytes, b"no database" * 1000)
    with pytest.raises(StoreDamaged, match=DATABASE):
        await Store.open(tmp_path)
    await loop.run_in_executor(None, path.unlink)
    store = await Store.open(tmp_path)
    await store.aclose()


@in_threads
async def test_cancelled_while_opening_it_is_free_again(tmp_path: Path, heard: Overheard) -> None:
    gate = Gate("PRAGMA journal_mode = WAL")
    heard.listeners.append(gate)
    opening = asyncio.create_task(Store.open(tmp_path, connection=heard))
    await gate.reached.wait()
    opening.cancel()
    await asyncio.sleep(0)
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert [thread.name for thread in threading.enumerate() if "store" in thread.name] == []
    await (await Store.open(tmp_path)).aclose()


async def test_closing_finishes_what_is_under_way(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    writing = [asyncio.create_task(store.audit("host", str(number))) for number in range(3)]
    await asyncio.sleep(0)
    await store.aclose()
    assert all(task.done() for task in writing)
    assert await on_disk(tmp_path, "SELECT count(*) FROM audit") == [(3,)]
    assert [thread.name for thread in threading.enumerate() if "store" in thread.name] == []
    with pytest.raises((RuntimeError, StoreFault)):
        await store.audit("host", "too late")


async def test_work_is_off_the_loop_or_inline_where_time_jumps(tmp_path: Path) -> None:
    heard, threads = Overheard(), set[str]()
    heard.listeners.append(lambda _: threads.add(threading.current_thread().name))
    store = await Store.open(tmp_path, connection=heard)
    await store.set_setting("label", "x")
    await store.aclose()
    inline = type(asyncio.get_running_loop()).__name__ == "JumpingLoop"
    assert threads == ({"MainThread"} if inline else {"store_0"})
