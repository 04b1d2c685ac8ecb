"""The page: what it tells is what the snapshot holds, and nobody can change anything by it."""

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from controller.config import SourceConfig, WebConfig
from controller.figures import Figure
from controller.snapshot import Newsstand
from controller.web import server
from controller.web.chronicle import LINES, Chronicle
from controller.web.server import page_open
from controller.web.telling import told
from tests.conformance.desk import KNOWN


@pytest.fixture
def news() -> Newsstand:
    return Newsstand(KNOWN)


@pytest.fixture
async def page(news: Newsstand) -> AsyncIterator[str]:
    async with page_open(WebConfig(port=0), SourceConfig(serial="7"), news) as address:
        yield address.rstrip("/")


@pytest.fixture
async def viewer() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def strict(text: str) -> dict[str, object]:
    """JSON without the NaN that Python alone would read."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    read: dict[str, object] = json.loads(text, parse_constant=refuse)
    return read


def test_each_figure_has_its_uncertainty_and_its_age() -> None:
    now = told(replace(KNOWN, brightness_cps=Figure(3e5, 500.0, 100.0)), 101.5)
    assert now["brightness_cps"] == {"value": 3e5, "sigma": 500.0, "age_s": 1.5}
    assert now["pointing"]["error_nm"] == [1.0, 2.0, 3.0]
    assert now["purity"]["upper95"] == 0.04
    assert [site["id"] for site in now["sites"]] == ["A", "B"]
    assert [site["selected"] for site in now["sites"]] == [True, False]


def test_what_is_not_known_is_null_and_not_a_number_that_no_reader_takes() -> None:
    now = told(replace(KNOWN, brightness_cps=Figure(math.nan, math.inf, 0.0)), 0.0)
    assert now["brightness_cps"] == {"value": None, "sigma": None, "age_s": 0.0}
    strict(json.dumps(now))


async def test_the_page_and_its_parts_are_served_and_the_state_is_strict_json(
    page: str, viewer: aiohttp.ClientSession
) -> None:
    for path, kind in {"/": "text/html", "/page.js": "javascript", "/page.css": "css"}.items():
        async with viewer.get(page + path) as answer:
            assert answer.status == 200
            assert kind in answer.headers["Content-Type"]
    async with viewer.get(f"{page}/api/state") as answer:
        state = strict(await answer.text())
    assert (state["state"], state["epoch"], state["serial"]) == ("READY", 7, "7")


async def test_events_follow_the_snapshot(
    page: str, viewer: aiohttp.ClientSession, news: Newsstand
) -> None:
    async with viewer.get(f"{page}/api/events") as answer:
        first = await answer.content.readline()
        await answer.content.readline()
        news.publish(epoch=8)
        second = await answer.content.readline()
    assert strict(first.decode().removeprefix("data: "))["epoch"] == 7
    assert strict(second.decode().removeprefix("data: "))["epoch"] == 8


async def test_nobody_changes_anything_by_it(page: str, viewer: aiohttp.ClientSession) -> None:
    for path in ("/", "/api/state", "/api/past"):
        async with viewer.post(page + path, data="x") as answer:
            assert answer.status == 405


async def test_a_name_that_is_not_ours_is_refused(page: str, viewer: aiohttp.ClientSession) -> None:
    async with viewer.get(f"{page}/api/state", headers={"Host": "evil.example:80"}) as answer:
        assert answer.status == 421


async def test_the_picture_is_there_once_there_is_one(
    page: str, viewer: aiohttp.ClientSession, news: Newsstand
) -> None:
    async with viewer.get(f"{page}/api/picture.png") as answer:
        assert (answer.status, await answer.read()) == (200, b'\x89PNG;\n"not read"')
    news.publish(picture=None)
    async with viewer.get(f"{page}/api/picture.png") as answer:
        assert answer.status == 404


async def test_there_are_only_so_many_viewers_and_a_place_is_free_again(
    page: str, viewer: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_VIEWERS", 1)
    async with viewer.get(f"{page}/api/events") as first:
        await first.content.readline()
        async with viewer.get(f"{page}/api/events") as second:
            assert second.status == 503
    async with asyncio.timeout(20.0):
        while True:
            async with viewer.get(f"{page}/api/events") as again:
                if again.status == 200:
                    break
            await asyncio.sleep(0.05)


async def test_the_past_holds_figures_and_the_log(
    page: str, viewer: aiohttp.ClientSession, news: Newsstand
) -> None:
    now_s = asyncio.get_running_loop().time()
    for second in range(3):
        news.publish(brightness_cps=Figure(1e5 + second, 300.0, now_s + second))
        news.publish(epoch=second)  # the same figure again is no new sample
    logging.getLogger("controller.states").warning("the laser sagged")
    async with viewer.get(f"{page}/api/past") as answer:
        past = await answer.json()
    assert [one["rate_cps"] for one in past["samples"]] == [1e5, 1e5 + 1, 1e5 + 2]
    assert past["lines"][-1]["message"] == "the laser sagged"


def test_memory_is_bounded(news: Newsstand) -> None:
    chronicle = Chronicle(news)
    chronicle.begin()
    for number in range(LINES + 50):
        logging.getLogger("controller.x").warning("line %d", number)
    chronicle.end()
    logging.getLogger("controller.x").warning("not heard")
    assert (len(chronicle.lines), chronicle.written) == (LINES, LINES + 50)
    assert chronicle.lines[-1].message == f"line {LINES + 49}"


async def test_a_port_that_is_taken_costs_the_page_and_not_the_source(
    page: str, news: Newsstand, caplog: pytest.LogCaptureFixture
) -> None:
    taken = WebConfig(port=int(page.rpartition(":")[2]))
    async with page_open(taken, SourceConfig(), news) as address:
        assert address == ""
    assert "[web]" in caplog.text
