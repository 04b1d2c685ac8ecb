"""The page's server: it shows, and changes nothing. Whoever wants to act speaks SCPI."""

import asyncio
import ipaddress
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from controller import __version__
from controller.config import SourceConfig, WebConfig
from controller.snapshot import Newsstand
from controller.web.chronicle import Chronicle
from controller.web.telling import known, told

log = logging.getLogger(__name__)

EVERY_S = 0.5  # a viewer's eye wants no more
MOST_VIEWERS = 20
FAREWELL_S = 0.2
HERE = Path(__file__).parent
FILES = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js", "/chart.js": "chart.js"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Page:
    """Every viewer sees the same; what one asks costs the others nothing."""

    def __init__(self, news: Newsstand, source: SourceConfig, chronicle: Chronicle) -> None:
        self._news, self._source, self._chronicle = news, source, chronicle
        self._viewers = 0
        self.closing = asyncio.Event()

    def application(self) -> web.Application:
        site = web.Application(middlewares=[guarded])
        for path in FILES:
            site.router.add_get(path, _file)
        site.router.add_get("/api/state", self._state)
        site.router.add_get("/api/past", self._past)
        site.router.add_get("/api/events", self._events)
        site.router.add_get("/api/picture.png", self._picture)
        return site

    def _told(self) -> dict[str, Any]:
        about = {"version": __version__, "serial": self._source.serial}
        now = told(self._news.latest, asyncio.get_running_loop().time())
        lines = self._chronicle.written
        return {**about, "emulated": self._source.emulated, "lines_written": lines, **now}

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(self._told())

    async def _past(self, _: web.Request) -> web.Response:
        now_s = asyncio.get_running_loop().time()
        samples = [
            {**sample._asdict(), "age_s": now_s - sample.at_s} for sample in self._chronicle.samples
        ]
        lines = [line._asdict() for line in self._chronicle.lines]
        return web.json_response(known({"samples": samples, "lines": lines}))

    async def _picture(self, _: web.Request) -> web.Response:
        picture = self._news.latest.picture
        if picture is None:
            raise web.HTTPNotFound(text="no frame was taken yet\n")
        return web.Response(body=picture.png, content_type="image/png")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events, one state twice a second; the browser connects again by itself."""
        if self._viewers >= MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_VIEWERS} viewers are looking already\n")
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", **HEADERS})
        self._viewers += 1
        try:
            await stream.prepare(request)
            while not self.closing.is_set():
                await stream.write(f"data: {json.dumps(self._told())}\n\n".encode())
                await _at_most(self.closing, EVERY_S)
        except ConnectionError:
            pass  # the viewer left
        finally:
            self._viewers -= 1
        return stream


@asynccontextmanager
async def page_open(config: WebConfig, source: SourceConfig, news: Newsstand) -> AsyncIterator[str]:
    """The page's address while the block lasts; empty where it cannot be opened."""
    chronicle = Chronicle(news)
    page = Page(news, source, chronicle)
    runner = web.AppRunner(page.application(), access_log=None, shutdown_timeout=FAREWELL_S)
    chronicle.begin()
    try:
        await runner.setup()
        yield await _listening(runner, config)
    finally:
        page.closing.set()
        await runner.cleanup()
        chronicle.end()


async def _listening(runner: web.AppRunner, config: WebConfig) -> str:
    """A source without its page is a source still: a port that is taken is no reason to stop."""
    try:
        await web.TCPSite(runner, config.host, config.port).start()
    except OSError as err:
        log.warning(
            "no page at %s:%d (%s); choose another port in [web]",
            *(config.host, config.port, err.strerror),
        )
        return ""
    name = runner.addresses[0]
    return f"http://{name[0]}:{name[1]}/"


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Only names that are ours: another's name for our address would open us to its scripts."""
    if not _ours(request.url.host or ""):
        raise web.HTTPMisdirectedRequest(text="ask by address, or by this machine's name\n")
    response = await handler(request)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


def _ours(host: str) -> bool:
    if host in {"localhost", socket.gethostname()}:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _file(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(HERE / FILES[request.path])


async def _at_most(event: asyncio.Event, for_s: float) -> None:
    try:
        async with asyncio.timeout(for_s):
            await event.wait()
    except TimeoutError:
        pass
