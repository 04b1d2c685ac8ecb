"""Puts the parts together, runs them until told to stop, and stops dark first."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from controller import hardware
from controller.activities import activities
from controller.archive import Archive
from controller.compute import Compute
from controller.config import NO_PORT, Config
from controller.desk import Desk
from controller.knowledge import Knowledge
from controller.panel import Panel
from controller.recordings import Recordings
from controller.scpi_commands import Instrument
from controller.scpi_server import ScpiServer
from controller.site_news import tell_of_sites
from controller.snapshot import Newsstand, Snapshot
from controller.store import Store
from controller.supervisor import Supervisor
from controller.watchdog import service_manager, watch_loop
from optics.transports import Opener

log = logging.getLogger(__name__)


class Whereabouts(NamedTuple):
    """Where the running controller is found."""

    scpi_tcp: str
    scpi_tls: str
    scpi_hislip: str
    scpi_serial: str
    web: str
    data: str
    run_id: int


async def serve(
    config: Config,
    folder: Path,
    stop: asyncio.Event,
    announce: Callable[[Whereabouts], None],
    in_memory: Mapping[str, Opener],
) -> None:
    """Run until `stop` is set. What cannot start raises; nothing is left behind either way."""
    async with AsyncExitStack() as stack:
        store = await Store.open(folder)
        stack.push_async_callback(store.aclose)
        run_id = await store.begin_run()
        compute = Compute()
        stack.push_async_callback(compute.aclose)
        devices = hardware.build(config, in_memory, compute)
        stack.push_async_callback(devices.aclose)
        desk = Desk(
            config,
            devices,
            Newsstand(_first_snapshot(store, config)),
            store,
            await Archive.open(store),
            compute,
            Recordings(folder),
            Knowledge(store),
        )
        news = desk.news
        tell_of_sites(desk)
        supervisor = Supervisor(activities(desk), devices.make_safe, news)
        panel = Panel(desk, supervisor)
        instrument = Instrument(config.source, news, panel)
        server = await stack.enter_async_context(
            ScpiServer.open(config.scpi, instrument, in_memory)
        )
        page = await _page(stack, config, news)
        announce(Whereabouts(*server.doors, config.scpi.serial, page, str(folder), run_id))
        await _work(supervisor, server, news, config, stop)
        await store.end_run("clean")


async def _page(stack: AsyncExitStack, config: Config, news: Newsstand) -> str:
    if config.web.port == NO_PORT:
        return ""
    from controller.web.server import page_open  # takes 0.2 s, for nothing where there is no page

    return await stack.enter_async_context(page_open(config.web, config.source, news))


def _first_snapshot(store: Store, config: Config) -> Snapshot:
    """With what was wished before the power went."""
    return Snapshot(
        started_s=asyncio.get_running_loop().time(),
        label=store.setting("label", ""),
        output=store.setting("output", "1") == "1",
        tracking=store.setting("tracking", "1") == "1",
        power_set_uw=float(store.setting("power_uw", str(config.laser.power_uw))),
        wavelength_um=config.source.wavelength_um,
        trigger_hz=config.output.trigger_hz or None,
        run_id=store.run_id,
    )


async def _work(
    supervisor: Supervisor,
    server: ScpiServer,
    news: Newsstand,
    config: Config,
    stop: asyncio.Event,
) -> None:
    notify = service_manager()
    async with asyncio.TaskGroup() as tasks:
        hands = tasks.create_task(supervisor.run())
        others = [
            tasks.create_task(server.serve_serial()),
            tasks.create_task(
                watch_loop(news, config.watchdog.lag_alarm_s, notify), name="watchdog"
            ),
        ]
        notify("READY=1")
        await stop.wait()
        notify("STOPPING=1")
        log.info("stopping: dark first")
        hands.cancel()
        await asyncio.wait({hands})
        for task in others:
            task.cancel()
