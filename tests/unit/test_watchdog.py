"""The watchdog: a loop that stood still is reported, and the service manager hears of the rest."""

import asyncio
import logging
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controller.snapshot import Newsstand, Snapshot
from controller.watchdog import BEAT_S, WINDOW_BEATS, service_manager, watch_loop

ALARM_S = 0.1


class Watched:
    """A watched loop, what the service manager was told, and a way to stand still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.news, self.told = Newsstand(Snapshot()), list[str]()
        self._lost_s, loop = 0.0, asyncio.get_running_loop()
        clock = loop.time
        monkeypatch.setattr(loop, "time", lambda: clock() + self._lost_s)

    async def stand_still(self, for_s: float) -> float:
        """Let time pass in the midst of one callback; returns how late the next beat will be."""
        await asyncio.sleep(BEAT_S / 2)
        self._lost_s += for_s
        return for_s - BEAT_S / 2


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    watched = Watched(monkeypatch)
    beating = asyncio.create_task(watch_loop(watched.news, ALARM_S, watched.told.append))
    yield watched
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


def alarms(caplog: pytest.LogCaptureFixture) -> list[float]:
    """How late the loop was, in seconds, according to each warning."""
    told = [re.search(r"loop was (\d+) ms late", record.getMessage()) for record in caplog.records]
    return [int(found[1]) / 1e3 for found in told if found]


@pytest.mark.clocks("jumping")
async def test_a_loop_that_stood_still_is_reported_and_published(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    late_s = await watched.stand_still(0.4)
    await asyncio.sleep(1.5)
    assert alarms(caplog) == [pytest.approx(late_s, abs=2e-3)]
    assert caplog.records[0].levelno == logging.WARNING
    assert watched.news.latest.loop_lag_s == pytest.approx(late_s, abs=2e-3)


@pytest.mark.clocks("jumping")
async def test_the_worst_of_the_last_seconds_is_published_and_then_forgotten(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    published: list[float] = []
    watched.news.subscribe(lambda snapshot: published.append(snapshot.loop_lag_s))
    worst_s = await watched.stand_still(0.4)
    await watched.stand_still(0.2)
    await asyncio.sleep((WINDOW_BEATS - 20) * BEAT_S)
    assert published[-1] == pytest.approx(worst_s, abs=2e-3)
    await asyncio.sleep(50 * BEAT_S)
    assert published[-1] == pytest.approx(0.0, abs=2e-3)
    assert len(alarms(caplog)) == 2


@pytest.mark.clocks("jumping")
async def test_a_little_lateness_is_no_alarm_but_is_published(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    late_s = await watched.stand_still(ALARM_S)
    await asyncio.sleep(1.5)
    assert alarms(caplog) == []
    assert watched.news.latest.loop_lag_s == pytest.approx(late_s, abs=2e-3)


@pytest.mark.clocks("jumping")
async def test_the_service_manager_is_fed_every_second(watched: Watched) -> None:
    await asyncio.sleep(10.5)
    assert watched.told == ["WATCHDOG=1"] * 10


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    kinds = {"path": str(tmp_path / "notify"), "abstract": f"@gansource-{os.getpid()}"}
    return kinds[request.param]


@pytest.fixture
def manager(address: str) -> Iterator[socket.socket]:
    """Stands in for systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(re.sub("^@", "\0", address))
        listening.setblocking(False)
        yield listening


def test_the_service_manager_gets_each_message_as_one_datagram(
    manager: socket.socket, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    for notify in (service_manager(), service_manager({"NOTIFY_SOCKET": address})):
        notify("READY=1")
        notify("WATCHDOG=1")
        assert [manager.recv(100), manager.recv(100)] == [b"READY=1", b"WATCHDOG=1"]


def test_without_a_service_manager_nothing_is_sent(
    manager: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": ""}):
        service_manager(environment)("READY=1")
    with pytest.raises(BlockingIOError):
        manager.recv(100)
    assert not caplog.records


def test_a_service_manager_that_is_gone_is_a_warning_and_no_error(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    service_manager({"NOTIFY_SOCKET": address})("READY=1")
    assert "the service manager does not listen" in caplog.text
