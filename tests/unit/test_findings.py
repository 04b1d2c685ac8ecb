"""What the doctor finds about the computer is so, and what it looked at is as it was."""

import asyncio
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller import findings
from controller.findings import Finding
from controller.store import DATABASE, Store

TODAY = datetime(2026, 11, 28, tzinfo=UTC)


def verdicts(found: list[Finding]) -> dict[str, tuple[str, int]]:
    return {finding.what: (finding.verdict, finding.status) for finding in found}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder in which a controller has worked."""

    async def work() -> None:
        store = await Store.open(tmp_path)
        await store.begin_run()
        await store.aclose()

    asyncio.run(work())
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_sound_folder_is_told_and_left_as_it_is(kept: Path) -> None:
    before = contents(kept)
    assert verdicts(findings.storage(kept)) == {"folder": ("ok", 0), "database": ("ok", 0)}
    assert contents(kept) == before


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert verdicts(findings.storage(tmp_path / "a" / "b"))["folder"] == ("ok", 0)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_the_worst_and_says_what_to_do(kept: Path) -> None:
    path = kept / DATABASE
    path.write_bytes(path.read_bytes()[:5000] + b"\xff" * 4000)
    before = contents(kept)
    [_, database] = findings.storage(kept)
    assert database.status == 6
    assert "restore a copy" in database.remedy
    assert contents(kept) == before


def test_a_database_of_another_program_is_no_place_for_us(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE)) as stranger:
        stranger.execute("CREATE TABLE theirs (x)")
    assert findings.storage(tmp_path)[1].status == 6


def test_a_full_or_closed_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "LEAST_FREE_BYTES", 1 << 70)
    assert verdicts(findings.storage(tmp_path))["space"] == ("trouble", 5)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert verdicts(findings.storage(tmp_path))["folder"] == ("trouble", 5)


async def test_a_controller_at_work_is_seen_and_not_disturbed(tmp_path: Path) -> None:
    assert await asyncio.to_thread(findings.holder_of, tmp_path) == ""
    store = await Store.open(tmp_path)
    try:
        assert await asyncio.to_thread(findings.holder_of, tmp_path) == str(os.getpid())
        found = await asyncio.to_thread(findings.storage, tmp_path)
        assert verdicts(found)["database"] == ("ok", 0)
    finally:
        await store.aclose()
    assert await asyncio.to_thread(findings.holder_of, tmp_path) == ""


def test_a_clock_of_1970_is_trouble_and_one_of_today_is_not() -> None:
    assert findings.clock(datetime(1970, 1, 1, tzinfo=UTC)).status == 5
    assert findings.clock(TODAY).status == 0


def test_serial_lines_are_judged_by_their_device_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = tmp_path / "ttyACM0"
    address = f"serial://{line}?baud=115200"
    absent = findings.line_trouble("board", address)
    assert absent is not None
    assert "no such device" in absent.words
    line.touch()
    assert findings.line_trouble("board", address) is None
    monkeypatch.setattr(os, "access", lambda *_: False)
    closed = findings.line_trouble("board", address)
    assert closed is not None
    assert f"usermod -aG {line.group()}" in closed.remedy
    assert findings.line_trouble("stage", "tcp://127.0.0.1:5") is None
