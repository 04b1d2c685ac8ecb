"""A device taken into service: asked for again and again until it answers, but not for ever."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from controller.desk import Desk
from optics.devices import Identity
from optics.faults import DeviceGarbled, DeviceLost

log = logging.getLogger(__name__)

WITHIN_S = 30.0
"""Longer than any of them needs to start: a piezo controller takes 10 s, a tagger 5 s."""
AGAIN_S = 0.05


async def arrived(desk: Desk, name: str) -> Identity:
    """Once it has answered; while it does not, outsiders are told, and at last it is lost."""
    identity: Identity | None = None
    began_s, told = desk.now_s(), False
    while identity is None:
        try:
            identity = await getattr(desk.devices, name).connect()
        except (DeviceLost, DeviceGarbled) as away:
            if desk.now_s() - began_s > WITHIN_S:
                raise
            log.log(logging.DEBUG if told else logging.INFO, "%s; it is waited for", away)
            told = True
            _tell(desk, name, away)
            await asyncio.sleep(AGAIN_S)
    _tell(desk, name, None)
    words = (identity.model, identity.serial, identity.firmware, desk.now_s() - began_s)
    log.info("%s %s %s, firmware %s, after %.1f s", name, *words)
    return identity


async def side_by_side(*works: Coroutine[Any, Any, object]) -> None:
    """All of them at once; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        await called_off(*tasks)


async def called_off(*tasks: "asyncio.Future[Any]") -> None:
    """What is not done by now is ended, and has ended when this returns."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _tell(desk: Desk, name: str, away: DeviceLost | DeviceGarbled | None) -> None:
    """One device at a time says why nothing goes on."""
    before = desk.news.latest.fault
    if before is None or getattr(before, "device", "") == name:
        desk.news.publish(fault=away)
