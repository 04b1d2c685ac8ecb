"""Measures how late the event loop is, and tells the service manager that it still turns."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping

from controller.snapshot import Newsstand

log = logging.getLogger(__name__)

BEAT_S = 0.05
WINDOW_BEATS = 200  # the lag that is published is the worst of the last ten seconds


async def watch_loop(news: Newsstand, alarm_s: float, notify: Callable[[str], None]) -> None:
    """Beat for ever; each beat that comes late by more than `alarm_s` is reported."""
    loop, lags_s = asyncio.get_running_loop(), [0.0] * WINDOW_BEATS
    beat = 0
    while True:
        due_s = loop.time() + BEAT_S
        await asyncio.sleep(BEAT_S)
        lag_s = max(loop.time() - due_s, 0.0)
        lags_s[beat % WINDOW_BEATS] = lag_s
        if lag_s > alarm_s:
            log.warning("the event loop was %.0f ms late", lag_s * 1e3)
        beat += 1
        if beat % 20 == 0:
            notify("WATCHDOG=1")
            news.publish(loop_lag_s=max(lags_s))


def service_manager(environment: Mapping[str, str] = os.environ) -> Callable[[str], None]:
    """What tells systemd how we are (sd_notify protocol); does nothing where there is none."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return lambda _message: None
    if address.startswith("@"):
        address = "\0" + address[1:]

    def notify(message: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
            try:
                channel.sendto(message.encode(), address)
            except OSError as err:
                log.warning("the service manager does not listen (%s)", err)

    return notify
