"""Connects to every configured device at once, asks who it is, and lets go of it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from controller import hardware
from controller.commands.terminal import OUT_OF_REACH
from controller.compute import Compute
from controller.config import Config
from controller.findings import Finding, line_trouble
from optics.devices import Identity
from optics.faults import DeviceFault, DeviceGarbled, DeviceLost
from optics.transports import Opener

PATIENCE_S = 10.0
REMEDIES: dict[type[DeviceFault], str] = {
    DeviceLost: "see to its power and cable, and to [{name}] address = {address!r}",
    DeviceGarbled: "see that it is the {name} that answers at {address}, and at which speed",
}
OTHERWISE = "do as it says, or as its manual does of these words"


class Device(Protocol):
    """What all of them have in common."""

    async def connect(self) -> Identity:
        """Open the wire, make sure who answers."""


async def check_devices(
    config: Config, in_memory: Mapping[str, Opener], tell: Callable[[Finding], None]
) -> None:
    """Each is told of as soon as it is known; none takes longer than the common patience."""
    compute = Compute()
    devices = hardware.build(config, in_memory, compute)
    named: dict[str, Device | None] = {
        "stage": devices.stage,
        "board": devices.board,
        "laser": devices.laser,
        "tagger": devices.tagger,
        "camera": devices.camera,
    }
    try:
        asked = [_asked(name, named[name], getattr(config, name).address) for name in named]
        for answer in asyncio.as_completed(asked):
            tell(await answer)
    finally:
        await devices.aclose()
        await compute.aclose()


async def _asked(name: str, device: Device | None, address: str) -> Finding:
    if device is None:
        return Finding(name, "none configured", f"give [{name}] an address if there is one")
    if trouble := line_trouble(name, address):
        return trouble
    try:
        async with asyncio.timeout(PATIENCE_S):
            who = await device.connect()
    except DeviceFault as fault:
        words, kind = fault.detail, type(fault)
    except TimeoutError:
        words, kind = f"no answer within {PATIENCE_S:g} s", DeviceLost
    else:
        return Finding(name, f"{who.maker} {who.model} {who.serial}, firmware {who.firmware}")
    remedy = REMEDIES.get(kind, OTHERWISE).format(name=name, address=address)
    return Finding(name, words, remedy, OUT_OF_REACH)
